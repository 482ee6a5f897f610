/**
 * `serve --metrics ADDR`: `/metrics` for Prometheus, `/ready` and `/live` for probes.
 *
 * @module
 */

import { formatAddress, parseAddress } from "../address.ts";
import { TransportError } from "../errors.ts";
import { readinessResponse } from "../readiness_response.ts";
import { systemCode } from "../runtime/host_files.ts";
import { type HttpHost, serveHttp } from "../runtime/host_http.ts";
import type { Transport } from "../transport.ts";
import { usageError } from "./args.ts";

/** What `--metrics` says: where to bind. */
export interface MetricsPlace {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Reads the value of `--metrics`.
 *
 * @throws {TransportError} `misuse` for one that is not HOST:PORT.
 */
export function metricsPlace(text: string): MetricsPlace {
  const { transport, hostname, port } = address(text) ?? {};
  if (transport === undefined && hostname !== undefined && port !== undefined) {
    return { hostname, port };
  }
  throw usageError(`--metrics must be HOST:PORT such as 127.0.0.1:9464, got "${text}"`, "serve");
}

/**
 * Serves what a transport counts and whether it is ready.
 *
 * @throws {TransportError} `bind_failed`.
 */
export async function serveMetrics(place: MetricsPlace, transport: Transport): Promise<HttpHost> {
  const { createMetrics } = await import("../metrics/metrics.ts");
  const metrics = createMetrics().watch(transport);
  try {
    return await serveHttp(place.hostname, place.port, (path) => {
      if (path === "/metrics") return metrics.response();
      if (path === "/ready") return readinessResponse(transport.readiness);
      if (path === "/live") return new Response("live\n");
      return undefined;
    });
  } catch (cause) {
    const why = systemCode(cause) === "EADDRINUSE" ? "it is in use" : (cause as Error).message;
    throw new TransportError(
      "bind_failed",
      `cannot serve metrics on ${formatAddress(place)}: ${why}; name another --metrics HOST:PORT`,
      { op: "listen", cause },
    );
  }
}

function address(text: string): ReturnType<typeof parseAddress> | undefined {
  try {
    return parseAddress(text);
  } catch {
    return undefined;
  }
}
