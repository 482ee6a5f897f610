/**
 * Accepting: admission on the raw socket, then the handshake, then delivery.
 *
 * @module
 */

import type { Address } from "./address.ts";
import { Connection } from "./connection.ts";
import { type Deferred, deferred } from "./deferred.ts";
import type { ConnectionTable } from "./connection_table.ts";
import type { Link, LinkEvents } from "./link.ts";
import type { BoundListener, PendingSocket } from "./runtime/runtime.ts";
import { TransportError } from "./errors.ts";

/** How long an address that is given up still accepts, in milliseconds. */
const GRACE_MS = 250;

/** Handles one accepted connection; when it settles, the connection is closed in order. */
export type OnConnection = (connection: Connection) => void | Promise<void>;

/**
 * A bound address that gives connections, by iteration or to `onConnection`.
 *
 * Only connections that are usable are given: admitted, and with TLS behind their handshake.
 *
 * @example Serving one connection at a time
 * ```ts
 * import { Transport } from "@ron/transport";
 *
 * await using transport = new Transport();
 * const listener = await transport.listen({ address: "tcp://127.0.0.1:0" });
 * setTimeout(() => listener.close(), 10);
 * for await (const connection of listener) await connection.close();
 * ```
 */
export class Listener implements AsyncIterable<Connection>, AsyncDisposable {
  /** Where it listens, with the real port; {@linkcode Transport.rebind} can change it. */
  readonly address: Address;
  readonly #table: ConnectionTable;
  readonly #takesWork: () => boolean;
  readonly #onStop: () => void;
  readonly #onConnection: OnConnection | undefined;
  readonly #links = new Set<Link>();
  /** One for all: a connection that is idle should hold as little as can be. */
  readonly #events: LinkEvents = {
    onOpen: (link) => this.#deliver(link),
    onClosed: (link) => {
      this.#links.delete(link);
      this.#ready.delete(link);
    },
  };
  /** Those that nobody has taken: at most max_conns, as each holds a slot. */
  readonly #ready = new Map<Link, Connection>();
  readonly #takers: Deferred<IteratorResult<Connection>>[] = [];
  #bound: BoundListener | undefined;
  #rotate: (() => Promise<void>) | undefined;
  #rotating: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  /** @internal Made by {@linkcode Transport.listen}. */
  constructor(
    address: Address,
    table: ConnectionTable,
    onConnection: OnConnection | undefined,
    takesWork: () => boolean,
    onStop: () => void,
  ) {
    this.address = address;
    this.#table = table;
    this.#onConnection = onConnection;
    this.#takesWork = takesWork;
    this.#onStop = onStop;
  }

  /** Connections of this listener that are open or in their handshake. */
  get size(): number {
    return this.#links.size;
  }

  /** @internal */
  bind(bound: BoundListener, rotate?: () => Promise<void>): void {
    this.#bound = bound;
    this.#rotate = rotate;
    if ("port" in bound.address && this.address.path === undefined) {
      const { hostname, port } = bound.address;
      // A host name keeps the form it was given in; an onion service's is only known once it is bound.
      const named = this.address.transport === "arti" ? { hostname, port } : { port };
      (this as { address: Address }).address = Object.freeze({ ...this.address, ...named });
    }
  }

  /** @internal What it is bound to. */
  get bound(): BoundListener | undefined {
    return this.#bound;
  }

  /** @internal Changes over to another address, or with `stays` to other terms at this one; the old ones drain. */
  async move(
    bound: BoundListener,
    stays: boolean,
    address: Address,
    rotate: ((bound: BoundListener) => Promise<void>) | undefined,
    ms: number | undefined,
  ): Promise<void> {
    const old = this.#bound;
    (this as { address: Address }).address = address;
    this.bind(bound, rotate && (() => rotate(bound)));
    const leaving = (): Set<Link> => {
      return new Set([...this.#links].filter((link) => link.options.address !== address));
    };
    // Closed while the other was being bound: then that goes, too.
    const stopped = this.#stopping === undefined ? undefined : bound.close();
    for (const link of leaving()) link.drain();
    if (old !== undefined && !stays && stopped === undefined) {
      // Who has connected and was not accepted yet would be reset by the system.
      await this.#table.pause(GRACE_MS);
      for (const link of leaving()) link.drain();
      await Promise.all([old.close(), this.#table.settle(leaving(), ms)]);
    } else await this.#table.settle(leaving(), ms);
    await stopped;
  }

  /** @internal Every accepted socket comes here before any byte of it is read. */
  accept(pending: PendingSocket, address: Address = this.address): Link | undefined {
    if (this.#stopping !== undefined || !this.#takesWork()) return undefined;
    const link = this.#table.accepting(address, pending, this.#events);
    if (link === undefined) return undefined;
    this.#links.add(link);
    link.hold(pending);
    return link;
  }

  /** Connections as they become usable, until the listener closes. */
  [Symbol.asyncIterator](): AsyncIterator<Connection> {
    if (this.#onConnection !== undefined) {
      throw new TransportError(
        "misuse",
        "Connections go to onConnection: leave it out to iterate over the listener",
        { op: "accept" },
      );
    }
    return {
      next: () => {
        for (const [link, connection] of this.#ready) {
          this.#ready.delete(link);
          return Promise.resolve({ done: false, value: connection });
        }
        if (this.#stopping !== undefined) return Promise.resolve({ done: true, value: undefined });
        const taker = deferred<IteratorResult<Connection>>();
        this.#takers.push(taker);
        return taker.promise;
      },
      return: async () => {
        await this.close();
        return { done: true, value: undefined };
      },
    };
  }

  /**
   * Asks the source of the TLS material again and uses what it gives for handshakes from then on.
   * Open connections are not touched. The new material must parse, belong together, be valid now and
   * pass a handshake with ourselves; otherwise what was in use stays. Takes fresh session tickets too.
   *
   * @throws {TransportError} `tls` or `config_invalid`, saying why what was given cannot be used; what
   * the source throws; `misuse` without TLS or once closed.
   */
  rotate(): Promise<void> {
    const rotate = this.#rotate;
    if (rotate === undefined || this.#stopping !== undefined) {
      const why = rotate === undefined ? "this listener has no TLS" : "the listener is closed";
      return Promise.reject(
        new TransportError("misuse", `Cannot rotate: ${why}`, { op: "rotate" }),
      );
    }
    // One after the other, so that the last one asked for is the one in use.
    const next = this.#rotating.then(rotate);
    this.#rotating = next.catch(() => {});
    return next;
  }

  /**
   * Stops accepting, lets open connections finish what is in flight, and aborts what is left after `ms`.
   *
   * @param ms The budget in milliseconds. @default {5000}
   */
  async drain(ms?: number): Promise<void> {
    const stopped = this.#stop();
    const links = new Set(this.#links);
    for (const link of links) link.drain();
    await this.#table.settle(links, ms);
    await stopped;
  }

  /** Stops accepting and aborts the connections of this listener. Idempotent. */
  async close(): Promise<void> {
    const stopped = this.#stop();
    await this.#table.abort(new Set(this.#links));
    await stopped;
  }

  /** Same as {@linkcode Listener.drain}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  #stop(): Promise<void> {
    if (this.#stopping === undefined) {
      this.#stopping = this.#bound?.close() ?? Promise.resolve();
      for (const taker of this.#takers.splice(0)) taker.resolve({ done: true, value: undefined });
      this.#onStop();
    }
    return this.#stopping;
  }

  #deliver(link: Link): void {
    const connection = new Connection(link);
    if (this.#onConnection === undefined) {
      const taker = this.#takers.shift();
      if (taker === undefined) this.#ready.set(link, connection);
      else taker.resolve({ done: false, value: connection });
      return;
    }
    handle(connection, this.#onConnection);
  }
}

/** Runs a handler, then closes. No async function: its frame would be held as long as the connection. */
function handle(connection: Connection, onConnection: OnConnection): void {
  const fail = (error: unknown): void => {
    connection.abort(TransportError.from(error, "internal", { op: "onConnection" }));
  };
  try {
    Promise.resolve(onConnection(connection)).then(() => connection.close(), fail);
  } catch (error) {
    fail(error);
  }
}
