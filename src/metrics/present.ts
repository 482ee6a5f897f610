/**
 * Which series there are: those of what is in use, so that one registry stays below 200 whatever strangers
 * do. A label value that cannot come about has no series.
 *
 * @module
 */

import type { TransportStats } from "../stats.ts";
import { PQ_LABELS, type PqLabel, type Traffic } from "../traffic.ts";

/** What carries bytes. Frozen. */
export const BACKENDS: readonly string[] = Object.freeze(["tcp", "tls", "arti"]);

/** The backends that listened or dialled; before any has, those that are configured. */
export function backendsInUse(all: readonly TransportStats[]): readonly string[] {
  const used = BACKENDS.filter((name) => all.some(({ counters }) => counters.traffic.has(name)));
  return used.length > 0 ? used : BACKENDS.filter((name) => all.some((s) => s.backend === name));
}

/** Of these, those that have TLS; all, where none has. */
export function tlsInUse(all: readonly TransportStats[]): readonly string[] {
  const used = backendsInUse(all);
  const secured = used.filter((backend) => backend !== "tcp");
  return secured.length > 0 ? secured : used;
}

/**
 * What was negotiated over a backend; before anything was, what is asked for.
 *
 * @param of Whether a label was counted.
 */
export function pqSeen(
  all: readonly TransportStats[],
  backend: string,
  of: (traffic: Traffic, pq: PqLabel) => boolean,
): readonly PqLabel[] {
  const seen = PQ_LABELS.filter((pq) =>
    all.some(({ counters }) => {
      const traffic = counters.traffic.get(backend);
      return traffic !== undefined && of(traffic, pq);
    })
  );
  if (seen.length > 0) return seen;
  const asked = all.find((stats) => stats.backend === backend)?.pqMode ?? "off";
  return [backend === "tcp" ? "off" : asked];
}
