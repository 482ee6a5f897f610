/**
 * A socket of the memory network.
 *
 * @module
 */

import type {
  PendingSocket,
  Socket,
  SocketAddress,
  SocketFault,
  SocketHandler,
  SocketInfo,
} from "../runtime/runtime.ts";
import { writeParts } from "../write_parts.ts";
import { MemoryDirection, type MemoryWire, type Path, type Receiving } from "./memory_wire.ts";

/** How the sockets of a runtime differ. */
export interface SocketHabits {
  /** Written memory stays lent until `onWritten`, as on Deno and Node. */
  readonly lends: boolean;
  /** Received memory is the handler's own, as on Bun. */
  readonly owns: boolean;
}

/** One end of a connection. */
export class MemorySocket implements Socket, PendingSocket, Receiving {
  readonly lends: boolean;
  readonly owns: boolean;
  readonly writev: Socket["writev"];
  readonly info: SocketInfo;
  handler: SocketHandler | undefined;
  closed = false;
  readonly #path: Path;
  readonly #onClosed: () => void;
  #out: MemoryDirection | undefined;
  #in: MemoryDirection | undefined;
  #peer: MemorySocket | undefined;
  #wire: MemoryWire | undefined;
  #opened = false;
  #paused = false;
  #shut = false;
  #ended = false;

  /**
   * @param onClosed Told when its handler has been told that it is closed.
   */
  constructor(
    handler: SocketHandler | undefined,
    path: Path,
    habits: SocketHabits,
    local: SocketAddress,
    remote: SocketAddress,
    onClosed: () => void,
  ) {
    this.handler = handler;
    this.lends = habits.lends;
    this.owns = habits.owns;
    this.writev = habits.lends ? undefined : (parts) => writeParts(this, parts);
    this.#path = path;
    this.#onClosed = onClosed;
    this.info = {
      ...("port" in remote ? { remote } : {}),
      ...("port" in local ? { local } : {}),
    };
  }

  /** Makes the wire between two sockets. */
  static join(
    path: Path,
    near: MemorySocket,
    far: MemorySocket,
    from: MemoryWire["from"],
  ): MemoryWire {
    const out = new MemoryDirection(path, near, far, near.lends);
    const back = new MemoryDirection(path, far, near, far.lends);
    const wire: MemoryWire = {
      from,
      out,
      back,
      handshakeMs: 0,
      greeted: false,
      reset() {
        const fault = (): SocketFault => ({ type: "reset", cause: new Error("connection reset") });
        near.close(fault());
        far.close(fault());
      },
    };
    near.#attach(far, out, back, wire);
    far.#attach(near, back, out, wire);
    return wire;
  }

  get remote(): { readonly hostname: string; readonly port: number } | undefined {
    return this.info.remote;
  }

  get greeted(): boolean {
    return this.#wire?.greeted ?? false;
  }

  get receives(): boolean {
    return this.#opened && !this.#paused && !this.closed;
  }

  /** It is usable. */
  open(): void {
    if (this.closed || this.#opened) return;
    this.#opened = true;
    this.handler?.onOpen(this);
    this.#in?.pump();
  }

  write(bytes: Uint8Array): number {
    if (this.closed || this.#out === undefined || this.#shut) return 0;
    return this.#out.write(bytes);
  }

  cork(): void {}

  uncork(): void {}

  shutdown(): void {
    if (this.#shut || this.closed) return;
    this.#shut = true;
    this.#out?.shutdown();
    this.#path.soon(() => this.sent());
  }

  destroy(): void {
    if (this.closed) return;
    this.close(undefined);
    const peer = this.#peer;
    if (peer === undefined || this.#out!.lost) return;
    this.#path.soon(() =>
      peer.close({ type: "reset", cause: new Error("the peer reset the connection") })
    );
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#in?.pump();
  }

  take(bytes: Uint8Array): void {
    if (this.handler?.onBytes(bytes, this.owns) === false) this.#paused = true;
  }

  ended(): void {
    this.#ended = true;
    this.handler?.onEnd();
    this.sent();
  }

  sent(): void {
    if (this.#ended && this.#shut && !this.#out!.lending) this.close(undefined);
  }

  /** The connection is over for this end; its handler is told a little later. */
  close(fault: SocketFault | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.#in?.clear();
    this.#path.soon(() => {
      this.handler?.onClose(fault);
      this.#onClosed();
    });
  }

  #attach(peer: MemorySocket, out: MemoryDirection, incoming: MemoryDirection, wire: MemoryWire) {
    this.#peer = peer;
    this.#out = out;
    this.#in = incoming;
    this.#wire = wire;
  }
}
