/**
 * Watches every socket of a transport: that the runtime's rules are kept on both sides of the seam.
 *
 * @module
 */

import type {
  BoundListener,
  ClientTls,
  OnAccept,
  PendingSocket,
  Runtime,
  ServerTls,
  Socket,
  SocketAddress,
  SocketFault,
  SocketHandler,
  SocketInfo,
} from "../../runtime/runtime.ts";
import { writeParts } from "../../write_parts.ts";
import type { World } from "./world.ts";

/** A runtime whose sockets are counted and watched. */
export class WatchedRuntime implements Runtime {
  readonly name = "memory";
  readonly version = "watched";
  /** Sockets that the transport holds: connecting, accepted and open ones, until they are closed. */
  open = 0;
  /** Accepted sockets that were turned away. */
  refused = 0;
  /** Accepted sockets that were let in. */
  accepted = 0;
  /** Bytes that sockets took. */
  sent = 0;
  /** Open accepted sockets by the address of the peer. */
  readonly byPeer: Map<string, number> = new Map();
  readonly #world: World;
  readonly #inner: Runtime;
  readonly #who: string;
  #made = 0;

  /** @param who Whose runtime it is, for the trace. */
  constructor(world: World, inner: Runtime, who: string) {
    this.#world = world;
    this.#inner = inner;
    this.#who = who;
  }

  connect(
    address: SocketAddress,
    tls: ClientTls | undefined,
    handler: SocketHandler,
  ): Promise<PendingSocket> {
    return this.#inner.connect(address, tls, this.#watch(handler, undefined));
  }

  listen(
    address: SocketAddress,
    tls: ServerTls | undefined,
    onAccept: OnAccept,
    onFault: (cause: unknown) => void,
  ): Promise<BoundListener> {
    return this.#inner.listen(address, tls, (pending) => {
      const handler = onAccept(pending);
      if (handler !== undefined) {
        this.accepted++;
        return this.#watch(handler, pending.remote?.hostname);
      }
      this.refused++;
      this.#world.refused(pending.remote?.port);
      return undefined;
    }, onFault);
  }

  #watch(handler: SocketHandler, peer: string | undefined): SocketHandler {
    this.open++;
    this.#count(peer, 1);
    const name = `${this.#who}#${++this.#made}`;
    return new WatchedHandler(this.#world, handler, name, this, () => {
      this.open--;
      this.#count(peer, -1);
    });
  }

  #count(peer: string | undefined, n: number): void {
    if (peer === undefined) return;
    const now = (this.byPeer.get(peer) ?? 0) + n;
    if (now > 0) this.byPeer.set(peer, now);
    else this.byPeer.delete(peer);
  }
}

class WatchedHandler implements SocketHandler {
  readonly #world: World;
  readonly #inner: SocketHandler;
  readonly #name: string;
  readonly #runtime: WatchedRuntime;
  readonly #onClosed: () => void;
  #socket: WatchedSocket | undefined;
  #ended = false;
  #closed = false;

  constructor(
    world: World,
    inner: SocketHandler,
    name: string,
    runtime: WatchedRuntime,
    onClosed: () => void,
  ) {
    this.#runtime = runtime;
    this.#world = world;
    this.#inner = inner;
    this.#name = name;
    this.#onClosed = onClosed;
  }

  get receiveBytes(): number {
    return this.#inner.receiveBytes;
  }

  onOpen(socket: Socket): void {
    this.#expect(this.#socket === undefined, "opened twice");
    this.#socket = new WatchedSocket(this.#world, socket, this.#name, this.#runtime);
    this.#world.trace.add(this.#name, "open");
    this.#inner.onOpen(this.#socket);
  }

  onBytes(bytes: Uint8Array, owned: boolean): boolean {
    this.#expect(this.#socket !== undefined && !this.#ended, "bytes out of turn");
    const more = this.#inner.onBytes(bytes, owned);
    this.#world.trace.add(this.#name, `bytes ${bytes.length}${more ? "" : ", pauses"}`);
    return more;
  }

  onWritten(n: number): void {
    this.#expect(this.#socket !== undefined, "written before open");
    this.#world.trace.add(this.#name, `written ${n}`);
    this.#inner.onWritten(n);
  }

  onDrain(): void {
    this.#inner.onDrain();
  }

  onEnd(): void {
    this.#expect(!this.#ended, "ended twice");
    this.#ended = true;
    this.#world.trace.add(this.#name, "end");
    this.#inner.onEnd();
  }

  onClose(fault: SocketFault | undefined): void {
    this.#expect(!this.#closed, "closed twice");
    this.#closed = true;
    this.#world.trace.add(this.#name, `close ${fault?.type ?? "in order"}`);
    this.#onClosed();
    this.#inner.onClose(fault);
  }

  #expect(holds: boolean, what: string): void {
    if (!holds || (this.#closed && what !== "closed twice")) {
      this.#world.fail("seam", `${this.#name}: ${holds ? "an event after close" : what}`);
    }
  }
}

class WatchedSocket implements Socket {
  readonly lends: boolean;
  readonly writev: Socket["writev"];
  readonly #world: World;
  readonly #inner: Socket;
  readonly #name: string;
  readonly #runtime: WatchedRuntime;
  #writing = false;
  #corked = 0;
  #over: string | undefined;

  constructor(world: World, inner: Socket, name: string, runtime: WatchedRuntime) {
    this.#runtime = runtime;
    this.#world = world;
    this.#inner = inner;
    this.#name = name;
    this.lends = inner.lends;
    this.writev = inner.writev && ((parts) => writeParts(this, parts));
  }

  get info(): SocketInfo {
    return this.#inner.info;
  }

  write(bytes: Uint8Array): number {
    if (this.#writing) this.#world.fail("one writer", `${this.#name}: a write inside a write`);
    if (this.#over !== undefined) {
      this.#world.fail("one writer", `${this.#name}: a write after ${this.#over}`);
    }
    this.#writing = true;
    const n = this.#inner.write(bytes);
    this.#writing = false;
    this.#runtime.sent += n;
    return n;
  }

  cork(): void {
    if (++this.#corked > 1) this.#world.fail("one writer", `${this.#name}: corked twice`);
    this.#inner.cork();
  }

  uncork(): void {
    if (--this.#corked < 0) this.#world.fail("one writer", `${this.#name}: uncorked twice`);
    this.#inner.uncork();
  }

  shutdown(): void {
    if (this.#over !== undefined) {
      this.#world.fail("one writer", `${this.#name}: shut down after ${this.#over}`);
    }
    this.#over = "shutdown";
    this.#world.trace.add(this.#name, "shutdown");
    this.#inner.shutdown();
  }

  destroy(): void {
    if (this.#over === "destroy") {
      this.#world.fail("closed once", `${this.#name}: destroyed twice`);
    }
    this.#over = "destroy";
    this.#world.trace.add(this.#name, "destroy");
    this.#inner.destroy();
  }

  pause(): void {
    this.#world.trace.add(this.#name, "pause");
    this.#inner.pause();
  }

  resume(): void {
    this.#world.trace.add(this.#name, "resume");
    this.#inner.resume();
  }
}
