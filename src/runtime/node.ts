/**
 * Sockets by `node:net`, for Deno and Node; Bun takes its TLS from here, which is in `node_tls.ts`.
 *
 * Bytes of a plain socket are received into one window that all sockets share: the read and the
 * call that hands it on are one synchronous step. Accepted sockets have no public way to say so, as
 * `createServer` ignores `onread`; their handle is given to a socket of our own, and where there is
 * no handle to give, bytes come in buffers of the runtime.
 *
 * @module
 */

import type {
  AddressInfo,
  ListenOptions,
  Server,
  Socket as NetSocket,
  SocketConstructorOpts,
} from "node:net";
import { NARROW_BYTES, WIDE_BYTES } from "../receive_window.ts";
import { acceptRemedy, descriptorOf } from "./accept_remedies.ts";
import { AcceptWatch } from "./accept_watch.ts";
import { endpoint } from "./endpoint.ts";
import { NodeSocket } from "./node_socket.ts";
import type { NodeTls } from "./node_tls.ts";
import { PeerUids } from "./peer_uid.ts";
import { ProcessHold } from "./process_hold.ts";
import type {
  BoundListener,
  ClientTls,
  OnAccept,
  PendingSocket,
  Runtime,
  ServerTls,
  SocketAddress,
  SocketHandler,
  StreamTls,
} from "./runtime.ts";
import type { TlsServer } from "./tls_server.ts";
import { bindPrivately } from "./unix_socket.ts";

type Net = typeof import("node:net");

interface AcceptWay {
  readonly secured: TlsServer | undefined;
  /** Whether the server gives sockets that do not read yet. */
  readonly paused: boolean;
  readonly accept: (raw: NetSocket) => void;
}

/** See the module. */
export class NodeRuntime implements Runtime {
  readonly name: "deno" | "bun" | "node";
  readonly version: string;
  readonly #window = new Uint8Array(WIDE_BYTES);
  readonly #narrow = this.#window.subarray(0, NARROW_BYTES);
  readonly #uids: PeerUids;
  readonly #alive = new ProcessHold();
  #net: Net | undefined;
  #tls: Promise<NodeTls> | undefined;

  /**
   * @param name Which runtime's `node:` modules these are.
   * @param version Its version.
   */
  constructor(name: "deno" | "bun" | "node", version: string) {
    this.name = name;
    this.version = version;
    this.#uids = new PeerUids(name);
  }

  peerUidLack(): Promise<string | undefined> {
    return this.#uids.load();
  }

  async streamTls(): Promise<StreamTls> {
    const { NodeStreamTls } = await import("./stream_tls.ts");
    return await NodeStreamTls.load(this.name !== "bun");
  }

  async connect(
    address: SocketAddress,
    tls: ClientTls | undefined,
    handler: SocketHandler,
  ): Promise<PendingSocket> {
    this.#net ??= await import("node:net");
    if ("path" in address) await this.#uids.load();
    if (tls === undefined) return this.#connectPlain(address, handler);
    return await (await this.#secure()).connect(address, tls, handler);
  }

  async listen(
    address: SocketAddress,
    tls: ServerTls | undefined,
    onAccept: OnAccept,
    onFault: (cause: unknown) => void,
  ): Promise<BoundListener> {
    this.#net ??= await import("node:net");
    const unix = "path" in address;
    if (unix) await this.#uids.load();
    const watch = new AcceptWatch(onFault);
    let way = await this.#acceptWay(tls, onAccept, unix);
    const server = this.#net.createServer(
      { allowHalfOpen: true, noDelay: true, pauseOnConnect: way.paused },
      (raw) => watch.admit(descriptorOf(raw)) ? way.accept(raw) : void raw.destroy(),
    );
    await (unix ? bindPrivately(address.path, () => bind(server, address)) : bind(server, address));
    server.on("error", onFault);
    watch.start(await acceptRemedy(this.name, server, address));
    const bound = (): BoundListener => {
      const { secured } = way;
      const common = {
        address: addressOf(server, address),
        close() {
          watch.close();
          return unbind(server);
        },
        renew: async (tls: ServerTls | undefined, onAccept: OnAccept) => {
          if (this.name === "bun" && tls === undefined) return undefined; // its plain sockets are others
          const next = await this.#acceptWay(tls, onAccept, unix);
          return () => {
            way = next;
            // Read by the server at each accept, and missing in the types.
            (server as unknown as { pauseOnConnect: boolean }).pauseOnConnect = next.paused;
            return bound();
          };
        },
      };
      if (secured === undefined) return common;
      return {
        ...common,
        get certificates() {
          return secured.certificates;
        },
        rotate: (tls) => secured.rotate(tls),
      };
    };
    return bound();
  }

  /** Loaded when the first listener or dial asks for TLS. */
  #secure(): Promise<NodeTls> {
    return this.#tls ??= import("./node_tls.ts")
      .then(({ NodeTls }) => NodeTls.load(this.name, this.#uids, this.#alive));
  }

  /** How accepted sockets are taken. */
  async #acceptWay(
    tls: ServerTls | undefined,
    onAccept: OnAccept,
    unix: boolean,
  ): Promise<AcceptWay> {
    if (tls === undefined) {
      return {
        secured: undefined,
        paused: true,
        accept: (raw) => this.#acceptPlain(raw, this.#pending(raw, unix), onAccept),
      };
    }
    const way = await this.#secure();
    const secured = await way.server(tls, unix);
    return {
      secured,
      paused: this.name === "deno",
      accept: (raw) => {
        this.#alive.add(raw);
        way.accept(raw, this.#pending(raw, unix), secured, onAccept);
      },
    };
  }

  #connectPlain(address: SocketAddress, handler: SocketHandler): PendingSocket {
    const window = this.#window;
    const raw: NetSocket = this.#net!.connect({
      ...("path" in address
        ? { path: address.path }
        : { host: address.hostname, port: address.port, noDelay: true }),
      allowHalfOpen: true,
      onread: {
        buffer: () => handler.receiveBytes < WIDE_BYTES ? this.#narrow : window,
        callback: (n): boolean => socket.window(window.subarray(0, n)),
      },
    });
    this.#alive.add(raw);
    const socket: NodeSocket = new NodeSocket(raw, handler);
    raw.once("connect", () => {
      if ("path" in address) socket.uid = this.#uids.of(descriptorOf(raw));
      socket.open();
    });
    return socket;
  }

  #acceptPlain(raw: NetSocket, pending: PendingSocket, onAccept: OnAccept): void {
    const handler = onAccept(pending);
    if (handler === undefined) return void raw.destroy();
    const handle = (raw as unknown as { _handle?: unknown })._handle;
    const window = this.#window;
    if (handle === undefined || handle === null) {
      this.#alive.add(raw);
      const socket = new NodeSocket(raw, handler);
      socket.accepted(pending);
      socket.flow();
      socket.open();
      return;
    }
    const options = {
      handle,
      allowHalfOpen: true,
      onread: {
        buffer: () => handler.receiveBytes < WIDE_BYTES ? this.#narrow : window,
        callback: (n: number): boolean => socket.window(window.subarray(0, n)),
      },
    };
    const own = new this.#net!.Socket(options as unknown as SocketConstructorOpts);
    // The accepted socket must be over: Deno would keep it, and with it all that hangs on the handle.
    (raw as unknown as { _handle: unknown })._handle = null;
    raw.destroy();
    this.#alive.add(own);
    const socket = new NodeSocket(own, handler);
    socket.accepted(pending);
    socket.open();
    own.resume();
  }

  #pending(raw: NetSocket, unix: boolean): PendingSocket {
    return {
      remote: endpoint(raw.remoteAddress, raw.remotePort),
      uid: unix ? this.#uids.of(descriptorOf(raw)) : undefined,
      destroy: () => raw.destroy(),
    };
  }
}

function bind(server: Server, address: SocketAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const options: ListenOptions = "path" in address
      ? { path: address.path }
      : { host: address.hostname, port: address.port };
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** The address is free as soon as the handle is closed; accepted sockets live on. */
function unbind(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close();
    setTimeout(resolve, 0);
  });
}

function addressOf(server: Server, address: SocketAddress): SocketAddress {
  if ("path" in address) return address;
  const bound = server.address() as AddressInfo;
  return { hostname: bound.address, port: bound.port };
}
