/**
 * Readiness as an HTTP answer, for a host to mount. This library serves no HTTP of its own.
 *
 * @module
 */

import { type Readiness, reasonOf } from "./readiness.ts";

/**
 * Answers a readiness probe: 200 when `Ready`, else 503 with the reason as JSON, and `Retry-After` while
 * Tor bootstraps. Source: observability §3. A liveness probe is answered with 200 always, by the host.
 *
 * @param readiness {@linkcode Transport.readiness}.
 * @returns A new response.
 *
 * @example
 * ```ts
 * import { readinessResponse, Transport } from "@ron/transport";
 * import assert from "node:assert/strict";
 *
 * await using transport = new Transport();
 * const handler = () => readinessResponse(transport.readiness); // for Deno.serve or Bun.serve
 * const response = handler();
 * assert.equal(response.status, 503);
 * assert.deepEqual(await response.json(), { ready: false, reason: "starting" });
 * ```
 */
export function readinessResponse(readiness: Readiness): Response {
  const headers = new Headers({
    "content-type": "application/json",
    "cache-control": "no-store",
  });
  const reason = reasonOf(readiness);
  if (reason === undefined) {
    return new Response(JSON.stringify({ ready: true }), { status: 200, headers });
  }
  if (reason === "arti_bootstrap") headers.set("retry-after", "5");
  const body = readiness.state === "Degraded"
    ? { degraded: true, reason }
    : { ready: false, reason };
  return new Response(JSON.stringify(body), { status: 503, headers });
}
