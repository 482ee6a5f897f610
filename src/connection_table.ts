/**
 * The open connections of a transport: who is let in, identities, and who is told when one closes.
 *
 * @module
 */

import { type Address, formatAddress } from "./address.ts";
import { BlockPool } from "./block_pool.ts";
import { CAPS } from "./caps.ts";
import type { Clock } from "./clock.ts";
import { type CloseReason, DRAIN_MS } from "./close_reason.ts";
import type { ConfigSnapshot } from "./config/config.ts";
import { Counters } from "./counters.ts";
import { deferred } from "./deferred.ts";
import { TransportError } from "./errors.ts";
import type { Refusal } from "./limits/admission.ts";
import type { ByteBudget } from "./limits/byte_budget.ts";
import { Limits } from "./limits/limits.ts";
import { peerKey, UNKNOWN_PEER } from "./limits/peer_key.ts";
import { Link, type LinkEvents, type LinkHost, type LinkOptions } from "./link.ts";
import { Log } from "./log/log.ts";
import type { Logger } from "./log/record.ts";
import type { ConnectionClosed } from "./options.ts";
import type { PendingSocket } from "./runtime/runtime.ts";
import { Reaper } from "./reaper.ts";
import { TimerHeap } from "./timer_heap.ts";
import type { WriterBounds } from "./writer.ts";
import { keyOf, mayConnect } from "./uds/users.ts";

/** See the module. */
export class ConnectionTable implements LinkHost {
  readonly counters: Counters = new Counters();
  readonly limits: Limits;
  readonly log: Log;
  readonly config: () => ConfigSnapshot;
  readonly clock: Clock;
  readonly reaper: Reaper;
  readonly #onClosed: (event: ConnectionClosed) => void;
  readonly #links = new Set<Link>();
  readonly inbox: WriterBounds = Object.freeze({
    items: CAPS.inboxItems,
    bytes: 4 * CAPS.frameBytes,
    pool: new BlockPool(),
  });
  readonly #shared = new Map<symbol, object>();
  #ids = 0;

  /**
   * @param config The limits now.
   * @param clock Monotonic time.
   * @param budget The pool of bytes.
   * @param logger Told what happens.
   * @param onClosed Told of each connection that closed; must not throw.
   */
  constructor(
    config: () => ConfigSnapshot,
    clock: Clock,
    budget: ByteBudget,
    logger: Logger | undefined,
    onClosed: (event: ConnectionClosed) => void,
  ) {
    this.config = config;
    this.clock = new TimerHeap(clock);
    this.reaper = new Reaper(this.clock);
    this.#onClosed = onClosed;
    this.limits = new Limits(config, this.clock, budget);
    this.log = new Log(logger, config, () => void this.counters.hookFailures++);
  }

  /** Connections that hold a slot: open, opening, or closing. */
  get inflight(): number {
    return this.limits.admission.used;
  }

  /** Something that all connections share, by the protocol that made it. */
  shared<T extends object>(key: symbol, make: () => T): T {
    let value = this.#shared.get(key) as T | undefined;
    if (value === undefined) this.#shared.set(key, value = make());
    return value;
  }

  /** Connections that are open or opening. */
  get links(): ReadonlySet<Link> {
    return this.#links;
  }

  /**
   * Slots for a dial.
   *
   * @throws {TransportError} `peer_limit` when all are taken, of the transport or of the peer.
   */
  dialling(address: Address, events: LinkEvents): Link {
    const { hostname } = address;
    const admitted = this.limits.admission.dial(hostname && peerKey(hostname));
    if (typeof admitted !== "string") {
      return this.#link({ role: "dialer", address, admitted, events });
    }
    const error = this.#refused(admitted);
    this.counters.failed(error.kind, error.op, undefined);
    throw error;
  }

  /** Slots for an accepted socket, or `undefined` when there is none; that is counted here. */
  accepting(address: Address, socket: PendingSocket, events: LinkEvents): Link | undefined {
    const { admission } = this.limits;
    const admitted = mayConnect(address, socket, this.config().uds.allow_uids)
      ? admission.accept(keyOf(address, socket) ?? UNKNOWN_PEER)
      : "peer_limit";
    if (typeof admitted === "string") {
      this.counters.failed(admitted, "accept", undefined);
      this.#logRefusal(admitted, address, socket.remote);
      return undefined;
    }
    this.counters.of(address.transport!).accepts++;
    const link = this.#link({ role: "listener", address, admitted, events });
    admission.handshakes.add(link, admitted.peer);
    return link;
  }

  /** Waits for the links to close; those that have not after `ms` are broken off. */
  async settle(links: ReadonlySet<Link>, ms: number = DRAIN_MS): Promise<void> {
    const all = [...links];
    if (all.length === 0) return;
    const timer = this.clock.after(ms, () => {
      const what = `Draining did not finish within ${ms} ms`;
      for (const link of all) link.fail(new TransportError("timeout", what, { op: "drain" }));
    });
    await Promise.all(all.map((link) => link.closed));
    timer.cancel();
  }

  /** Gives links up: all that wait for them are told at once, then the sockets are closed by and by. */
  async abort(links: Iterable<Link>): Promise<void> {
    for (const link of [...links]) link.abort();
    await this.reaper.empty();
  }

  /** Waits a while. */
  pause(ms: number): Promise<void> {
    const { promise, resolve } = deferred<void>();
    this.clock.after(ms, resolve);
    return promise;
  }

  onOpen(link: Link): TransportError | undefined {
    const { address, admitted, events } = link.options;
    const { admission } = this.limits;
    admission.handshakes.remove(link);
    const refusal = admission.identify(admitted, keyOf(address, link));
    if (refusal !== undefined) return this.#refused(refusal);
    link.belong();
    this.counters.opened++;
    const openedAfter = link.openedAfter ?? 0;
    const traffic = this.counters.of(address.transport!);
    traffic.handshakes[link.pq].observe(openedAfter / 1_000);
    if (this.log.wants("DEBUG")) this.log.opened(link.info, openedAfter);
    if (link.role === "dialer") {
      traffic.dialsOk[link.pq]++;
      this.log.dialled(address, link.options.id);
    }
    events.onOpen(link);
    return undefined;
  }

  onClosed(link: Link, reason: CloseReason): void {
    const { address, events } = link.options;
    const { error, fault } = reason;
    const { bytesIn, bytesOut, openedAfter } = link;
    const traffic = this.counters.of(address.transport!);
    const durationMs = this.clock.now() - link.startedAt;
    this.#links.delete(link);
    this.limits.admission.handshakes.remove(link);
    traffic.inflight--;
    if (error !== undefined) this.counters.failed(error.kind, error.op, fault);
    if (openedAfter === undefined) { if (error?.kind === "tls") traffic.tlsFailures++; }
    else {
      if (reason.kind === "aborted" || error?.op === "drain") this.counters.aborted++;
      if (durationMs > 0) traffic.throughput.observe((bytesIn + bytesOut) * 1_000 / durationMs);
    }
    this.log.closed(link.info, reason, durationMs, bytesIn + bytesOut);
    events.onClosed(link, reason);
    this.#onClosed({ info: link.info, reason, durationMs, bytesIn, bytesOut });
  }

  onReleased(link: Link): void {
    link.options.admitted.release();
  }

  get handshakeSlots(): number {
    return this.limits.admission.handshakes.slots;
  }

  #link(options: Omit<LinkOptions, "id">): Link {
    const id = (++this.#ids).toString(16).padStart(8, "0");
    const { role, address, admitted, events } = options;
    const link = new Link(this, { id, role, address, admitted, events });
    this.#links.add(link);
    this.counters.of(options.address.transport!).inflight++;
    return link;
  }

  #logRefusal(refusal: Refusal, address: Address, remote: PendingSocket["remote"]): void {
    if (!this.log.wants("INFO")) return;
    const peer = remote === undefined ? {} : { peer_addr: formatAddress(remote) };
    this.log.rejected(refusal, address.transport!, peer);
  }

  #refused(refusal: Refusal): TransportError {
    const { max_conns, per_peer } = this.config();
    const what = refusal === "rate_limited"
      ? "Too many peers are remembered: dial again in a second"
      : `All ${max_conns} connections (max_conns) or this peer's ${per_peer.max_conns} (per_peer.max_conns) are in use: close one, or raise the limit`;
    return new TransportError(refusal, what, { op: "dial" });
  }
}
