/**
 * How another configuration takes the place of the one in force: at once, or with a rebind.
 *
 * @module
 */

import type { AuditTrail } from "./audit/trail.ts";
import type { ConfigIssue, ReloadResult, TransportConfig } from "./config/config.ts";
import { diffConfigs } from "./config/diff.ts";
import type { ConfigInForce } from "./config/in_force.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { misuse } from "./errors.ts";
import type { Listeners } from "./listeners.ts";
import { type Move, rebindIssue } from "./rebind.ts";

/** See the module. Every outcome is counted, audited, and obeyed by the limits once it is in force. */
export class Reconfiguration {
  readonly #inForce: ConfigInForce;
  readonly #table: ConnectionTable;
  readonly #audit: AuditTrail;
  readonly #listeners: Listeners;
  #rebinding = false;

  /**
   * @param inForce What is replaced.
   * @param table Whose limits and counters follow.
   * @param audit Told each outcome.
   * @param listeners What moves at a rebind.
   */
  constructor(
    inForce: ConfigInForce,
    table: ConnectionTable,
    audit: AuditTrail,
    listeners: Listeners,
  ) {
    this.#inForce = inForce;
    this.#table = table;
    this.#audit = audit;
    this.#listeners = listeners;
  }

  /** See {@linkcode Transport.reload}. */
  offer(document: TransportConfig): ReloadResult {
    return this.#told(this.#inForce.offer(document));
  }

  /** See {@linkcode Transport.rejectReload}. */
  rejected(issues: readonly ConfigIssue[]): ReloadResult {
    return this.#told(this.#inForce.rejected(issues));
  }

  /** See {@linkcode Transport.rebind}. */
  async rebind(ms: number | undefined): Promise<ReloadResult> {
    const { pending } = this.#inForce;
    if (pending === undefined) {
      throw misuse("rebind", "no configuration waits for it: reload first");
    }
    if (this.#rebinding) throw misuse("rebind", "a rebind is under way");
    this.#rebinding = true;
    let moves: readonly Move[] = [];
    try {
      moves = await this.#listeners.prepareMoves(pending);
      if (this.#inForce.pending !== pending) throw misuse("rebind", "another reload came first");
    } catch (cause) {
      await Promise.all(moves.map((move) => move.undo()));
      return this.rejected([rebindIssue(cause)]);
    } finally {
      this.#rebinding = false;
    }
    const diff = diffConfigs(this.#inForce.current, pending);
    const outcome = this.#told(this.#inForce.apply(pending, diff));
    await Promise.all(moves.map((move) => move.commit(ms)));
    return outcome;
  }

  #told(outcome: ReloadResult): ReloadResult {
    const { result, version } = outcome;
    this.#table.counters.reloads[result]++;
    this.#audit.record({ event: "TransportConfigReloaded", result, version });
    if (result === "applied") this.#table.limits.changed();
    return outcome;
  }
}
