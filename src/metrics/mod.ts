/**
 * Metrics of transports, for Prometheus and OpenMetrics.
 *
 * @example See {@linkcode createMetrics}
 * ```ts
 * import { createMetrics } from "@ron/transport/metrics";
 *
 * const metrics = createMetrics();
 * console.log((await metrics.text()).split("\n").length);
 * ```
 *
 * @module
 */

export type { Window } from "./family.ts";
export {
  createMetrics,
  Metrics,
  type MetricsOptions,
  type MetricsRegistry,
  type Watched,
} from "./metrics.ts";
export {
  remoteWrite,
  type RemoteWriteCounters,
  type RemoteWriteOptions,
  RemoteWriter,
} from "./remote_write.ts";
