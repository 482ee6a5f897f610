/**
 * A transport: one frozen configuration, its limits, its readiness and its counters. It listens and
 * dials; both give a {@linkcode Connection}.
 *
 * @module
 */

import { type Address, formatAddress, parseAddress } from "./address.ts";
import { BlockPool } from "./block_pool.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { ConfigSnapshot, TransportConfig } from "./config/config.ts";
import { parseConfig } from "./config/schema.ts";
import { type CloseReason, Connection, type ConnectionInfo } from "./connection.ts";
import { Counters, type TransportCounters } from "./counters.ts";
import { deferred } from "./deferred.ts";
import { type ErrorKind, TransportError } from "./errors.ts";
import { type Permit, Permits } from "./limits/permits.ts";
import { DRAIN_MS, Link, type LinkOptions } from "./link.ts";
import { Listener, type ListenerHost, type OnConnection } from "./listener.ts";
import {
  type Readiness,
  type ReadinessReason,
  ReadinessState,
  type ReadinessTransition,
} from "./readiness.ts";
import { detectRuntime } from "./runtime/detect.ts";
import {
  type ClientTls,
  type Runtime,
  type ServerTls,
  TlsMaterialError,
} from "./runtime/runtime.ts";

/** The protocol that both ends agree on by ALPN. */
const ALPN = "oap/1";

/** A certificate chain and its private key, as PEM text or bytes. */
export interface TlsMaterial {
  /** The chain, leaf first. */
  cert: string | Uint8Array;
  /** The private key of the leaf. */
  key: string | Uint8Array;
}

/** Where TLS material comes from: files, a KMS or a secret store alike. Called once a `listen`. */
export type TlsMaterialSource = () => TlsMaterial | Promise<TlsMaterial>;

/** Options of {@linkcode Transport.listen}. */
export interface ListenOptions {
  /** Where to listen; `port` 0 takes any free one. @default The configured `bind_addr`. */
  address?: string | Address;
  /** Certificate and key; makes a TLS listener. */
  tls?: TlsMaterialSource;
  /** Takes each connection; without it, iterate over the listener. */
  onConnection?: OnConnection;
  /** Closes the listener when aborted. */
  signal?: AbortSignal;
}

/** Options of {@linkcode Transport.dial}. */
export interface DialOptions {
  /** Gives up the dial. */
  signal?: AbortSignal;
  /** TLS as a client; makes a TLS connection. */
  tls?: {
    /** Trusted roots as PEM. @default The runtime's own store. */
    ca?: string | readonly string[];
    /** The name to send and verify. @default `tls_client.sni_override`, then the dialled host. */
    serverName?: string;
  };
}

/** One connection that is over. */
export interface ConnectionClosed {
  /** What is known of it. */
  readonly info: ConnectionInfo;
  /** Why it closed. */
  readonly reason: CloseReason;
  /** Milliseconds from accept or dial to the close. */
  readonly durationMs: number;
  /** Bytes received. */
  readonly bytesIn: number;
  /** Bytes sent. */
  readonly bytesOut: number;
}

/** What a host can hook into. Hooks are told, never asked: one that throws is ignored, and counted. */
export interface TransportHooks {
  /** Told of each change of readiness, once. */
  onReadiness?: (transition: ReadinessTransition) => void;
  /** Told of each connection that closed, those that failed in their handshake included. */
  onConnectionClosed?: (event: ConnectionClosed) => void;
  /** Monotonic time. @default The runtime's. */
  clock?: Clock;
  /** The sockets. @default Those of the runtime that runs this. */
  runtime?: Runtime;
}

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
  /** The configuration in force: validated, defaults filled in, deep-frozen. */
  readonly config: ConfigSnapshot;
  readonly #hooks: TransportHooks;
  readonly #clock: Clock;
  readonly #counters = new Counters();
  readonly #pool = new BlockPool();
  readonly #readiness: ReadinessState;
  readonly #connections: Permits;
  readonly #handshakes: Permits;
  readonly #links = new Set<Link>();
  readonly #listeners = new Set<Listener>();
  #runtime: Promise<Runtime> | undefined;
  #dials = false;
  #fault: ReadinessReason | undefined; // of the last listen, until one succeeds
  #draining = false;
  #ids = 0;

  /**
   * @param config What to change of the defaults.
   * @param hooks Whom to tell, and parts to replace.
   * @throws {ConfigError} `config_invalid` with every fault, among them any limit above its ceiling.
   */
  constructor(config: TransportConfig = {}, hooks: TransportHooks = {}) {
    this.config = parseConfig(config);
    this.#hooks = { ...hooks };
    this.#clock = hooks.clock ?? systemClock;
    const max = this.config.max_conns;
    this.#connections = new Permits(() => max);
    this.#handshakes = new Permits(() => Math.max(64, Math.floor(max / 4)));
    this.#readiness = new ReadinessState((t) => this.#tell(() => hooks.onReadiness?.(t)));
    this.#dials = this.config.bind_addr === null;
    this.#judge();
  }

  /** Whether it takes new work; `NotReady` with `starting` until it first listens or dials. */
  get readiness(): Readiness {
    return this.#readiness.current;
  }

  /** A copy of what it has counted since it was made. */
  counters(): TransportCounters {
    return this.#counters.snapshot(this.#connections.used);
  }

  /**
   * Binds an address and accepts.
   *
   * @param options Where, and what becomes of connections.
   * @returns The listener, once it is bound.
   * @throws {TransportError} `bind_failed`; `tls` for unusable material; `config_invalid` for a bad
   * address or a TLS listener without material; `misuse` while draining.
   */
  async listen(options: ListenOptions = {}): Promise<Listener> {
    options.signal?.throwIfAborted();
    const asked = options.address ?? this.config.bind_addr;
    if (asked === null) throw misuse("listen", "bind_addr is null: this transport only dials");
    const address = this.#resolve(asked, options.tls !== undefined);
    const key = formatAddress(address);
    if (this.#draining) throw misuse("listen", "the transport is draining");
    try {
      const tls = address.transport === "tls" ? await serverTls(options.tls) : undefined;
      const listener = new Listener(address, this.#host(address), options.onConnection);
      const runtime = await this.#loadRuntime();
      const bound = await runtime.listen(
        address,
        tls,
        (pending) => listener.accept(pending),
        () => this.#counters.acceptFaults++,
      );
      listener.bind(bound);
      this.#listeners.add(listener);
      this.#fault = undefined;
      this.#judge();
      if (this.#draining) await listener.close();
      options.signal?.addEventListener("abort", () => void listener.close(), { once: true });
      return listener;
    } catch (cause) {
      const [error, reason] = listenError(cause, key);
      this.#fault = reason;
      this.#judge();
      throw error;
    }
  }

  /**
   * Connects once, within `dial_timeout`, the TLS handshake included.
   *
   * @param target `tcp://host:port`, `tls://host:port`, or `host:port` over the configured backend.
   * @param options TLS roots and a signal.
   * @returns A usable connection.
   * @throws {TransportError} `timeout`, `tls`, `io_closed`, `peer_limit` when all slots are taken,
   * `config_invalid` for a bad address, `misuse` while draining; the signal's reason when aborted.
   */
  async dial(target: string | Address, options: DialOptions = {}): Promise<Connection> {
    const { signal } = options;
    signal?.throwIfAborted();
    const address = this.#resolve(target, options.tls !== undefined);
    this.#dials = true;
    this.#judge();
    if (!this.#readiness.ready) throw this.#notReady();
    const permit = this.#connections.take();
    if (permit === undefined) {
      this.#counters.failed("peer_limit", "dial", undefined);
      this.#counters.dialsErr++;
      throw new TransportError(
        "peer_limit",
        `All ${this.config.max_conns} connections (max_conns) are in use: close one, or raise max_conns`,
        { op: "dial" },
      );
    }
    const runtime = await this.#loadRuntime().catch((error) => {
      permit.release();
      throw error;
    });
    return await this.#connect(runtime, address, options, permit);
  }

  /**
   * Stops accepting and dialling, lets open connections finish what is in flight, and aborts what is
   * left after `ms`. Readiness is `NotReady` with `draining` from the first moment on.
   *
   * @param ms The budget in milliseconds. @default {5000}
   */
  async drain(ms?: number): Promise<void> {
    this.#draining = true;
    this.#judge();
    const listeners = [...this.#listeners].map((listener) => listener.drain(ms));
    for (const link of this.#links) link.drain();
    await this.#settle(this.#links, ms);
    await Promise.all(listeners);
  }

  /** Aborts every connection and closes every listener. Idempotent. */
  async close(): Promise<void> {
    this.#draining = true;
    this.#judge();
    const listeners = [...this.#listeners].map((listener) => listener.close());
    for (const link of [...this.#links]) link.abort();
    await Promise.all(listeners);
  }

  /** Same as {@linkcode Transport.drain}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  async #connect(
    runtime: Runtime,
    address: Address,
    options: DialOptions,
    permit: Permit,
  ): Promise<Connection> {
    const { signal } = options;
    const opened = deferred<Connection>();
    const tls = address.transport === "tls" ? this.#clientTls(address, options) : undefined;
    const link = new Link(this.#linkOptions("dialer", address, permit, tls?.alpn ?? [], {
      onOpen: (link) => {
        this.#counters.dialsOk++;
        opened.resolve(new Connection(link));
      },
      onClosed: (link, reason) => {
        if (link.openedAfter !== undefined) return;
        this.#counters.dialsErr++;
        opened.reject(
          signal?.aborted ? signal.reason : reason.error ??
            new TransportError("io_closed", "The dial was aborted", { op: "dial" }),
        );
      },
      onReleased: () => {},
    }));
    const onAbort = (): void => link.abort();
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#links.add(link);
    try {
      runtime.connect(address, tls, link).then(
        (pending) => link.hold(pending),
        (cause) => link.onClose({ type: "system", cause }),
      );
      return await opened.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #clientTls(address: Address, options: DialOptions): ClientTls {
    const { sni_override, alpn } = this.config.tls_client;
    return {
      serverName: options.tls?.serverName ?? (sni_override || address.hostname),
      ca: options.tls?.ca,
      alpn: alpn.length > 0 ? alpn : [ALPN],
    };
  }

  #host(address: Address): ListenerHost {
    return {
      admit: (events) => {
        if (this.#draining) return undefined;
        const permit = this.#connections.take();
        const handshake = permit && this.#handshakes.take();
        if (permit === undefined || handshake === undefined) {
          permit?.release();
          this.#counters.failed("peer_limit", "accept", undefined);
          return undefined;
        }
        this.#counters.accepts++;
        return this.#linkOptions("listener", address, permit, [], {
          onOpen: (link) => {
            handshake.release();
            events.onOpen(link);
          },
          onClosed: (link, reason) => {
            handshake.release();
            events.onClosed(link, reason);
          },
          onReleased: events.onReleased,
        });
      },
      handlerFailed: (error) => TransportError.from(error, "internal", { op: "onConnection" }),
      stopped: (listener) => this.#listeners.delete(listener),
      settle: (links, ms) => this.#settle(links, ms),
    };
  }

  #linkOptions(
    role: "dialer" | "listener",
    address: Address,
    permit: Permit,
    alpn: readonly string[],
    events: Pick<LinkOptions, "onOpen" | "onClosed" | "onReleased">,
  ): LinkOptions {
    return {
      id: (++this.#ids).toString(16).padStart(8, "0"),
      role,
      backend: address.transport!,
      config: this.config,
      clock: this.#clock,
      counters: this.#counters,
      pool: this.#pool,
      alpn,
      onOpen: (link) => {
        this.#links.add(link);
        events.onOpen(link);
      },
      onClosed: (link, reason) => {
        this.#links.delete(link);
        if (reason.error !== undefined) {
          this.#counters.failed(reason.error.kind, reason.error.op, reason.fault);
        }
        events.onClosed(link, reason);
        this.#tell(() =>
          this.#hooks.onConnectionClosed?.({
            info: link.info,
            reason,
            durationMs: this.#clock.now() - link.startedAt,
            bytesIn: link.bytesIn,
            bytesOut: link.bytesOut,
          })
        );
      },
      onReleased: () => {
        permit.release();
        events.onReleased();
      },
    };
  }

  /** Waits for the links to close, then aborts those that have not. */
  async #settle(links: ReadonlySet<Link>, ms: number = DRAIN_MS): Promise<void> {
    const all = [...links];
    if (all.length === 0) return;
    const timer = this.#clock.after(ms, () => {
      for (const link of all) {
        link.fail(
          new TransportError("timeout", `Draining did not finish within ${ms} ms`, { op: "drain" }),
        );
      }
    });
    await Promise.all(all.map((link) => link.closed));
    timer.cancel();
  }

  /** The address with its transport settled. Plain TCP is never used where TLS is configured. */
  #resolve(target: string | Address, tls: boolean): Address {
    const address = typeof target === "string" ? parseAddress(target) : target;
    const { backend } = this.config;
    if (address.transport === "tcp" && (tls || backend === "tls")) {
      throw new TransportError(
        "config_invalid",
        `${formatAddress(address)} asks for plain TCP where TLS is configured: write tls://`,
        { op: "address" },
      );
    }
    const transport = address.transport ?? (tls ? "tls" : backend);
    return { transport, hostname: address.hostname, port: address.port };
  }

  #loadRuntime(): Promise<Runtime> {
    return this.#runtime ??= this.#hooks.runtime === undefined
      ? detectRuntime()
      : Promise.resolve(this.#hooks.runtime);
  }

  #judge(): void {
    if (this.#draining) this.#readiness.set({ state: "NotReady", reason: "draining" });
    else if (this.#fault !== undefined) {
      this.#readiness.set({ state: "NotReady", reason: this.#fault });
    } else if (this.#listeners.size > 0 || this.#dials) this.#readiness.set({ state: "Ready" });
    else this.#readiness.set({ state: "NotReady", reason: "starting" });
  }

  #notReady(): TransportError {
    const readiness = this.#readiness.current;
    const reason = readiness.state === "Ready" ? "starting" : readiness.reason;
    const kind: ErrorKind = reason === "bind_failed" || reason === "tls"
      ? reason
      : reason === "tls_config_missing"
      ? "config_invalid"
      : "misuse";
    return new TransportError(kind, `Cannot dial while the transport is NotReady (${reason})`, {
      op: "dial",
    });
  }

  /** Runs a hook; what it throws stays with it. */
  #tell(hook: () => void): void {
    try {
      hook();
    } catch {
      this.#counters.hookFailures++;
    }
  }
}

async function serverTls(source: TlsMaterialSource | undefined): Promise<ServerTls> {
  const material = await source?.();
  if (material === undefined || material.cert.length === 0 || material.key.length === 0) {
    throw new TransportError(
      "config_invalid",
      "A TLS listener needs a certificate and a key: pass listen({ tls: () => ({ cert, key }) })",
      { op: "listen" },
    );
  }
  return { cert: material.cert, key: material.key, alpn: [ALPN] };
}

/** What `listen` throws, and the readiness reason that stays. */
function listenError(cause: unknown, address: string): [TransportError, ReadinessReason] {
  if (TransportError.is(cause)) return [cause, "tls_config_missing"];
  const text = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof TlsMaterialError) {
    const what = `Certificate and key for ${address} cannot be used: ${text}`;
    return [new TransportError("tls", what, { op: "listen", cause }), "tls"];
  }
  const code = (cause as { code?: unknown }).code;
  const remedy = code === "EADDRINUSE"
    ? ": the port is in use, choose another or 0"
    : code === "EACCES"
    ? ": not permitted, choose a port above 1023"
    : "";
  const what = `Cannot listen on ${address}${remedy} (${text})`;
  return [new TransportError("bind_failed", what, { op: "listen", cause }), "bind_failed"];
}

function misuse(op: string, why: string): TransportError {
  return new TransportError("misuse", `Cannot ${op}: ${why}`, { op });
}
