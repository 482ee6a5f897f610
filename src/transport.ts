/**
 * A transport: one frozen configuration, its limits, its readiness and its counters. It listens and
 * dials; both give a {@linkcode Connection}.
 *
 * @module
 */

import type { Address } from "./address.ts";
import type { ArtiSession } from "./arti/backend.ts";
import { torIssues } from "./arti/issues.ts";
import { transitionEvent } from "./audit/events.ts";
import { figureEvents } from "./audit/figures.ts";
import { AuditTrail } from "./audit/trail.ts";
import { type Clock, systemClock } from "./clock.ts";
import { DRAIN_MS } from "./close_reason.ts";
import type { ConfigSnapshot, ReloadResult, TransportConfig } from "./config/config.ts";
import { ConfigInForce } from "./config/in_force.ts";
import type { ConfigError } from "./config/issues.ts";
import { unreadPaths } from "./config/paths.ts";
import { unable } from "./config/platform.ts";
import type { Connection } from "./connection.ts";
import { ConnectionTable } from "./connection_table.ts";
import type { TransportCounters } from "./counters.ts";
import { dial } from "./dialer.ts";
import { misuse } from "./errors.ts";
import { tell } from "./hooks.ts";
import { ByteBudget } from "./limits/byte_budget.ts";
import type { Listener } from "./listener.ts";
import { Listeners } from "./listeners.ts";
import type { ConnectionClosed, DialOptions, ListenOptions, TransportHooks } from "./options.ts";
import type { Readiness } from "./readiness.ts";
import { Reconfiguration } from "./reconfiguration.ts";
import { resolveAddress } from "./resolve_address.ts";
import { detectRuntime } from "./runtime/detect.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type { TransportStats } from "./stats.ts";
import { unreadableUids } from "./uds/users.ts";
import { WorkState } from "./work_state.ts";

/**
 * Listens and dials under one configuration.
 *
 * Disposing it drains: see {@linkcode Transport.drain}.
 *
 * @example An echo over TCP
 * ```ts
 * import { Transport } from "@ron/transport";
 * import assert from "node:assert/strict";
 *
 * await using server = new Transport({ max_conns: 100 });
 * const listener = await server.listen({
 *   address: "tcp://127.0.0.1:0",
 *   onConnection: (connection) => connection.readable.pipeTo(connection.writable),
 * });
 *
 * await using client = new Transport();
 * const connection = await client.dial(listener.address);
 * await connection.write(new TextEncoder().encode("ping"));
 * connection.closeWrite();
 * const reply = await new Response(connection.readable).text();
 * assert.equal(reply, "ping");
 * ```
 */
export class Transport implements AsyncDisposable {
  readonly #hooks: TransportHooks;
  readonly #inForce: ConfigInForce;
  readonly #table: ConnectionTable;
  readonly #audit: AuditTrail;
  readonly #work: WorkState;
  readonly #listeners: Listeners;
  readonly #reconfiguration: Reconfiguration;
  readonly #onAbort = (): void => void this.close();
  /** With the backend `arti` only. */
  readonly #arti: ArtiSession | undefined;
  #runtime: Promise<Runtime> | undefined;

  /**
   * Makes a transport; nothing is bound or dialled yet.
   *
   * @param config What to change of the defaults.
   * @param hooks Whom to tell, and parts to replace.
   * @throws {ConfigError} `config_invalid` with every fault, among them any limit above its ceiling.
   * @throws {TransportError} `config_invalid` with the backend `arti` where its addon cannot be loaded.
   */
  constructor(config: TransportConfig = {}, hooks: TransportHooks = {}) {
    this.#inForce = new ConfigInForce(
      config,
      (valid, current) => [
        ...unreadPaths(valid, hooks),
        ...unable(valid),
        // The first configuration is checked before there are listeners.
        ...unreadableUids((this.#listeners as Listeners | undefined)?.uidLack, valid),
        ...torIssues(valid, current, hooks.arti !== undefined),
      ],
    );
    this.#hooks = { ...hooks };
    const clock = hooks.clock ?? systemClock;
    this.#table = new ConnectionTable(
      () => this.#inForce.current,
      clock,
      hooks.budget ?? new ByteBudget(),
      hooks.logger,
      (event) => this.#closed(event),
    );
    const { counters } = this.#table;
    this.#audit = new AuditTrail(hooks.onAudit, counters);
    if (hooks.recordedPolicy !== undefined) {
      const changed = figureEvents(hooks.recordedPolicy, new Date().toISOString());
      for (const event of changed) this.#audit.record(event);
    }
    const { backend, bind_addr } = this.config;
    this.#work = new WorkState(clock, bind_addr === null && backend !== "arti", (transition) => {
      this.#audit.record(transitionEvent(transition));
      tell(counters, () => hooks.onReadiness?.(transition));
    });
    this.#listeners = new Listeners(this.#table, this.#work, this.#hooks, () => this.#sockets());
    this.#reconfiguration = new Reconfiguration(
      this.#inForce,
      this.#table,
      this.#audit,
      this.#listeners,
    );
    this.#arti = this.config.backend === "arti" ? this.#openTor(clock) : undefined;
    this.#work.follow(this.#arti);
    const { signal } = hooks;
    if (signal?.aborted) void this.close();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** The configuration in force: validated, defaults filled in, deep-frozen. */
  get config(): ConfigSnapshot {
    return this.#inForce.current;
  }

  /** Its version: 1 at first, one more with each configuration that is applied. */
  get configVersion(): number {
    return this.#inForce.version;
  }

  /**
   * Puts another configuration in force, at once and as a whole, or not at all.
   *
   * New values hold from the next operation on: the next wait, the next frame, the next admission. A frame
   * under way keeps the limits it began with, and no open connection is closed for a tighter limit. When a
   * key differs that only a rebind can change, nothing changes until {@linkcode Transport.rebind}.
   *
   * @param document The whole document: a key that it leaves out goes back to its default.
   * @returns What became of it. It never throws: faults are in `issues`, and what was in force stays.
   *
   * @example
   * ```ts
   * import { Transport } from "@ron/transport";
   * import assert from "node:assert/strict";
   *
   * await using transport = new Transport({ max_conns: 100 });
   * assert.equal(transport.reload({ max_conns: 50 }).result, "applied");
   * const refused = transport.reload({ max_conns: 0 });
   * assert.equal(refused.result, "rejected");
   * assert.equal(refused.issues?.[0]?.path, "max_conns");
   * assert.equal(transport.config.max_conns, 50);
   * ```
   */
  reload(document: TransportConfig): ReloadResult {
    return this.#reconfiguration.offer(document);
  }

  /**
   * Puts the configuration in force that a {@linkcode Transport.reload} found to need a rebind, as a whole.
   *
   * Listeners that were given no address of their own move: what is new is bound before anything old is let
   * go of, so no dial is refused; connections of the old drain. A listener stays the same object, with
   * another `address`. With `bind_addr` now null it drains and closes.
   *
   * @param ms How long old connections may take to finish, in milliseconds. @default {5000}
   * @returns `applied`, once the old connections are done; or `rejected`, with all as it was, when the new
   * address cannot be bound, the TLS material cannot be used, or another reload came first.
   * @throws {TransportError} `misuse` when nothing waits for it, when one is under way, or while draining.
   */
  async rebind(ms?: number): Promise<ReloadResult> {
    if (this.#work.draining) throw misuse("rebind", "the transport is draining");
    return await this.#reconfiguration.rebind(ms);
  }

  /**
   * Asks for TLS material again, for every listener that has some: see {@linkcode Listener.rotate}.
   *
   * @throws What the first listener throws whose material cannot be used; the others have rotated.
   */
  rotate(): Promise<void> {
    return this.#listeners.rotate();
  }

  /**
   * Records that a configuration could not even be read: the same as a {@linkcode Transport.reload} that
   * is refused. For hosts that load documents, such as `watchConfig` of `./config`.
   *
   * @param error What is wrong with it.
   */
  rejectReload(error: ConfigError): ReloadResult {
    return this.#reconfiguration.rejected(error.issues);
  }

  /** Whether it takes new work; `NotReady` with `starting` until it first listens or dials. */
  get readiness(): Readiness {
    return this.#work.readiness;
  }

  /** @internal The live figures, for metrics. */
  stats(): TransportStats {
    const { links, counters } = this.#table;
    let inboxItems = 0;
    for (const link of links) inboxItems += link.outbox.items;
    return {
      counters,
      backend: this.config.backend,
      pqMode: this.config.pq.mode,
      inboxItems,
      eventsWaiting: this.#audit.waiting,
      shared: (key, make) => this.#table.shared(key, make),
    };
  }

  /** A copy of what it has counted since it was made. */
  counters(): TransportCounters {
    return this.#table.counters.snapshot(this.#table.inflight);
  }

  /**
   * Binds an address and accepts.
   *
   * A Unix socket is bound in a directory of ours with mode 0700, and has mode 0600 from its first
   * instant. A dead socket of ours in its place is removed, anything else there is an error.
   *
   * With the backend `arti` it waits for the bootstrap, offers an onion service, and waits until that can
   * be reached. The host of the address is the service's name on this machine, which `arti.state_path` keeps
   * its address under (an IP address, as in `bind_addr`, stands for `ron-transport`); port 0 is 7000.
   *
   * @param options Where, and what becomes of connections.
   * @returns The listener, once it is bound.
   * @throws {TransportError} `bind_failed`; `tls` for unusable material; `config_invalid` for a bad
   * address, for `uds.allow_uids` where the runtime cannot tell users, or a TLS listener without
   * material; `arti_bootstrap` when Tor has not bootstrapped in time, `timeout` when the onion service
   * could not be reached within two minutes; `misuse` while draining.
   */
  listen(options: ListenOptions = {}): Promise<Listener> {
    return this.#listeners.listen(options);
  }

  /**
   * Connects once, within `dial_timeout`, the TLS handshake included.
   *
   * @param target `tcp://host:port`, `tls://host:port`, or over the configured backend `host:port` or
   * `unix:/path`. With the backend `arti` a host is an onion service, or what an exit resolves.
   * @param options TLS roots and a signal.
   * @returns A usable connection.
   * @throws {TransportError} `timeout`, `tls`, `io_closed`, `peer_limit` when all slots are taken,
   * `config_invalid` for a bad address, `arti_bootstrap` before Tor has bootstrapped, `misuse` while
   * draining; the signal's reason when aborted.
   */
  async dial(target: string | Address, options: DialOptions = {}): Promise<Connection> {
    options.signal?.throwIfAborted();
    const resolved = resolveAddress(target, options.tls !== undefined, this.config);
    const { address } = resolved;
    const { counters, log } = this.#table;
    this.#work.dials();
    try {
      const refusal = this.#work.dialRefusal();
      if (refusal !== undefined) {
        if (refusal.kind === "arti_bootstrap") counters.failed(refusal.kind, "dial", undefined);
        throw refusal;
      }
      const runtime = await this.#sockets();
      const { config } = this;
      return await dial(runtime, this.#table, config, resolved, options, this.#hooks);
    } catch (error) {
      counters.of(address.transport!).dialsErr++;
      log.dialFailed(address, error);
      throw error;
    }
  }

  /**
   * Stops accepting and dialling, lets open connections finish what is in flight, and aborts what is
   * left after `ms`. Readiness is `NotReady` with `draining` from the first moment on.
   *
   * @param ms The budget in milliseconds. @default {5000}
   */
  async drain(ms?: number): Promise<void> {
    this.#stop();
    const { links, clock } = this.#table;
    const until = clock.now() + (ms ?? DRAIN_MS);
    const listeners = this.#listeners.drain(ms);
    for (const link of links) link.drain();
    await this.#table.settle(links, ms);
    await listeners;
    await this.#arti?.departed(until);
    await this.#arti?.close();
  }

  /** Aborts every connection and closes every listener. Idempotent. */
  async close(): Promise<void> {
    this.#stop();
    const aborted = this.#table.abort(this.#table.links);
    await this.#listeners.close();
    await aborted;
    await this.#arti?.close();
  }

  /** Same as {@linkcode Transport.drain}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  /** @internal What tests check invariants on. */
  inspect(): ConnectionTable {
    return this.#table;
  }

  /** Streams over Tor where that is configured, or else the sockets below. */
  #sockets(): Promise<Runtime> {
    return this.#arti === undefined ? this.#below() : Promise.resolve(this.#arti.runtime);
  }

  #below(): Promise<Runtime> {
    return this.#runtime ??= this.#hooks.runtime === undefined
      ? detectRuntime()
      : Promise.resolve(this.#hooks.runtime);
  }

  #openTor(clock: Clock): ArtiSession {
    const { counters } = this.#table;
    // That there is a hook was checked with the configuration.
    return this.#hooks.arti!.open({
      config: () => this.config,
      clock,
      runtime: () => this.#below(),
      onState: () => this.#work.judge(),
      onProgress: (progress) => tell(counters, () => this.#hooks.onBootstrap?.(progress)),
    });
  }

  #closed(event: ConnectionClosed): void {
    if (event.reason.kind === "internal" && event.reason.by === "library") this.#work.trapped();
    tell(this.#table.counters, () => this.#hooks.onConnectionClosed?.(event));
  }

  /** No new work from here on. */
  #stop(): void {
    if (!this.#work.draining) {
      this.#table.log.write("INFO", "shutdown", this.config.backend, {
        detail: `${this.#table.links.size} connections`,
      });
    }
    this.#work.drain();
    this.#hooks.signal?.removeEventListener("abort", this.#onAbort);
  }
}
