/**
 * A network inside the process: sockets with bounded buffers, half-close and reset, and no system.
 *
 * Received bytes are cut at random points, drawn from a seed, and their memory is overwritten after
 * each call: whoever keeps a borrowed view is found out.
 *
 * @module
 */

import type {
  BoundListener,
  OnAccept,
  PendingSocket,
  Runtime,
  Socket,
  SocketAddress,
  SocketFault,
  SocketHandler,
  SocketInfo,
} from "../runtime/runtime.ts";
import { random } from "./random.ts";

/** What one direction holds before a write takes nothing more, in bytes. */
const BUFFER_BYTES = 262_144;

/** Options of a {@linkcode MemoryNetwork}. */
export interface MemoryNetworkOptions {
  /** Where receives are cut is drawn from it. @default {1} */
  seed?: number;
  /** Largest receive, in bytes. @default {65536} */
  maxReceive?: number;
}

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
 */
export class MemoryNetwork implements Runtime {
  /** Says that this is not a runtime. */
  readonly name = "memory";
  /** The seed. */
  readonly version: string;
  readonly #listeners = new Map<string, OnAccept>();
  readonly #draw: () => number;
  readonly #maxReceive: number;
  #ports = 49_152;

  /**
   * Makes a network without listeners.
   *
   * @param options The seed.
   */
  constructor(options: MemoryNetworkOptions = {}) {
    this.version = String(options.seed ?? 1);
    this.#draw = random(options.seed ?? 1);
    this.#maxReceive = options.maxReceive ?? 65_536;
  }

  /** Connects to a listener of this network. */
  connect(
    address: SocketAddress,
    tls: unknown,
    handler: SocketHandler,
  ): Promise<PendingSocket> {
    if (tls !== undefined) return Promise.reject(new Error("The memory network has no TLS"));
    const local = { hostname: "127.0.0.1", port: this.#port() };
    const near = new MemorySocket(handler, this.#draw, this.#maxReceive, local, address);
    queueMicrotask(() => {
      const accept = this.#listeners.get(keyOf(address));
      if (accept === undefined) {
        near.close({ type: "refused", cause: new Error("connection refused") });
      } else if (!near.closed) {
        this.#accept(near, accept, address, local);
      }
    });
    return Promise.resolve(near);
  }

  /** Listens at an address of this network. */
  listen(address: SocketAddress, tls: unknown, onAccept: OnAccept): Promise<BoundListener> {
    if (tls !== undefined) return Promise.reject(new Error("The memory network has no TLS"));
    const bound = "port" in address && address.port === 0
      ? { hostname: address.hostname, port: this.#port() }
      : address;
    const key = keyOf(bound);
    if (this.#listeners.has(key)) {
      const cause = Object.assign(new Error("address in use"), { code: "EADDRINUSE" });
      return Promise.reject(cause);
    }
    this.#listeners.set(key, onAccept);
    return Promise.resolve({
      address: bound,
      close: () => {
        this.#listeners.delete(key);
        return Promise.resolve();
      },
    });
  }

  #accept(near: MemorySocket, accept: OnAccept, address: SocketAddress, from: SocketAddress): void {
    const far = new MemorySocket(undefined, this.#draw, this.#maxReceive, address, from);
    near.peer = far;
    far.peer = near;
    const handler = accept(far);
    if (handler === undefined) return far.destroy();
    far.handler = handler;
    handler.onOpen(far);
    if (!near.closed) near.open();
  }

  #port(): number {
    return this.#ports++;
  }
}

class MemorySocket implements Socket, PendingSocket {
  readonly lends = false;
  readonly info: SocketInfo;
  handler: SocketHandler | undefined;
  peer: MemorySocket | undefined;
  closed = false;
  readonly #draw: () => number;
  readonly #window: Uint8Array;
  readonly #incoming: Uint8Array[] = [];
  #bytes = 0;
  #paused = false;
  #starved = false;
  #shut = false;
  #peerShut = false;
  #ended = false;
  #pumping = false;

  constructor(
    handler: SocketHandler | undefined,
    draw: () => number,
    maxReceive: number,
    local: SocketAddress,
    remote: SocketAddress,
  ) {
    this.handler = handler;
    this.#draw = draw;
    this.#window = new Uint8Array(maxReceive);
    this.info = {
      ...("port" in remote ? { remote } : {}),
      ...("port" in local ? { local } : {}),
    };
  }

  get remote(): { readonly hostname: string; readonly port: number } | undefined {
    return this.info.remote;
  }

  open(): void {
    this.handler?.onOpen(this);
  }

  write(bytes: Uint8Array): number {
    const peer = this.peer;
    if (this.closed || peer === undefined || peer.closed) return 0;
    const n = Math.min(bytes.length, BUFFER_BYTES - peer.#bytes);
    this.#starved = n < bytes.length;
    if (n > 0) {
      peer.#incoming.push(bytes.slice(0, n));
      peer.#bytes += n;
      peer.#pump();
    }
    return n;
  }

  cork(): void {}

  uncork(): void {}

  shutdown(): void {
    if (this.#shut || this.closed) return;
    this.#shut = true;
    const peer = this.peer;
    if (peer === undefined) return;
    peer.#peerShut = true;
    peer.#pump();
    this.#pump();
  }

  destroy(): void {
    const peer = this.peer;
    this.close(undefined);
    peer?.close({ type: "reset", cause: new Error("connection reset") });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  close(fault: SocketFault | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.#incoming.length = 0;
    queueMicrotask(() => this.handler?.onClose(fault));
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (!this.closed && !this.#paused && this.#incoming.length > 0) {
      const first = this.#incoming[0]!;
      const most = Math.min(first.length, this.#window.length);
      const n = 1 + Math.floor(this.#draw() * most);
      const view = this.#window.subarray(0, n);
      view.set(first.subarray(0, n));
      if (n === first.length) this.#incoming.shift();
      else this.#incoming[0] = first.subarray(n);
      this.#bytes -= n;
      if (this.handler?.onBytes(view, false) === false) this.#paused = true;
      view.fill(0xdd);
      this.peer?.drained();
    }
    if (this.closed || this.#incoming.length > 0) return;
    if (this.#peerShut && !this.#ended) {
      this.#ended = true;
      this.handler?.onEnd();
    }
    if (this.#ended && this.#shut) this.close(undefined);
  }

  /** The peer took bytes of ours. */
  drained(): void {
    if (!this.#starved || this.closed) return;
    this.#starved = false;
    queueMicrotask(() => this.closed || this.handler?.onDrain());
  }
}

function keyOf(address: SocketAddress): string {
  return "path" in address ? address.path : `${address.hostname} ${address.port}`;
}
