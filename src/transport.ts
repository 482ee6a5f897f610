/**
 * A transport: one frozen configuration, its limits, its readiness and its counters. It listens and
 * dials; both give a {@linkcode Connection}.
 *
 * @module
 */

import { type Address, formatAddress, parseAddress } from "./address.ts";
import { systemClock } from "./clock.ts";
import { transitionEvent } from "./audit/events.ts";
import { AuditTrail } from "./audit/trail.ts";
import type { ConfigSnapshot, ReloadResult, TransportConfig } from "./config/config.ts";
import { diffConfigs } from "./config/diff.ts";
import { ConfigInForce } from "./config/in_force.ts";
import type { ConfigError } from "./config/issues.ts";
import { unreadPaths } from "./config/paths.ts";
import { unable } from "./config/platform.ts";
import type { Connection } from "./connection.ts";
import { ConnectionTable } from "./connection_table.ts";
import type { TransportCounters } from "./counters.ts";
import { dial } from "./dialer.ts";
import { type ErrorKind, TransportError } from "./errors.ts";
import { ByteBudget } from "./limits/byte_budget.ts";
import { listenError } from "./listen_error.ts";
import { Listener } from "./listener.ts";
import type { ConnectionClosed, DialOptions, ListenOptions, TransportHooks } from "./options.ts";
import { type Move, prepareMove, rebindIssue, staysAt, type Terms } from "./rebind.ts";
import { type Readiness, type ReadinessReason, ReadinessState, reasonOf } from "./readiness.ts";
import type { TransportStats } from "./stats.ts";
import { TrapRate } from "./trap_rate.ts";
import { detectRuntime } from "./runtime/detect.ts";
import {
  type BoundListener,
  type Runtime,
  type ServerTls,
  TlsMaterialError,
} from "./runtime/runtime.ts";
import { gate, type GateRules } from "./tls/gate.ts";
import { materialError, pqRule, serverTls } from "./tls/material.ts";
import type { TlsMaterialSource } from "./tls/options.ts";
import { certificateWarnings } from "./tls/warnings.ts";
import { requireUids } from "./uds/users.ts";

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
  readonly #inForce: ConfigInForce;
  readonly #audit: AuditTrail;
  readonly #hooks: TransportHooks;
  readonly #table: ConnectionTable;
  readonly #readiness: ReadinessState;
  readonly #traps: TrapRate;
  readonly #onAbort = (): void => void this.close();
  readonly #listeners = new Map<Listener, ListenOptions>();
  #runtime: Promise<Runtime> | undefined;
  #dials: boolean; // has dialled, or can do nothing else
  #fault: ReadinessReason | undefined; // of the last listen, until one succeeds
  #draining = false;
  #rebinding = false;

  /**
   * Makes a transport; nothing is bound or dialled yet.
   *
   * @param config What to change of the defaults.
   * @param hooks Whom to tell, and parts to replace.
   * @throws {ConfigError} `config_invalid` with every fault, among them any limit above its ceiling.
   */
  constructor(config: TransportConfig = {}, hooks: TransportHooks = {}) {
    this.#inForce = new ConfigInForce(
      config,
      (valid) => [...unreadPaths(valid, hooks), ...unable(valid)],
    );
    this.#hooks = { ...hooks };
    this.#table = new ConnectionTable(
      () => this.#inForce.current,
      hooks.clock ?? systemClock,
      hooks.budget ?? new ByteBudget(),
      hooks.logger,
      (event) => this.#closed(event),
    );
    this.#traps = new TrapRate(hooks.clock ?? systemClock, () => this.#judge());
    this.#audit = new AuditTrail(hooks.onAudit, this.#table.counters);
    this.#readiness = new ReadinessState((t) => {
      this.#audit.record(transitionEvent(t));
      this.#tell(() => hooks.onReadiness?.(t));
    });
    this.#dials = this.config.bind_addr === null;
    this.#judge();
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
    return this.#told(this.#inForce.offer(document));
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
    const { pending } = this.#inForce;
    if (this.#draining) throw misuse("rebind", "the transport is draining");
    if (pending === undefined) {
      throw misuse("rebind", "no configuration waits for it: reload first");
    }
    if (this.#rebinding) throw misuse("rebind", "a rebind is under way");
    this.#rebinding = true;
    const moves: Move[] = [];
    try {
      for (const [listener, options] of this.#listeners) {
        if (options.address === undefined) moves.push(await this.#move(listener, options, pending));
      }
      if (this.#inForce.pending !== pending) throw misuse("rebind", "another reload came first");
    } catch (cause) {
      await Promise.all(moves.map((move) => move.undo()));
      return this.#told(this.#inForce.rejected([rebindIssue(cause)]));
    } finally {
      this.#rebinding = false;
    }
    const diff = diffConfigs(this.config, pending);
    const outcome = this.#told(this.#inForce.apply(pending, diff));
    await Promise.all(moves.map((move) => move.commit(ms)));
    return outcome;
  }

  /**
   * Asks for TLS material again, for every listener that has some: see {@linkcode Listener.rotate}.
   *
   * @throws What the first listener throws whose material cannot be used; the others have rotated.
   */
  async rotate(): Promise<void> {
    const secured = [...this.#listeners.keys()].filter(({ bound }) => bound?.rotate !== undefined);
    const outcomes = await Promise.allSettled(secured.map((listener) => listener.rotate()));
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  async #move(listener: Listener, options: ListenOptions, to: ConfigSnapshot): Promise<Move> {
    const runtime = await this.#loadRuntime();
    const place = placeOf(to);
    if (place === null) return await prepareMove(runtime, listener, undefined, false);
    const asked = this.#resolve(place, options.tls !== undefined, to);
    const same = staysAt(listener, asked);
    const { port } = listener.address;
    const address = same && asked.path === undefined
      ? { ...asked, port: port ?? asked.port }
      : asked;
    const terms = await this.#terms(listener, options, address, to);
    return await prepareMove(runtime, listener, terms, same);
  }

  /**
   * Records that a configuration could not even be read: the same as a {@linkcode Transport.reload} that
   * is refused. For hosts that load documents, such as `watchConfig` of `./config`.
   *
   * @param error What is wrong with it.
   */
  rejectReload(error: ConfigError): ReloadResult {
    return this.#told(this.#inForce.rejected(error.issues));
  }

  /** Whether it takes new work; `NotReady` with `starting` until it first listens or dials. */
  get readiness(): Readiness {
    return this.#readiness.current;
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
   * @param options Where, and what becomes of connections.
   * @returns The listener, once it is bound.
   * @throws {TransportError} `bind_failed`; `tls` for unusable material; `config_invalid` for a bad
   * address, for `uds.allow_uids` where the runtime cannot tell users, or a TLS listener without
   * material; `misuse` while draining.
   */
  async listen(options: ListenOptions = {}): Promise<Listener> {
    const { signal, onConnection } = options;
    signal?.throwIfAborted();
    if (this.#draining) throw misuse("listen", "the transport is draining");
    const asked = options.address ?? placeOf(this.config);
    if (asked === null) throw misuse("listen", "bind_addr is null: this transport only dials");
    const address = this.#resolve(asked, options.tls !== undefined, this.config);
    try {
      const onAbort = (): void => void listener.close();
      const takesWork = (): boolean => this.#takesWork;
      const listener: Listener = new Listener(address, this.#table, onConnection, takesWork, () => {
        this.#listeners.delete(listener);
        signal?.removeEventListener("abort", onAbort);
      });
      const { tls, onAccept, onFault, rotate } = await this.#terms(
        listener,
        options,
        address,
        this.config,
      );
      const runtime = await this.#loadRuntime();
      const bound = await runtime.listen(address, tls, onAccept, onFault);
      listener.bind(bound, rotate && (() => rotate(bound)));
      this.#warn(bound);
      this.#fault = undefined;
      this.#listeners.set(listener, options);
      this.#judge();
      // Both may have come while it was binding.
      if (this.#draining || signal?.aborted) await listener.close();
      signal?.throwIfAborted();
      signal?.addEventListener("abort", onAbort, { once: true });
      return listener;
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      const [error, reason] = listenError(cause, formatAddress(address));
      this.#fault = reason;
      this.#judge();
      throw error;
    }
  }

  /**
   * Connects once, within `dial_timeout`, the TLS handshake included.
   *
   * @param target `tcp://host:port`, `tls://host:port`, or over the configured backend `host:port` or
   * `unix:/path`.
   * @param options TLS roots and a signal.
   * @returns A usable connection.
   * @throws {TransportError} `timeout`, `tls`, `io_closed`, `peer_limit` when all slots are taken,
   * `config_invalid` for a bad address, `misuse` while draining; the signal's reason when aborted.
   */
  async dial(target: string | Address, options: DialOptions = {}): Promise<Connection> {
    options.signal?.throwIfAborted();
    const address = this.#resolve(target, options.tls !== undefined, this.config);
    const traffic = this.#table.counters.of(address.transport!);
    this.#dials = true;
    this.#judge();
    try {
      if (!this.#readiness.ready) throw this.#notReady();
      const runtime = await this.#loadRuntime();
      const connection = await dial(
        runtime,
        this.#table,
        this.config,
        address,
        options,
        this.#hooks,
      );
      traffic.dialsOk[connection.info.tls?.pq ?? "off"]++;
      this.#table.log.dialled(address, connection.info.id);
      return connection;
    } catch (error) {
      traffic.dialsErr++;
      this.#table.log.dialFailed(address, error);
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
    const { links } = this.#table;
    const listeners = [...this.#listeners.keys()].map((listener) => listener.drain(ms));
    for (const link of links) link.drain();
    await this.#table.settle(links, ms);
    await Promise.all(listeners);
  }

  /** Aborts every connection and closes every listener. Idempotent. */
  async close(): Promise<void> {
    this.#stop();
    const aborted = this.#table.abort(this.#table.links);
    await Promise.all([...this.#listeners.keys()].map((listener) => listener.close()));
    await aborted;
  }

  /** Same as {@linkcode Transport.drain}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  /** @internal What tests check invariants on. */
  inspect(): ConnectionTable {
    return this.#table;
  }

  /** The address with its transport settled. Plain TCP is never used where TLS is configured. */
  #resolve(target: string | Address, tls: boolean, { backend }: ConfigSnapshot): Address {
    const address = addressOf(target);
    if (address.transport === "tcp" && (tls || backend === "tls")) {
      throw new TransportError(
        "config_invalid",
        `${formatAddress(address)} asks for plain TCP where TLS is configured: write tls://`,
        { op: "address" },
      );
    }
    const transport = address.transport ?? (tls ? "tls" : backend);
    return address.path === undefined
      ? { transport, hostname: address.hostname, port: address.port }
      : { transport, path: address.path };
  }

  /** What a listener's sockets are taken under: at its bind, and anew at a rebind. */
  async #terms(
    listener: Listener,
    options: ListenOptions,
    address: Address,
    config: ConfigSnapshot,
  ): Promise<Terms> {
    const fetchTls = (config: ConfigSnapshot): Promise<ServerTls> =>
      serverTls(options.tls ?? this.#namedMaterial(config), config);
    const tls = address.transport === "tls" ? await fetchTls(config) : undefined;
    await requireUids(await this.#loadRuntime(), address, config.uds.allow_uids);
    const rules: GateRules = {
      tls: tls !== undefined,
      alpn: tls?.alpn ?? [],
      ...pqRule(config),
      authorize: options.authorize,
    };
    return {
      address,
      tls,
      onAccept: (pending) => {
        const link = listener.accept(pending, address);
        return link && gate(link, rules);
      },
      onFault: (cause) => {
        this.#table.counters.acceptFaults++;
        this.#table.log.acceptFault(address.transport!, cause);
      },
      rotate: tls && (async (bound) => await this.#rotate(bound, await fetchTls(this.config))),
    };
  }

  /** The material of the configured paths, if there are any. */
  #namedMaterial(config: ConfigSnapshot): TlsMaterialSource | undefined {
    const { material } = this.#hooks;
    if (material === undefined || config.tls.cert_path === "") return undefined;
    return () => material(config);
  }

  async #rotate(bound: BoundListener, tls: ServerTls): Promise<void> {
    if (bound.rotate === undefined) throw misuse("rotate", "this runtime has no TLS to rotate");
    try {
      await bound.rotate(tls);
    } catch (cause) {
      throw cause instanceof TlsMaterialError ? materialError(cause, "rotate") : cause;
    }
    this.#warn(bound);
  }

  #warn({ certificates = [] }: BoundListener): void {
    for (const warning of certificateWarnings(certificates)) {
      this.#tell(() => this.#hooks.onWarning?.(warning));
    }
  }

  #loadRuntime(): Promise<Runtime> {
    return this.#runtime ??= this.#hooks.runtime === undefined
      ? detectRuntime()
      : Promise.resolve(this.#hooks.runtime);
  }

  #judge(): void {
    if (this.#draining) this.#readiness.set({ state: "NotReady", reason: "draining" });
    else if (this.#traps.tooMany) this.#readiness.set({ state: "NotReady", reason: "internal" });
    else if (this.#fault !== undefined) {
      this.#readiness.set({ state: "NotReady", reason: this.#fault });
    } else if (this.#listeners.size > 0 || this.#dials) this.#readiness.set({ state: "Ready" });
    else this.#readiness.set({ state: "NotReady", reason: "starting" });
  }

  /** Whether sockets are accepted; one that binds has none yet to refuse. */
  get #takesWork(): boolean {
    const { current, ready } = this.#readiness;
    return ready || reasonOf(current) === "starting";
  }

  #notReady(): TransportError {
    const reason = reasonOf(this.#readiness.current) ?? "starting";
    const kind: ErrorKind = reason === "bind_failed" || reason === "tls"
      ? reason
      : reason === "tls_config_missing"
      ? "config_invalid"
      : reason === "internal"
      ? "internal"
      : "misuse";
    const what = `Cannot dial while the transport is NotReady (${reason})`;
    return new TransportError(kind, what, { op: "dial" });
  }

  #closed(event: ConnectionClosed): void {
    if (event.reason.kind === "internal" && event.reason.by === "library") this.#traps.trapped();
    this.#tell(() => this.#hooks.onConnectionClosed?.(event));
  }

  /** No new work from here on. */
  #stop(): void {
    if (!this.#draining) {
      this.#table.log.write("INFO", "shutdown", this.config.backend, {
        detail: `${this.#table.links.size} connections`,
      });
    }
    this.#draining = true;
    this.#traps.close();
    this.#hooks.signal?.removeEventListener("abort", this.#onAbort);
    this.#judge();
  }

  /** One audit event for each configuration that is offered. */
  #told(outcome: ReloadResult): ReloadResult {
    const { result, version } = outcome;
    this.#table.counters.reloads[result]++;
    this.#audit.record({ event: "TransportConfigReloaded", result, version });
    if (result === "applied") this.#table.limits.changed();
    return outcome;
  }

  /** Runs a hook; what it throws stays with it. */
  #tell(hook: () => void): void {
    try {
      hook();
    } catch {
      this.#table.counters.hookFailures++;
    }
  }
}

/** Where a configuration binds; `null` where it only dials. */
function placeOf({ uds, bind_addr }: ConfigSnapshot): string | Address | null {
  return uds.path === "" ? bind_addr : { path: uds.path };
}

/** A path that a caller gives in parts is held to the same rules as in a text. */
function addressOf(target: string | Address): Address {
  if (typeof target === "string") return parseAddress(target);
  return target.path === undefined ? target : parseAddress(formatAddress(target));
}

function misuse(op: string, why: string): TransportError {
  return new TransportError("misuse", `Cannot ${op}: ${why}`, { op });
}
