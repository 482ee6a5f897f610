/**
 * Plain sockets by `Bun.listen`; TLS by Bun's `node:tls`.
 *
 * Bun hands over a fresh buffer a read, and has copied written bytes when `write` returns. Its sockets have
 * no `writev`; that of `node:fs`, with their descriptor, is one (1.4.5), and a tenth cheaper than putting a
 * header and its body together first.
 *
 * `Bun.connect` cannot be called off: a dial that timed out would keep its descriptor until the
 * kernel gives up, for minutes. So `node:net` connects, which can, and once it has, its socket is
 * taken from it: below it is one of Bun's own. That costs a dial 0.03 ms and 2 KiB more (1.4.5).
 *
 * @module
 */

import type { Socket as NetSocket } from "node:net";
import process from "node:process";
import { acceptRemedy } from "./accept_remedies.ts";
import { AcceptWatch } from "./accept_watch.ts";
import { endpoint } from "./endpoint.ts";
import type { NodeRuntime } from "./node.ts";
import { PeerUids } from "./peer_uid.ts";
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
  StreamTls,
} from "./runtime.ts";
import { bindPrivately } from "./unix_socket.ts";
import { writeParts } from "../write_parts.ts";
import { type TurnWriter, WriteTurns } from "./write_turns.ts";

/** The part of a Bun socket that is used. */
interface RawSocket {
  data: BunSocket | undefined;
  readonly fd: number;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  write(bytes: Uint8Array, offset: number, length: number): number;
  shutdown(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  reload(options: { socket: RawHandler }): void;
}

interface RawHandler {
  open(raw: RawSocket): void;
  data(raw: RawSocket, bytes: Uint8Array): void;
  drain(raw: RawSocket): void;
  end(raw: RawSocket): void;
  error(raw: RawSocket, cause: unknown): void;
  close(raw: RawSocket, cause?: unknown): void;
}

interface RawOptions {
  hostname?: string;
  port?: number;
  unix?: string;
  allowHalfOpen: boolean;
  socket: RawHandler;
}

interface RawListener {
  readonly hostname?: string;
  readonly port?: number;
  stop(): void;
}

interface BunGlobal {
  listen(options: RawOptions): RawListener;
}

/** See the module. */
export class BunRuntime implements Runtime {
  readonly name = "bun";
  readonly version: string;
  readonly #bun: BunGlobal;
  readonly #uids = new PeerUids("bun");
  readonly #turns = new WriteTurns();
  #files: Shared["files"] | undefined;
  #net: typeof import("node:net") | undefined;
  #node: Promise<NodeRuntime> | undefined;

  /** @param version Bun's version. */
  constructor(version: string) {
    this.version = version;
    this.#bun = (globalThis as unknown as { Bun: BunGlobal }).Bun;
  }

  peerUidLack(): Promise<string | undefined> {
    return this.#uids.load();
  }

  async streamTls(): Promise<StreamTls> {
    return await (await this.#secure()).streamTls();
  }

  async connect(
    address: SocketAddress,
    tls: ClientTls | undefined,
    handler: SocketHandler,
  ): Promise<PendingSocket> {
    if (tls !== undefined) return await (await this.#secure()).connect(address, tls, handler);
    this.#net ??= await import("node:net");
    const shared = await this.#share();
    const connecting = this.#net.connect({
      ...("path" in address
        ? { path: address.path }
        : { host: address.hostname, port: address.port, noDelay: true }),
      allowHalfOpen: true,
    });
    const unix = "path" in address;
    if (unix) await this.#uids.load();
    const socket = new BunSocket(handler, shared, connecting);
    connecting.once("connect", () => {
      const raw = (connecting as unknown as { _handle: RawSocket })._handle;
      raw.reload({ socket: EVENTS });
      socket.open(raw, unix ? this.#uids.of(raw.fd) : undefined);
    });
    return socket;
  }

  async listen(
    address: SocketAddress,
    tls: ServerTls | undefined,
    onAccept: OnAccept,
    onFault: (cause: unknown) => void,
  ): Promise<BoundListener> {
    if (tls !== undefined) {
      return await (await this.#secure()).listen(address, tls, onAccept, onFault);
    }
    const unix = "path" in address;
    if (unix) await this.#uids.load();
    const [uids, shared] = [this.#uids, await this.#share()];
    const watch = new AcceptWatch(onFault);
    let taker = onAccept;
    const events: RawHandler = {
      ...EVENTS,
      open(raw) {
        if (!watch.admit(raw.fd)) return raw.terminate();
        const uid = unix ? uids.of(raw.fd) : undefined;
        const handler = taker({
          remote: unix ? undefined : endpoint(raw.remoteAddress, raw.remotePort),
          uid,
          destroy: () => raw.terminate(),
        });
        if (handler === undefined) raw.terminate();
        else new BunSocket(handler, shared).open(raw, uid);
      },
    };
    // deno-lint-ignore require-await -- it must have bound when it returns
    const bind = async (): Promise<RawListener> =>
      this.#bun.listen({ ...target(address), allowHalfOpen: true, socket: events });
    const server = await (unix ? bindPrivately(address.path, bind) : bind());
    watch.start(await acceptRemedy("bun", undefined, address));
    const bound: BoundListener = {
      address: unix
        ? address
        : { hostname: server.hostname ?? address.hostname, port: server.port ?? address.port },
      close() {
        watch.close();
        server.stop();
        return Promise.resolve();
      },
      // TLS is not of these sockets: it would have to bind the address anew.
      renew: (tls, onAccept) => {
        const renewed = (): BoundListener => {
          taker = onAccept;
          return bound;
        };
        return Promise.resolve(tls === undefined ? renewed : undefined);
      },
    };
    return bound;
  }

  async #share(): Promise<Shared> {
    this.#files ??= await import("node:fs");
    return { turns: this.#turns, files: this.#files };
  }

  /** Loaded when the first listener or dial asks for TLS. */
  #secure(): Promise<NodeRuntime> {
    return this.#node ??= import("./node.ts")
      .then(({ NodeRuntime }) => new NodeRuntime("bun", this.version));
  }
}

/** What all sockets have in common. */
interface Shared {
  readonly turns: WriteTurns;
  readonly files: typeof import("node:fs");
}

class BunSocket implements Socket, PendingSocket, TurnWriter {
  readonly lends = false;
  readonly handler: SocketHandler;
  fault: SocketFault | undefined;
  readonly #turns: WriteTurns;
  readonly #files: Shared["files"];
  #waits = false;
  #raw: RawSocket | undefined;
  #connecting: NetSocket | undefined;
  #info: SocketInfo = {};
  #closed = false;
  #shut = false;
  #ended = false;

  /**
   * @param handler Whom to tell.
   * @param shared Of all sockets.
   * @param connecting What still connects; it is given up with this.
   */
  constructor(handler: SocketHandler, { turns, files }: Shared, connecting?: NetSocket) {
    this.handler = handler;
    this.#turns = turns;
    this.#files = files;
    this.#connecting = connecting;
    // These stay as long as the connection, so they are made where they hold nothing but this.
    connecting?.on("error", (cause) => this.fault ??= faultOf(cause));
    connecting?.on("close", () => this.closed(undefined));
  }

  get info(): SocketInfo {
    return this.#info;
  }

  get remote(): { readonly hostname: string; readonly port: number } | undefined {
    return this.#info.remote;
  }

  /** It is usable; `uid` is the user at the other end, where that is known. */
  open(raw: RawSocket, uid: number | null | undefined): void {
    this.#connecting = undefined;
    raw.data = this;
    this.#raw = raw;
    const remote = endpoint(raw.remoteAddress, raw.remotePort);
    const local = endpoint(raw.localAddress, raw.localPort);
    this.#info = {
      ...(typeof uid === "number" ? { uid } : {}),
      ...(remote === undefined ? {} : { remote }),
      ...(local === undefined ? {} : { local }),
    };
    this.handler.onOpen(this);
  }

  write(bytes: Uint8Array): number {
    if (this.#raw === undefined) return 0;
    const room = this.#turns.room(bytes.length);
    const n = room === 0 ? 0 : Math.max(0, this.#raw.write(bytes, 0, room));
    this.#turns.spend(n);
    // Otherwise all was taken, or the kernel has no room and will tell.
    if (n === room && room < bytes.length && !this.#waits) {
      this.#waits = true;
      this.#turns.wait(this);
    }
    return n;
  }

  writev(parts: readonly Uint8Array[]): number {
    // The rest by a write of Bun's own: only one that falls short makes Bun tell when there is room again.
    return writeParts(this, parts, this.#together(parts));
  }

  /** Writes those that its turn has room for by one call. What of the rest, Bun's own write will tell. */
  #together(parts: readonly Uint8Array[]): number {
    const fd = this.#raw?.fd ?? -1;
    const room = this.#turns.room(Infinity);
    let bytes = 0;
    let count = 0;
    while (count < parts.length && bytes + parts[count]!.length <= room) {
      bytes += parts[count++]!.length;
    }
    if (fd < 0 || count < 2 || process.platform === "win32") return 0;
    try {
      const n = this.#files.writevSync(fd, count < parts.length ? parts.slice(0, count) : parts);
      this.#turns.spend(n);
      return n;
    } catch (cause) {
      // The system tells once that a connection is broken, and has told it here. Of all else Bun's write tells.
      const fault = faultOf(cause);
      if (fault.type === "reset") this.fault ??= fault;
      return 0;
    }
  }

  onTurn(): void {
    this.#waits = false;
    if (!this.#closed) this.handler.onDrain();
  }

  cork(): void {}

  uncork(): void {}

  shutdown(): void {
    this.#shut = true;
    this.#raw?.shutdown();
  }

  ended(): void {
    this.#ended = true;
    this.handler.onEnd();
  }

  destroy(): void {
    if (this.#connecting !== undefined) this.#connecting.destroy();
    else this.#raw?.terminate();
  }

  pause(): void {
    this.#raw?.pause();
  }

  resume(): void {
    this.#raw?.resume();
  }

  closed(fault: SocketFault | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#raw = undefined;
    // After our own shutdown Bun reports the peer's end by the close alone.
    if (this.#shut && !this.#ended && this.fault === undefined && fault === undefined) this.ended();
    this.handler.onClose(this.fault ?? fault);
  }
}

/** Events of any open socket; `data` of a socket is the {@linkcode BunSocket} that owns it. */
const EVENTS: RawHandler = {
  open() {},
  data(raw, bytes) {
    if (raw.data?.handler.onBytes(bytes, true) === false) raw.pause();
  },
  drain(raw) {
    raw.data?.handler.onDrain();
  },
  end(raw) {
    raw.data?.ended();
  },
  error(raw, cause) {
    if (raw.data !== undefined) raw.data.fault ??= faultOf(cause);
  },
  close(raw, cause) {
    raw.data?.closed(cause === undefined || cause === null ? undefined : faultOf(cause));
    raw.data = undefined;
  },
};

function target(address: SocketAddress): Pick<RawOptions, "hostname" | "port" | "unix"> {
  return "path" in address
    ? { unix: address.path }
    : { hostname: address.hostname, port: address.port };
}

function faultOf(cause: unknown): SocketFault {
  const code = (cause as { code?: unknown } | null)?.code;
  if (code === "ECONNREFUSED" || code === "ENOENT") return { type: "refused", cause };
  if (code === "ECONNRESET" || code === "EPIPE" || code === "ETIMEDOUT") {
    return { type: "reset", cause };
  }
  return { type: "system", cause };
}
