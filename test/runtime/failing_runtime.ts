/**
 * A runtime in which one call fails: the i-th of all that can, counted over both ends.
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
} from "../../mod.ts";

/** What can fail. */
export type Call = "listen" | "connect" | "accept" | "read" | "write";

/** See the module. */
export class FailingRuntime implements Runtime {
  readonly name: Runtime["name"];
  readonly version: string;
  /** How many calls there were. */
  calls = 0;
  /** Which one failed. */
  failed: Call | undefined;
  readonly #real: Runtime;
  readonly #at: number;

  /**
   * @param real The runtime whose calls are counted.
   * @param at The number of the call that fails, from 1 on.
   */
  constructor(real: Runtime, at: number) {
    this.name = real.name;
    this.version = real.version;
    this.#real = real;
    this.#at = at;
  }

  /** Counts a call. @returns Whether it must fail. */
  fails(call: Call): boolean {
    if (++this.calls !== this.#at) return false;
    this.failed = call;
    return true;
  }

  async connect(
    address: SocketAddress,
    tls: ClientTls | undefined,
    handler: SocketHandler,
  ): Promise<PendingSocket> {
    if (!this.fails("connect")) {
      return await this.#real.connect(address, tls, new FailingHandler(this, handler));
    }
    queueMicrotask(() => handler.onClose({ type: "system", cause: failure("connect") }));
    return { remote: undefined, destroy() {} };
  }

  async listen(
    address: SocketAddress,
    tls: ServerTls | undefined,
    onAccept: OnAccept,
    onFault: (cause: unknown) => void,
  ): Promise<BoundListener> {
    if (this.fails("listen")) throw failure("listen");
    const accept: OnAccept = (pending) => {
      if (this.fails("accept")) {
        onFault(failure("accept"));
        return undefined;
      }
      const handler = onAccept(pending);
      return handler && new FailingHandler(this, handler);
    };
    return await this.#real.listen(address, tls, accept, onFault);
  }
}

/** Stands between a real socket and a link; is the socket to the link, and the link to the socket. */
class FailingHandler implements SocketHandler, Socket {
  readonly #runtime: FailingRuntime;
  readonly #handler: SocketHandler;
  #socket: Socket | undefined;
  #closed = false;

  constructor(runtime: FailingRuntime, handler: SocketHandler) {
    this.#runtime = runtime;
    this.#handler = handler;
  }

  get receiveBytes(): number {
    return this.#handler.receiveBytes;
  }

  get info(): SocketInfo {
    return this.#socket?.info ?? {};
  }

  get lends(): boolean {
    return this.#socket?.lends ?? false;
  }

  onOpen(socket: Socket): void {
    this.#socket = socket;
    this.#handler.onOpen(this);
  }

  onBytes(bytes: Uint8Array, owned: boolean): boolean {
    if (this.#closed) return false;
    if (!this.#runtime.fails("read")) return this.#handler.onBytes(bytes, owned);
    this.#break("read");
    return false;
  }

  onWritten(n: number): void {
    if (!this.#closed) this.#handler.onWritten(n);
  }

  onDrain(): void {
    if (!this.#closed) this.#handler.onDrain();
  }

  onEnd(): void {
    if (!this.#closed) this.#handler.onEnd();
  }

  onClose(fault: SocketFault | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler.onClose(fault);
  }

  write(bytes: Uint8Array): number {
    if (this.#closed) return 0;
    if (!this.#runtime.fails("write")) return this.#socket!.write(bytes);
    this.#break("write");
    return 0;
  }

  cork(): void {
    this.#socket?.cork();
  }

  uncork(): void {
    this.#socket?.uncork();
  }

  shutdown(): void {
    if (!this.#closed) this.#socket!.shutdown();
  }

  destroy(): void {
    this.#socket?.destroy();
  }

  pause(): void {
    if (!this.#closed) this.#socket!.pause();
  }

  resume(): void {
    if (!this.#closed) this.#socket!.resume();
  }

  /** The socket breaks; never from inside a call of the link. */
  #break(call: Call): void {
    queueMicrotask(() => {
      this.#socket?.destroy();
      this.onClose({ type: "reset", cause: failure(call) });
    });
  }
}

function failure(call: Call): Error {
  return Object.assign(new Error(`the ${call} was made to fail`), { code: "EIO" });
}
