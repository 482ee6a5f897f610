/**
 * Requests of this end, and the answers they wait for.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { Carrier } from "../sink.ts";
import { encodeIds } from "./encoder.ts";
import { type Frame, HEADER_BYTES } from "./frame.ts";
import { type IdMemory, IdTable } from "./id_table.ts";

/** Given-up requests whose late answers are recognised; older ones are forgotten first. */
const REMEMBERED = 64;

/** One request that waits. */
export interface Pending {
  /** Until when, by the connection's clock, in milliseconds. */
  readonly until: number;
  /** Called with the answer, in memory of its own. */
  resolve(frame: Frame): void;
  /** Called when no answer will come. */
  reject(error: unknown): void;
  /** Called when its time is up; removes it. */
  expire(): void;
}

/**
 * Matches answers by (tenant, app, corr_id).
 *
 * One timer serves all that wait: it is set for the first to expire, and looks at all when it fires. With as
 * few as may wait that is cheaper than a timer for each. None runs while nothing waits.
 */
export class Requests {
  readonly #pending: IdTable<Pending>;
  #late: Uint8Array[] | undefined = undefined;
  /** A header that holds ids; made with the first request. */
  #scratch: DataView | undefined = undefined;
  readonly #carrier: Pick<Carrier, "now" | "after">;
  #timer: { cancel(): void } | undefined = undefined;
  #timerAt = Infinity;

  /** @param carrier Whose clock counts. @param memory Where the table's memory comes from. */
  constructor(carrier: Pick<Carrier, "now" | "after">, memory: IdMemory) {
    this.#carrier = carrier;
    this.#pending = new IdTable(memory);
  }

  /** Requests that wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether an incoming response can concern this table at all. */
  get concerned(): boolean {
    return this.#pending.size > 0 || this.#late !== undefined;
  }

  /**
   * Waits for the answer to a frame.
   *
   * @throws {TransportError} `misuse` when a request with the same identity waits already.
   */
  add(frame: Frame, pending: Pending): void {
    const { tenantId, appProtoId, corrId } = frame;
    const key = this.#key(frame);
    if (this.#pending.find(key, 0) >= 0) {
      throw new TransportError(
        "misuse",
        `Cannot send a second request with tenant ${tenantId}, protocol ${appProtoId} and id ${corrId} before the first is answered: take ids from corrIds()`,
        { op: "request" },
      );
    }
    this.#pending.add(key, 0, pending);
    if (pending.until < this.#timerAt) this.#arm(pending.until);
  }

  /** Gives a request up; its answer will be recognised as late. */
  remove(frame: Frame, sent: boolean): void {
    const key = this.#key(frame);
    const i = this.#pending.find(key, 0);
    if (i < 0) return;
    this.#pending.removeAt(i);
    this.#rest();
    if (!sent) return;
    const late = this.#late ??= [];
    if (late.length === REMEMBERED) late.shift();
    late.push(new Uint8Array(key.buffer.slice(0)));
  }

  /** The request that the response at `at` answers, which then waits no more; `late`; or `undefined`. */
  match(view: DataView, at: number): Pending | "late" | undefined {
    const i = this.#pending.find(view, at);
    if (i >= 0) {
      const pending = this.#pending.removeAt(i);
      this.#rest();
      return pending;
    }
    return this.#late?.some((key) => sameKey(key, view, at)) === true ? "late" : undefined;
  }

  /** No answer will come any more. */
  rejectAll(error: unknown): void {
    const all = this.#pending.clear();
    this.#rest();
    for (const pending of all) pending.reject(error);
  }

  #key(frame: Frame): DataView {
    const scratch = this.#scratch ??= new DataView(new ArrayBuffer(HEADER_BYTES));
    encodeIds(scratch, 0, frame);
    return scratch;
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    this.#timerAt = at;
    const ms = Math.max(0, Math.ceil(at - this.#carrier.now()));
    this.#timer = this.#carrier.after(ms, () => {
      this.#timer = undefined;
      this.#timerAt = Infinity;
      this.#expire();
    });
  }

  /** No timer while nothing waits. */
  #rest(): void {
    if (this.#pending.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  #expire(): void {
    const now = this.#carrier.now();
    const due: Pending[] = [];
    let next = Infinity;
    for (let i = 0; i < this.#pending.size; i++) {
      const pending = this.#pending.get(i);
      if (pending.until <= now) due.push(pending);
      else next = Math.min(next, pending.until);
    }
    if (next !== Infinity) this.#arm(next);
    for (const pending of due) pending.expire();
  }
}

function sameKey(key: Uint8Array, view: DataView, at: number): boolean {
  for (let i = 10; i < HEADER_BYTES; i++) {
    if (i !== 28 && i !== 29 && key[i] !== view.getUint8(at + i)) return false;
  }
  return true;
}
