/**
 * Sockets with TLS by `node:tls`, over those of `node:net`. Nothing of it is loaded before TLS is asked for.
 *
 * @module
 */

import type { Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { descriptorOf } from "./accept_remedies.ts";
import { denoLay, type Tap } from "./deno_lay.ts";
import { Windows } from "./deno_windows.ts";
import { type Below, ConnectingSocket, NodeSocket } from "./node_socket.ts";
import { bunEnd, nodeEnd, Turns } from "./orderly_end.ts";
import type { PeerUids } from "./peer_uid.ts";
import type { ProcessHold } from "./process_hold.ts";
import type {
  ClientTls,
  OnAccept,
  PendingSocket,
  ServerTls,
  SocketAddress,
  SocketHandler,
  TlsInfo,
} from "./runtime.ts";
import { type HasRoom, sendRoom } from "./send_room.ts";
import { ServerHelloReader } from "./server_hello.ts";
import { type Resumes, TlsClient } from "./tls_client.ts";
import { tlsInfo } from "./tls_info.ts";
import { loadTlsModules, type TlsModules } from "./tls_modules.ts";
import { sessionKey, TlsSessions } from "./tls_sessions.ts";
import { TlsServer } from "./tls_server.ts";

type RuntimeName = "deno" | "bun" | "node";

/** See the module. */
export class NodeTls {
  readonly #modules: TlsModules;
  readonly #runtime: RuntimeName;
  readonly #turns = new Turns();
  readonly #windows: Windows | undefined;
  readonly #uids: PeerUids;
  readonly #alive: ProcessHold;
  #hasRoom: HasRoom | undefined;
  readonly #sessions = new TlsSessions();

  private constructor(
    modules: TlsModules,
    runtime: RuntimeName,
    uids: PeerUids,
    alive: ProcessHold,
  ) {
    this.#modules = modules;
    this.#runtime = runtime;
    this.#windows = runtime === "deno" ? new Windows() : undefined;
    this.#uids = uids;
    this.#alive = alive;
  }

  /**
   * Loads what it needs.
   *
   * @param runtime Whose `node:tls` it is.
   * @param uids Tells who is at the other end of a Unix socket.
   * @param alive Told of each socket that is dialled, and on Bun of each TLS socket.
   */
  static async load(
    runtime: RuntimeName,
    uids: PeerUids,
    alive: ProcessHold,
  ): Promise<NodeTls> {
    return new NodeTls(await loadTlsModules(), runtime, uids, alive);
  }

  /** What a listener's sockets are wrapped with. */
  async server(material: ServerTls, unix: boolean): Promise<TlsServer> {
    if (unix) await this.#loadRoom();
    return await TlsServer.create(this.#modules, material);
  }

  /** Connects, and wraps the socket once it has. */
  async connect(
    address: SocketAddress,
    material: ClientTls,
    handler: SocketHandler,
  ): Promise<PendingSocket> {
    if ("path" in address) await this.#loadRoom();
    const tls = new TlsClient(this.#modules, material, this.#resumes(address, material));
    const under = this.#modules.net.connect({
      ...("path" in address
        ? { path: address.path }
        // No delay: a server that asks for another key share would wait for a delayed ACK, 40 ms.
        : { host: address.hostname, port: address.port, noDelay: true }),
      allowHalfOpen: true,
    });
    this.#alive.add(under);
    const pending = new ConnectingSocket(under, handler);
    under.on("connect", () => {
      const hello = new ServerHelloReader();
      const { raw, below } = this.#lay(under, "path" in address, tls, {
        received: (bytes) => hello.feed(bytes),
      });
      const { groups, serverName } = tls;
      const info = (): TlsInfo =>
        tlsInfo(raw, { groups, serverName, group: hello.group, peer: tls.peerOf(raw) });
      const socket: NodeSocket = new NodeSocket(raw, handler, info, under, below);
      if ("path" in address) socket.uid = this.#uids.of(descriptorOf(under));
      pending.becomes(socket);
      raw.on("secureConnect", () => {
        const refusal = tls.refusal(raw);
        if (refusal === undefined) socket.open();
        else socket.refuse(refusal);
      });
      socket.flow();
    });
    return pending;
  }

  /** Takes an accepted socket, if it is wanted, and wraps it. */
  accept(
    raw: NetSocket,
    pending: PendingSocket,
    tls: TlsServer,
    onAccept: OnAccept,
  ): void {
    const handler = onAccept(pending);
    if (handler === undefined) return void raw.destroy();
    const hello = new ServerHelloReader();
    const { raw: secure, below } = this.#lay(raw, pending.remote === undefined, tls, {
      sent: (bytes) => hello.feed(bytes),
    });
    const { groups } = tls;
    const info = (): TlsInfo => tlsInfo(secure, { groups, group: hello.group });
    const socket: NodeSocket = new NodeSocket(secure, handler, info, raw, below);
    socket.accepted(pending);
    secure.on("secure", () => {
      const refusal = tls.refusal(secure);
      if (refusal === undefined) socket.open();
      else socket.refuse(refusal);
    });
    socket.flow();
  }

  async #loadRoom(): Promise<void> {
    if (this.#runtime === "bun") this.#hasRoom ??= await sendRoom();
  }

  /** Deno takes a session and does not offer it (2.9.5). */
  #resumes(address: SocketAddress, material: ClientTls): Resumes | undefined {
    if (this.#runtime === "deno" || material.keepsNothing) return undefined;
    const key = sessionKey(this.#modules.crypto, address, material);
    return { sessions: this.#sessions, key };
  }

  /** Puts TLS on a socket so that an orderly end of it can be told from a cut. */
  #lay(
    under: NetSocket,
    unix: boolean,
    tls: { wrap(socket: Duplex): TLSSocket },
    tap: Tap,
  ): { readonly raw: TLSSocket; readonly below: Below } {
    const raw = tls.wrap(under);
    const { getSystemErrorName } = this.#modules.util;
    if (this.#windows !== undefined) {
      return { raw, below: denoLay(raw, under, tap, this.#windows, getSystemErrorName) };
    }
    // Bun reports the socket below closed while TLS above it still has bytes to give, and would end.
    if (this.#runtime === "bun") this.#alive.add(raw);
    const below = this.#runtime === "bun"
      ? bunEnd(raw, under, this.#turns, unix ? this.#hasRoom : undefined)
      : nodeEnd(raw, under, getSystemErrorName);
    return { raw, below };
  }
}
