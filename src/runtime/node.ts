/**
 * Sockets by `node:net` and `node:tls`, for Deno and Node; Bun takes its TLS from here.
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
import type { PeerCertificate, TLSSocket } from "node:tls";
import { NARROW_BYTES, WIDE_BYTES } from "../receive_window.ts";
import { type HeldDuplex, heldDuplex } from "./held_duplex.ts";
import { ConnectingSocket, NodeSocket } from "./node_socket.ts";
import {
  type BoundListener,
  type ClientTls,
  type OnAccept,
  type PendingSocket,
  type Runtime,
  type ServerTls,
  type SocketAddress,
  type SocketHandler,
  TlsMaterialError,
} from "./runtime.ts";

type Net = typeof import("node:net");
type Tls = typeof import("node:tls");
type Crypto = typeof import("node:crypto");
type DuplexClass = typeof import("node:stream").Duplex;

/** See the module. */
export class NodeRuntime implements Runtime {
  readonly name: "deno" | "bun" | "node";
  readonly version: string;
  readonly #window = new Uint8Array(WIDE_BYTES);
  readonly #narrow = this.#window.subarray(0, NARROW_BYTES);
  #net: Net | undefined;
  #tls: Tls | undefined;
  #crypto: Crypto | undefined;
  #duplex: DuplexClass | undefined;

  /**
   * @param name Which runtime's `node:` modules these are.
   * @param version Its version.
   */
  constructor(name: "deno" | "bun" | "node", version: string) {
    this.name = name;
    this.version = version;
  }

  /** Loads the modules that the first call needs. */
  async load(tls: boolean): Promise<void> {
    this.#net ??= await import("node:net");
    if (!tls) return;
    this.#tls ??= await import("node:tls");
    this.#crypto ??= await import("node:crypto");
    if (this.name === "deno") this.#duplex ??= (await import("node:stream")).Duplex;
  }

  async connect(
    address: SocketAddress,
    tls: ClientTls | undefined,
    handler: SocketHandler,
  ): Promise<PendingSocket> {
    await this.load(tls !== undefined);
    return tls === undefined
      ? this.#connectTcp(address, handler)
      : this.#connectTls(address, tls, handler);
  }

  async listen(
    address: SocketAddress,
    tls: ServerTls | undefined,
    onAccept: OnAccept,
    onFault: (cause: unknown) => void,
  ): Promise<BoundListener> {
    await this.load(tls !== undefined);
    const accept = tls === undefined
      ? (raw: NetSocket): void => this.#acceptTcp(raw, onAccept)
      : this.#acceptTls(tls, onAccept);
    const server = this.#net!.createServer(
      {
        allowHalfOpen: true,
        noDelay: true,
        pauseOnConnect: tls === undefined || this.name === "deno",
      },
      accept,
    );
    await bind(server, address);
    server.on("error", onFault);
    return {
      address: addressOf(server, address),
      close: () => unbind(server),
    };
  }

  #connectTcp(address: SocketAddress, handler: SocketHandler): PendingSocket {
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
    const socket: NodeSocket = new NodeSocket(raw, handler, false);
    raw.on("connect", () => socket.open());
    return socket;
  }

  #connectTls(address: SocketAddress, tls: ClientTls, handler: SocketHandler): PendingSocket {
    const { isIP, connect: connectNet } = this.#net!;
    const { checkServerIdentity, connect } = this.#tls!;
    const options = {
      ...(isIP(tls.serverName) === 0 ? { servername: tls.serverName } : {}),
      ...(tls.ca === undefined ? {} : { ca: tls.ca as string | string[] }),
      ALPNProtocols: [...tls.alpn],
      checkServerIdentity: (_host: string, certificate: PeerCertificate): Error | undefined =>
        checkServerIdentity(tls.serverName, certificate),
      minVersion: "TLSv1.3" as const,
      maxVersion: "TLSv1.3" as const,
      allowHalfOpen: true, // handed on to the socket, though the types do not list it
    };
    const under = connectNet({
      ...("path" in address
        ? { path: address.path }
        : { host: address.hostname, port: address.port, noDelay: true }),
      allowHalfOpen: true,
    });
    const pending = new ConnectingSocket(under, handler);
    under.on("connect", () => {
      const held = this.#hold(under);
      const raw = connect({ ...options, socket: held?.duplex ?? under });
      const socket = new NodeSocket(raw, handler, true, under, held);
      pending.becomes(socket);
      raw.on("secureConnect", () => socket.open());
      socket.flow();
    });
    return pending;
  }

  #acceptTcp(raw: NetSocket, onAccept: OnAccept): void {
    const handler = onAccept(pendingOf(raw));
    if (handler === undefined) return void raw.destroy();
    const handle = (raw as unknown as { _handle?: unknown })._handle;
    const window = this.#window;
    if (handle === undefined || handle === null) {
      const socket = new NodeSocket(raw, handler, false);
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
    const socket = new NodeSocket(own, handler, false);
    socket.open();
    own.resume();
  }

  /** Deno must not pause TLS; see `held_duplex.ts`. */
  #hold(raw: NetSocket): HeldDuplex | undefined {
    return this.name === "deno" ? heldDuplex(raw, this.#duplex!) : undefined;
  }

  #acceptTls(tls: ServerTls, onAccept: OnAccept): (raw: NetSocket) => void {
    const { createSecureContext, TLSSocket } = this.#tls!;
    const { X509Certificate, createPrivateKey } = this.#crypto!;
    const secureContext = materialOf(() => {
      const cert = textOf(tls.cert);
      const key = textOf(tls.key);
      // Not every runtime looks at them before the first handshake.
      if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
        throw new Error("the key does not belong to the certificate");
      }
      return createSecureContext({ cert, key, minVersion: "TLSv1.3", maxVersion: "TLSv1.3" });
    });
    return (raw) => {
      const handler = onAccept(pendingOf(raw));
      if (handler === undefined) return void raw.destroy();
      const options = {
        isServer: true,
        secureContext,
        ALPNProtocols: [...tls.alpn],
        allowHalfOpen: true,
      };
      const held = this.#hold(raw);
      const secure: TLSSocket = new TLSSocket((held?.duplex ?? raw) as NetSocket, options);
      const socket = new NodeSocket(secure, handler, true, raw, held);
      secure.on("secure", () => socket.open());
      socket.flow();
    };
  }
}

function pendingOf(raw: NetSocket): PendingSocket {
  const { remoteAddress: hostname, remotePort: port } = raw;
  return {
    remote: hostname === undefined || port === undefined ? undefined : { hostname, port },
    destroy: () => raw.destroy(),
  };
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

function materialOf<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TlsMaterialError(text, { cause });
  }
}

/** PEM as text, which every runtime takes. */
function textOf(pem: string | Uint8Array): string {
  return typeof pem === "string" ? pem : new TextDecoder().decode(pem);
}
