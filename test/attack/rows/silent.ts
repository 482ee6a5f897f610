/**
 * Silence: over TCP the idle deadline ends it; over TLS the handshake deadline, or the bound on
 * handshakes under way.
 *
 * @module
 */

import { onlyFor, refusals, same, timely, timeouts } from "../rig/expect.ts";
import { type Row, wavesRow } from "../rig/waves_row.ts";

const IDLE_MS = { full: 5_000, small: 2_000 } as const;
const HANDSHAKE_MS = { full: 3_000, small: 1_500 } as const;

/** Over TCP. */
export const SILENT_TCP: Row = wavesRow({
  name: "silent-tcp",
  about: "TCP connections that never say anything",
  act: "silent",
  loads: {
    full: { count: 5_000, percent: 0, perSecond: 2_500, waitMs: 20_000 },
    small: { count: 60, percent: 0, perSecond: 1_000, waitMs: 5_000 },
  },
  words: ({ count }) => `${count} silent`,
  config: (scale) => ({
    max_conns: 8_192,
    per_peer: { max_conns: 1_024 },
    idle_timeout: `${IDLE_MS[scale]}ms`,
  }),
  expect: (seen) => {
    const { load, fates, scale } = seen;
    return [
      ...same("connections ended by the idle deadline", timeouts(seen, "idle"), load.count),
      ...same("connections that the server ended", fates.ended + fates.reset, load.count),
      ...onlyFor(seen, "timeout"),
      ...timely(seen, "ms they lived (most)", fates.lived.most, 0, 1.1 * IDLE_MS[scale] + 1_000),
    ];
  },
  figures: ({ fates }) => ({ "ended after ms (p50)": fates.lived.p50.toFixed(0) }),
});

/** Over TLS. */
export const SILENT_TLS: Row = wavesRow({
  name: "silent-tls",
  about: "TLS connections that say nothing, or send half a ClientHello",
  act: "silent",
  tls: true,
  loads: {
    full: { count: 5_000, percent: 50, perSecond: 1_000, waitMs: 20_000 },
    small: { count: 60, percent: 50, perSecond: 1_000, waitMs: 5_000 },
  },
  words: ({ count, percent }) => `${count} silent, ${percent} % of them in mid-ClientHello`,
  config: (scale) => ({
    backend: "tls",
    tls: { enabled: true },
    max_conns: 8_192,
    per_peer: { max_conns: 1_024 },
    handshake_timeout: `${HANDSHAKE_MS[scale]}ms`,
  }),
  expect: (seen) => {
    const { load, fates, scale } = seen;
    return [
      ...same(
        "refused for timeout or peer_limit",
        refusals(seen, "timeout") + refusals(seen, "peer_limit"),
        load.count,
      ),
      ...same("connections that the server ended", fates.ended + fates.reset, load.count),
      ...onlyFor(seen, "timeout", "peer_limit"),
      ...timely(seen, "ms they lived (p99)", fates.lived.p99, 0, 1.05 * HANDSHAKE_MS[scale] + 500),
    ];
  },
  figures: ({ fates, honest }) => ({
    "ended after ms (p99)": fates.lived.p99.toFixed(0),
    "honest dial ms (p50)": honest.dials.p50.toFixed(1),
  }),
});
