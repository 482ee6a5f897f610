/**
 * The open connections of a transport: slots, identities, and who is told when one closes.
 *
 * @module
 */

import type { Address } from "./address.ts";
import { BlockPool } from "./block_pool.ts";
import type { Clock } from "./clock.ts";
import { type CloseReason, DRAIN_MS } from "./close_reason.ts";
import type { ConfigSnapshot } from "./config/config.ts";
import { Counters } from "./counters.ts";
import { TransportError } from "./errors.ts";
import { type Permit, Permits } from "./limits/permits.ts";
import { Link } from "./link.ts";
import type { ConnectionClosed } from "./options.ts";

/** Whom a link tells. */
export interface LinkEvents {
  /** It is usable. */
  onOpen(link: Link): void;
  /** It is closed, opened or not. */
  onClosed(link: Link, reason: CloseReason): void;
}

/** See the module. */
export class ConnectionTable {
  readonly counters: Counters = new Counters();
  readonly #config: ConfigSnapshot;
  readonly #clock: Clock;
  readonly #onClosed: (event: ConnectionClosed) => void;
  readonly #slots: Permits;
  readonly #handshakes: Permits;
  readonly #links = new Set<Link>();
  readonly #pool = new BlockPool();
  #ids = 0;

  /**
   * @param config The limits.
   * @param clock Monotonic time.
   * @param onClosed Told of each connection that closed; must not throw.
   */
  constructor(
    config: ConfigSnapshot,
    clock: Clock,
    onClosed: (event: ConnectionClosed) => void,
  ) {
    this.#config = config;
    this.#clock = clock;
    this.#onClosed = onClosed;
    this.#slots = new Permits(() => config.max_conns);
    this.#handshakes = new Permits(() => Math.max(64, Math.floor(config.max_conns / 4)));
  }

  /** Connections that hold a slot: open, opening, or closing. */
  get inflight(): number {
    return this.#slots.used;
  }

  /** Connections that are open or opening. */
  get links(): ReadonlySet<Link> {
    return this.#links;
  }

  /**
   * A slot for a dial.
   *
   * @throws {TransportError} `peer_limit` when all are taken.
   */
  dialling(address: Address, alpn: readonly string[], events: LinkEvents): Link {
    const slot = this.#slots.take();
    if (slot !== undefined) return this.#link("dialer", address, slot, alpn, events);
    this.counters.failed("peer_limit", "dial", undefined);
    throw new TransportError(
      "peer_limit",
      `All ${this.#config.max_conns} connections (max_conns) are in use: close one, or raise max_conns`,
      { op: "dial" },
    );
  }

  /** Slots for an accepted socket, or `undefined` when there is none; that is counted here. */
  accepting(address: Address, events: LinkEvents): Link | undefined {
    const slot = this.#slots.take();
    const handshake = slot && this.#handshakes.take();
    if (slot === undefined || handshake === undefined) {
      slot?.release();
      this.counters.failed("peer_limit", "accept", undefined);
      return undefined;
    }
    this.counters.accepts++;
    return this.#link("listener", address, slot, [], {
      onOpen(link) {
        handshake.release();
        events.onOpen(link);
      },
      onClosed(link, reason) {
        handshake.release();
        events.onClosed(link, reason);
      },
    });
  }

  /** Waits for the links to close; those that have not after `ms` are broken off. */
  async settle(links: ReadonlySet<Link>, ms: number = DRAIN_MS): Promise<void> {
    const all = [...links];
    if (all.length === 0) return;
    const timer = this.#clock.after(ms, () => {
      const what = `Draining did not finish within ${ms} ms`;
      for (const link of all) link.fail(new TransportError("timeout", what, { op: "drain" }));
    });
    await Promise.all(all.map((link) => link.closed));
    timer.cancel();
  }

  #link(
    role: "dialer" | "listener",
    address: Address,
    slot: Permit,
    alpn: readonly string[],
    events: LinkEvents,
  ): Link {
    const link: Link = new Link({
      id: (++this.#ids).toString(16).padStart(8, "0"),
      role,
      backend: address.transport!,
      config: this.#config,
      clock: this.#clock,
      counters: this.counters,
      pool: this.#pool,
      alpn,
      onOpen: (link) => events.onOpen(link),
      onClosed: (link, reason) => {
        this.#links.delete(link);
        const { error, fault } = reason;
        if (error !== undefined) this.counters.failed(error.kind, error.op, fault);
        events.onClosed(link, reason);
        this.#onClosed({
          info: link.info,
          reason,
          durationMs: this.#clock.now() - link.startedAt,
          bytesIn: link.bytesIn,
          bytesOut: link.bytesOut,
        });
      },
      onReleased: () => slot.release(),
    });
    this.#links.add(link);
    return link;
  }
}
