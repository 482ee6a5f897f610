/**
 * Requests of this end, and the answers they wait for.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { encodeHead } from "./encoder.ts";
import { type Frame, HEADER_BYTES } from "./frame.ts";
import { IdTable } from "./id_table.ts";

/** Given-up requests whose late answers are recognised; older ones are forgotten first. */
const REMEMBERED = 64;

/** One request that waits. */
export interface Pending {
  /** Called with the answer, in memory of its own. */
  resolve(frame: Frame): void;
  /** Called when no answer will come. */
  reject(error: unknown): void;
}

/** Matches answers by (tenant, app, corr_id). */
export class Requests {
  readonly #pending: IdTable<Pending> = new IdTable();
  readonly #late: Uint8Array[] = [];
  readonly #scratch: Uint8Array = new Uint8Array(HEADER_BYTES);
  readonly #view: DataView = new DataView(this.#scratch.buffer);

  /** Requests that wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether an incoming response can concern this table at all. */
  get concerned(): boolean {
    return this.#pending.size > 0 || this.#late.length > 0;
  }

  /**
   * Waits for the answer to a frame.
   *
   * @throws {TransportError} `misuse` when a request with the same identity waits already.
   */
  add(frame: Frame, pending: Pending): void {
    const { tenantId, appProtoId, corrId } = frame;
    if (this.#pending.find(this.#key(frame), 0) >= 0) {
      throw new TransportError(
        "misuse",
        `Cannot send a second request with tenant ${tenantId}, protocol ${appProtoId} and id ${corrId} before the first is answered: take ids from corrIds()`,
        { op: "request" },
      );
    }
    this.#pending.add(this.#view, 0, pending);
  }

  /** Gives a request up; its answer will be recognised as late. */
  remove(frame: Frame, sent: boolean): void {
    const i = this.#pending.find(this.#key(frame), 0);
    if (i < 0) return;
    this.#pending.removeAt(i);
    if (!sent) return;
    if (this.#late.length === REMEMBERED) this.#late.shift();
    this.#late.push(this.#scratch.slice());
  }

  /** The request that the response at `at` answers, which then waits no more; `late`; or `undefined`. */
  match(view: DataView, at: number): Pending | "late" | undefined {
    const i = this.#pending.find(view, at);
    if (i >= 0) return this.#pending.removeAt(i);
    const late = this.#late.findIndex((key) => sameKey(key, view, at));
    if (late < 0) return undefined;
    return "late";
  }

  /** No answer will come any more. */
  rejectAll(error: unknown): void {
    for (const pending of this.#pending.clear()) pending.reject(error);
  }

  #key(frame: Frame): DataView {
    encodeHead(this.#scratch, this.#view, 0, { flags: 0, code: 0, ...ids(frame) }, 0, 0);
    return this.#view;
  }
}

function ids(frame: Frame): Pick<Frame, "appProtoId" | "tenantId" | "corrId"> {
  return { appProtoId: frame.appProtoId, tenantId: frame.tenantId, corrId: frame.corrId };
}

function sameKey(key: Uint8Array, view: DataView, at: number): boolean {
  for (let i = 10; i < HEADER_BYTES; i++) {
    if (i !== 28 && i !== 29 && key[i] !== view.getUint8(at + i)) return false;
  }
  return true;
}
