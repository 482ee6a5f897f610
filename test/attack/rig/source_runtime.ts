/**
 * Sockets that leave from a chosen loopback address, so that a client is a peer of its own.
 *
 * @module
 */

import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import process from "node:process";
import { NodeSocket } from "../../../src/runtime/node_socket.ts";
import { tlsInfo } from "../../../src/runtime/tls_info.ts";
import type {
  BoundListener,
  ClientTls,
  PendingSocket,
  Runtime,
  SocketAddress,
  SocketHandler,
} from "../../../src/runtime/runtime.ts";

/** Dials only. */
export class SourceRuntime implements Runtime {
  readonly name = "node";
  readonly version: string = process.version;
  readonly #source: string;

  /** @param source The address to leave from. */
  constructor(source: string) {
    this.#source = source;
  }

  connect(
    address: SocketAddress,
    tls: ClientTls | undefined,
    handler: SocketHandler,
  ): Promise<PendingSocket> {
    if ("path" in address) throw new Error("a source address is for TCP");
    const under = connect({
      host: address.hostname,
      port: address.port,
      localAddress: this.#source,
      allowHalfOpen: true,
      noDelay: true,
    });
    if (tls === undefined) {
      const socket = new NodeSocket(under, handler);
      socket.flow();
      under.on("connect", () => socket.open());
      return Promise.resolve(socket);
    }
    const secure = connectTls({
      socket: under,
      ...(tls.ca === undefined ? {} : { ca: tls.ca as string | string[] }),
      ALPNProtocols: [...tls.alpn],
      minVersion: "TLSv1.3",
      checkServerIdentity: () => undefined, // the root is this run's own certificate
    });
    const socket = new NodeSocket(
      secure,
      handler,
      () => tlsInfo(secure, { groups: [], group: undefined }),
      under,
    );
    socket.flow();
    secure.on("secureConnect", () => socket.open());
    return Promise.resolve(socket);
  }

  listen(): Promise<BoundListener> {
    return Promise.reject(new Error("only dials"));
  }
}
