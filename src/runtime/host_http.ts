/**
 * A small HTTP server for a command-line program: probes and metrics. The library itself serves none.
 *
 * @module
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server that runs. */
export interface HttpHost {
  /** Where it listens. */
  readonly hostname: string;
  /** See `hostname`. */
  readonly port: number;
  /** Stops it, and closes its connections. */
  close(): Promise<void>;
}

/** Longest time for a request to come, and of a connection without one, in milliseconds. */
const PATIENCE_MS = 5_000;
/** Connections at a time: a few scrapers and probes. */
const MOST_CONNECTIONS = 32;

/**
 * Serves GET and HEAD; other methods are refused with 405, and no body is read.
 *
 * @param hostname Address to bind.
 * @param port Port to bind; 0 takes any.
 * @param answer Answers a path, without its query; `undefined` is 404.
 * @throws The system's error when it cannot be bound.
 */
export async function serveHttp(
  hostname: string,
  port: number,
  answer: (path: string) => Response | Promise<Response> | undefined,
): Promise<HttpHost> {
  const server = createServer(
    { requestTimeout: PATIENCE_MS, headersTimeout: PATIENCE_MS },
    (request, response) => void reply(request, response, answer),
  );
  server.keepAliveTimeout = PATIENCE_MS;
  server.maxConnections = MOST_CONNECTIONS;
  await bound(server, hostname, port);
  return {
    hostname,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function bound(server: Server, hostname: string, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(port, hostname, () => {
      server.off("error", fail);
      server.on("error", () => {}); // of accepting; those that follow are served
      done();
    });
  });
}

async function reply(
  { method, url = "/" }: IncomingMessage,
  out: ServerResponse,
  answer: (path: string) => Response | Promise<Response> | undefined,
): Promise<void> {
  let response: Response;
  try {
    const known = method === "GET" || method === "HEAD"
      ? answer(url.split("?")[0]!)
      : new Response("GET only\n", { status: 405, headers: { allow: "GET, HEAD" } });
    response = await known ?? new Response("not found\n", { status: 404 });
  } catch {
    response = new Response("failed\n", { status: 500 });
  }
  const body = new Uint8Array(await response.arrayBuffer());
  out.writeHead(response.status, {
    ...Object.fromEntries(response.headers),
    "content-length": body.length,
  });
  out.end(method === "HEAD" ? undefined : body);
}
