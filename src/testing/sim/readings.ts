/**
 * What a transport told: its changes of readiness, and each connection that closed.
 *
 * @module
 */

import { type RejectReason, rejectReason } from "../../errors.ts";
import type { ConnectionClosed } from "../../options.ts";
import type { Readiness, ReadinessTransition } from "../../readiness.ts";
import type { World } from "./world.ts";

/** Collects them, and checks each as it comes. */
export class Readings {
  /** Closed connections by the reject reason of their error. */
  readonly rejects: Map<RejectReason, number> = new Map();
  readonly #world: World;
  readonly #name: string;
  readonly #ids = new Set<string>();
  #state: Readiness = { state: "NotReady", reason: "starting" };
  #drained = false;

  /** @param name Whose they are. */
  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
  }

  /** Connections that were told closed. */
  get closedCount(): number {
    return this.#ids.size;
  }

  /** A connection closed. */
  closed({ info, reason, bytesIn, bytesOut }: ConnectionClosed): void {
    const { kind, error } = reason;
    this.#world.trace.add(
      this.#name,
      `closed ${info.id} ${kind}${
        error === undefined ? "" : ` ${error.op}`
      } in ${bytesIn} out ${bytesOut}`,
    );
    if (this.#ids.has(info.id)) {
      this.#world.fail("one close reason", `${this.#name}: ${info.id} closed again: ${kind}`);
    }
    this.#ids.add(info.id);
    if (kind === "internal") {
      this.#world.fail("no internal error", `${this.#name}: ${info.id}: ${error?.message}`);
    }
    const reject = error === undefined ? undefined : rejectReason(error.kind);
    if (reject !== undefined) this.rejects.set(reject, (this.rejects.get(reject) ?? 0) + 1);
  }

  /** The readiness changed. */
  moved({ from, to }: ReadinessTransition): void {
    const name = `${text(from)} -> ${text(to)}`;
    this.#world.trace.add(this.#name, name);
    const legal = text(from) === text(this.#state) && text(from) !== text(to) && !this.#drained;
    if (!legal) {
      this.#world.fail("legal readiness", `${this.#name}: ${name} after ${text(this.#state)}`);
    }
    this.#state = to;
    this.#drained = text(to) === "NotReady draining";
  }
}

function text(readiness: Readiness): string {
  return readiness.state === "Ready" ? "Ready" : `${readiness.state} ${readiness.reason}`;
}
