/**
 * TLS by `node:tls` over streams that are no sockets of the runtime.
 *
 * @module
 */

import type { Socket as NetSocket } from "node:net";
import type { TLSSocket } from "node:tls";
import { NodeSocket } from "./node_socket.ts";
import type {
  ByteStream,
  CertificateFacts,
  ClientTls,
  PendingSocket,
  ServerTls,
  SocketHandler,
  StreamTls,
  TlsInfo,
  TlsLayer,
  TlsServerLayer,
} from "./runtime.ts";
import { ServerHelloReader } from "./server_hello.ts";
import { streamDuplex, type Tap } from "./stream_duplex.ts";
import { TlsClient } from "./tls_client.ts";
import { tlsInfo } from "./tls_info.ts";
import { loadTlsModules, type TlsModules } from "./tls_modules.ts";
import { TlsServer } from "./tls_server.ts";

/** See the module. */
export class NodeStreamTls implements StreamTls {
  readonly #modules: TlsModules;

  readonly #halfCloses: boolean;

  private constructor(modules: TlsModules, halfCloses: boolean) {
    this.#modules = modules;
    this.#halfCloses = halfCloses;
  }

  /**
   * Loads what it needs.
   *
   * @param halfCloses Whether the runtime's TLS over a stream can end one side alone. Bun's cannot (1.4.5):
   * it answers a close_notify with its own, and what it had to send is lost.
   */
  static async load(halfCloses: boolean): Promise<NodeStreamTls> {
    return new NodeStreamTls(await loadTlsModules(), halfCloses);
  }

  client(tls: ClientTls): TlsLayer {
    const client = new TlsClient(this.#modules, tls);
    const { groups, serverName } = client;
    return {
      lay: (stream, handler) => {
        const hello = new ServerHelloReader();
        const facts = (raw: TLSSocket): TlsInfo =>
          tlsInfo(raw, { groups, serverName, group: hello.group });
        const tap = { received: (bytes: Uint8Array): void => hello.feed(bytes) };
        return this.#lay(stream, handler, client, "secureConnect", tap, facts);
      },
    };
  }

  async server(tls: ServerTls): Promise<TlsServerLayer> {
    const server = await TlsServer.create(this.#modules, tls);
    const { groups } = server;
    return {
      get certificates(): readonly CertificateFacts[] {
        return server.certificates;
      },
      rotate: (tls) => server.rotate(tls),
      lay: (stream, handler) => {
        const hello = new ServerHelloReader();
        const facts = (raw: TLSSocket): TlsInfo => tlsInfo(raw, { groups, group: hello.group });
        const tap = { sent: (bytes: Uint8Array): void => hello.feed(bytes) };
        return this.#lay(stream, handler, server, "secure", tap, facts);
      },
    };
  }

  #lay(
    stream: ByteStream,
    handler: SocketHandler,
    end: Pick<TlsClient, "wrap" | "refusal">,
    done: "secure" | "secureConnect",
    tap: Omit<Tap, "ended">,
    facts: (raw: TLSSocket) => TlsInfo,
  ): PendingSocket {
    const held = streamDuplex(stream, this.#modules.Duplex, {
      ...tap,
      ended: (duplex, pass) => socket.rawEnded(duplex, pass),
    });
    const raw = end.wrap(held.duplex);
    const under = held.duplex as unknown as NetSocket; // it has what is used of one, but for an address
    const socket: NodeSocket = new NodeSocket(
      raw,
      handler,
      () => facts(raw),
      under,
      held,
      this.#halfCloses,
    );
    raw.on("close", () => held.duplex.destroy());
    raw.on(done, () => {
      const refusal = end.refusal(raw);
      if (refusal === undefined) socket.open();
      else socket.refuse(refusal);
    });
    socket.flow();
    return socket;
  }
}
