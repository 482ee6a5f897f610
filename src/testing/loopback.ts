/**
 * Two connections that face each other, on real sockets.
 *
 * @module
 */

import type { TransportConfig } from "../config/config.ts";
import type { Connection } from "../connection.ts";
import { deferred } from "../deferred.ts";
import type { Listener } from "../listener.ts";
import { Transport } from "../transport.ts";
import { throwAwayCertificate } from "./certificate.ts";

/** Options of {@linkcode loopback}. */
export interface LoopbackOptions {
  /** TLS 1.3 with a throw-away certificate. @default {false} */
  tls?: boolean;
  /** Configuration of the end that listens. */
  server?: TransportConfig;
  /** Configuration of the end that dials. */
  client?: TransportConfig;
}

/** What {@linkcode loopback} made; disposing it aborts both connections and frees the address. */
export interface Loopback extends AsyncDisposable {
  /** The end that dialled. */
  readonly near: Connection;
  /** The end that accepted. */
  readonly far: Connection;
  /** The transport of `near`. */
  readonly client: Transport;
  /** The transport of `far`. */
  readonly server: Transport;
  /** Where `server` listens; more connections go to nobody, and are closed. */
  readonly listener: Listener;
}

/**
 * Listens on 127.0.0.1 and dials it, on the sockets of the runtime.
 *
 * @param options TLS, and both configurations.
 * @returns Both ends, open.
 * @throws {TransportError} As {@linkcode Transport.listen} and {@linkcode Transport.dial}.
 *
 * @example
 * ```ts
 * import { loopback } from "@ron/transport/testing";
 * import assert from "node:assert/strict";
 *
 * await using pair = await loopback();
 * await pair.near.write(new TextEncoder().encode("hello"));
 * const into = new Uint8Array(5);
 * assert.ok(await pair.far.read(into));
 * ```
 */
export async function loopback(options: LoopbackOptions = {}): Promise<Loopback> {
  const material = options.tls ? await throwAwayCertificate({ names: ["127.0.0.1"] }) : undefined;
  const server = new Transport(options.server);
  const client = new Transport(options.client);
  const accepted = deferred<Connection>();
  try {
    const listener = await server.listen({
      address: `${material === undefined ? "tcp" : "tls"}://127.0.0.1:0`,
      ...(material === undefined ? {} : { tls: () => material }),
      onConnection: async (connection) => {
        accepted.resolve(connection);
        if (await accepted.promise === connection) await connection.closed;
      },
    });
    const dial = material === undefined ? {} : { tls: { ca: material.cert } };
    const near = await client.dial(listener.address, dial);
    const far = await accepted.promise;
    return {
      near,
      far,
      client,
      server,
      listener,
      async [Symbol.asyncDispose](): Promise<void> {
        await client.close();
        await server.close();
      },
    };
  } catch (error) {
    await client.close();
    await server.close();
    throw error;
  }
}
