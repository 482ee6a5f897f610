/**
 * A network inside the process: sockets with bounded buffers, half-close, reset and faults, and no
 * system.
 *
 * Received bytes are cut at random points, drawn from a seed, and their memory is overwritten after
 * each call: whoever keeps a borrowed view is found out.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type {
  BoundListener,
  OnAccept,
  PendingSocket,
  Runtime,
  SocketAddress,
  SocketHandler,
} from "../runtime/runtime.ts";
import { MemorySocket } from "./memory_socket.ts";
import type { MemoryWire, Path } from "./memory_wire.ts";
import { random } from "./random.ts";

/** Options of a {@linkcode MemoryNetwork}. */
export interface MemoryNetworkOptions {
  /** Cuts, delays and habits are drawn from it. @default {1} */
  seed?: number;
  /** Largest receive, in bytes. @default {65536} */
  maxReceive?: number;
  /**
   * Everything that happens becomes an event of this clock, and nothing happens by itself: see
   * {@linkcode drive}. @default none: as soon as the code that runs has ended
   */
  time?: Clock;
  /** Least and most milliseconds that an event takes; needs `time`. @default {[0, 0]} */
  latencyMs?: readonly [least: number, most: number];
  /**
   * Whether each socket draws its habits: memory that stays lent after a write, as on Deno and Node, and
   * received memory that is the handler's own, as on Bun. @default {false}: neither
   */
  vary?: boolean;
  /** Told of each connection before it is accepted: the place to plan its faults. */
  onWire?: (wire: MemoryWire) => void;
}

interface Listening {
  readonly accept: OnAccept;
  readonly onFault: (cause: unknown) => void;
}

/** Until an accept that found no descriptor is tried again, in milliseconds. */
const RETRY_MS = 100;

/**
 * A {@linkcode Runtime} whose sockets live in memory. TLS is not simulated: it is refused.
 *
 * @example A transport with no system below it
 * ```ts
 * import { Transport } from "@ron/transport";
 * import { MemoryNetwork } from "@ron/transport/testing";
 *
 * const runtime = new MemoryNetwork({ seed: 7 });
 * await using server = new Transport({}, { runtime });
 * const listener = await server.listen({ onConnection: (c) => c.write(new Uint8Array(3)) });
 * await using client = new Transport({}, { runtime });
 * const connection = await client.dial(listener.address);
 * await connection.read(new Uint8Array(3));
 * ```
 *
 * @example A fault: the network goes silent, and the client's read deadline finds out
 * ```ts
 * import { Transport, TransportError } from "@ron/transport";
 * import { drive, ManualClock, MemoryNetwork } from "@ron/transport/testing";
 * import assert from "node:assert/strict";
 *
 * const clock = new ManualClock();
 * const network = new MemoryNetwork({ time: clock, latencyMs: [1, 20], onWire: (w) => w.back.lose() });
 * const server = new Transport({}, { runtime: network, clock });
 * const client = new Transport({ read_timeout: "2s" }, { runtime: network.host("10.0.0.9"), clock });
 * const error = await drive(clock, async () => {
 *   const listener = await server.listen({ onConnection: (c) => c.write(new Uint8Array(3)) });
 *   const connection = await client.dial(listener.address);
 *   return connection.read(new Uint8Array(3)).catch((error: unknown) => error);
 * });
 * assert.ok(TransportError.is(error) && error.kind === "timeout");
 * await drive(clock, () => server.close());
 * ```
 */
export class MemoryNetwork implements Runtime {
  /** Says that this is not a runtime. */
  readonly name = "memory";
  /** The seed. */
  readonly version: string;
  readonly #listeners = new Map<string, Listening>();
  readonly #path: Path;
  readonly #time: Clock | undefined;
  readonly #vary: boolean;
  readonly #onWire: ((wire: MemoryWire) => void) | undefined;
  #ports = 49_152;
  #sockets = 0;
  #noDescriptors = 0;

  /**
   * Makes a network without listeners.
   *
   * @param options Seed, time and faults.
   */
  constructor(options: MemoryNetworkOptions = {}) {
    const { seed = 1, maxReceive = 65_536, time, latencyMs = [0, 0] } = options;
    const [least, most] = latencyMs;
    if (most > 0 && time === undefined) {
      throw new Error("latencyMs needs `time`: without a clock, events have no delay");
    }
    const draw = random(seed);
    this.version = String(seed);
    this.#time = time;
    this.#vary = options.vary ?? false;
    this.#onWire = options.onWire;
    this.#path = {
      draw,
      maxReceive,
      window: new Uint8Array(maxReceive),
      soon: time === undefined
        ? queueMicrotask
        : (event) => void time.after(least + draw() * (most - least), event),
    };
  }

  /** Sockets whose handler has not been told yet that they are closed. */
  get sockets(): number {
    return this.#sockets;
  }

  /** The next `n` accepts fail as if the process had no free descriptor; each is tried again 100 ms later. */
  failAccepts(n: number): void {
    this.#noDescriptors = n;
  }

  /**
   * The network as seen from one host: connections that it dials come from that address.
   *
   * @param hostname The source address.
   */
  host(hostname: string): Runtime {
    return {
      name: this.name,
      version: this.version,
      connect: (address, tls, handler) => this.#connect(hostname, address, tls, handler),
      listen: (address, tls, onAccept, onFault) => this.listen(address, tls, onAccept, onFault),
    };
  }

  /** Connects to a listener of this network, from 127.0.0.1. */
  connect(
    address: SocketAddress,
    tls: unknown,
    handler: SocketHandler,
  ): Promise<PendingSocket> {
    return this.#connect("127.0.0.1", address, tls, handler);
  }

  /** Listens at an address of this network. */
  listen(
    address: SocketAddress,
    tls: unknown,
    onAccept: OnAccept,
    onFault: (cause: unknown) => void = () => {},
  ): Promise<BoundListener> {
    if (tls !== undefined) return Promise.reject(new Error("The memory network has no TLS"));
    const bound = "port" in address && address.port === 0
      ? { hostname: address.hostname, port: this.#port() }
      : address;
    const key = keyOf(bound);
    if (this.#listeners.has(key)) {
      const cause = Object.assign(new Error("address in use"), { code: "EADDRINUSE" });
      return Promise.reject(cause);
    }
    this.#listeners.set(key, { accept: onAccept, onFault });
    return Promise.resolve({
      address: bound,
      close: () => {
        this.#listeners.delete(key);
        return Promise.resolve();
      },
    });
  }

  #connect(
    hostname: string,
    address: SocketAddress,
    tls: unknown,
    handler: SocketHandler,
  ): Promise<PendingSocket> {
    if (tls !== undefined) return Promise.reject(new Error("The memory network has no TLS"));
    const local = { hostname, port: this.#port() };
    const near = this.#socket(handler, local, address);
    this.#path.soon(() => this.#arrive(near, address, local));
    return Promise.resolve(near);
  }

  #arrive(near: MemorySocket, address: SocketAddress, from: MemoryWire["from"]): void {
    if (near.closed) return;
    const listening = this.#listeners.get(keyOf(address));
    if (listening === undefined) {
      return near.close({ type: "refused", cause: new Error("connection refused") });
    }
    if (this.#noDescriptors > 0) {
      this.#noDescriptors--;
      listening.onFault(Object.assign(new Error("too many open files"), { code: "EMFILE" }));
      return this.#after(RETRY_MS, () => this.#arrive(near, address, from));
    }
    this.#accept(near, listening.accept, address, from);
  }

  #accept(
    near: MemorySocket,
    accept: OnAccept,
    address: SocketAddress,
    from: MemoryWire["from"],
  ): void {
    const far = this.#socket(undefined, address, from);
    const wire = MemorySocket.join(this.#path, near, far, from);
    this.#onWire?.(wire);
    far.handler = accept(far);
    if (far.handler === undefined) return far.destroy();
    this.#after(wire.handshakeMs, () => {
      far.open();
      this.#path.soon(() => near.open());
    });
  }

  #socket(
    handler: SocketHandler | undefined,
    local: SocketAddress,
    remote: SocketAddress,
  ): MemorySocket {
    const { draw } = this.#path;
    const habits = {
      lends: this.#vary && draw() < 0.5,
      owns: this.#vary && draw() < 0.5,
    };
    this.#sockets++;
    return new MemorySocket(handler, this.#path, habits, local, remote, () => this.#sockets--);
  }

  #after(ms: number, event: () => void): void {
    if (ms === Infinity) return;
    if (ms > 0 && this.#time !== undefined) this.#time.after(ms, event);
    else event();
  }

  #port(): number {
    return this.#ports++;
  }
}

function keyOf(address: SocketAddress): string {
  return "path" in address ? address.path : `${address.hostname} ${address.port}`;
}
