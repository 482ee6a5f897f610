/**
 * What a seed decides before anything happens: limits, network, and the faults of each connection.
 *
 * @module
 */

import type { TransportConfig } from "../../config/config.ts";
import type { MemoryWire } from "../memory_wire.ts";
import type { Draw } from "./draw.ts";

/** The network of a run. */
export interface NetworkPlan {
  readonly latencyMs: readonly [number, number];
  readonly maxReceive: number;
  /** Largest body that honest clients send, so that small receives do not make a run long. */
  readonly largest: number;
}

/** Draws the network. */
export function planNetwork(draw: Draw, heavy: boolean): NetworkPlan {
  const maxReceive = heavy ? 65_536 : draw.pick([90, 700, 4_096, 65_536, 65_536, 262_144]);
  const latencyMs = draw.pick([[0, 1], [0, 0.2], [1, 8], [1, 30]] as const);
  return {
    maxReceive,
    latencyMs: maxReceive < 4_096 ? [0, 1] : latencyMs,
    largest: Math.min(draw.pick([20_000, 150_000, 150_000, 500_000]), maxReceive * 12),
  };
}

/** Draws the limits of the server. */
export function planServer(draw: Draw, heavy: boolean, crowded: boolean): TransportConfig {
  const rate = (p: number): number =>
    draw.chance(p) ? Math.floor(draw.pick([20_000, 65_536, 300_000]) * draw.between(1, 3)) : 0;
  const paced = !heavy && draw.chance(0.4);
  return {
    max_conns: crowded || heavy ? 100 : draw.pick([4, 8, 20, 100]),
    read_timeout: `${draw.int(800, 2_500)}ms`, // a client that paces itself is silent for half a second
    write_timeout: `${draw.int(400, 2_000)}ms`,
    idle_timeout: `${draw.int(3_000, 9_000)}ms`,
    handshake_timeout: `${draw.int(crowded ? 500 : 100, 1_000)}ms`,
    limits: { max_frame_bytes: heavy ? "1MiB" : draw.pick(["64KiB", "256KiB", "1MiB"]) },
    per_peer: { max_conns: draw.pick([0, 1, 3, 256]) },
    rates: {
      per_conn_bytes_per_sec: paced ? rate(0.4) : 0,
      per_peer_bytes_per_sec: paced ? rate(0.4) : 0,
      global_egress_bytes_per_sec: paced ? rate(0.4) : 0,
      global_ingress_bytes_per_sec: paced ? rate(0.4) : 0,
      accepts_per_sec: !crowded && draw.chance(0.25) ? draw.int(4, 60) : 0,
      per_peer_accepts_per_sec: draw.chance(0.25) ? draw.int(2, 20) : 0,
    },
  };
}

/** Draws the limits of an honest client: patient, as its server may be slow for good reasons. */
export function planClient(draw: Draw): TransportConfig {
  return {
    bind_addr: null,
    dial_timeout: "20s",
    read_timeout: "60s",
    write_timeout: "60s",
    idle_timeout: "60s",
    rates: { per_conn_bytes_per_sec: draw.chance(0.15) ? draw.int(65_536, 1_000_000) : 0 },
  };
}

/** Makes a connection go wrong some time after it was made. Returns what will happen, for the trace. */
export function planFault(
  draw: Draw,
  wire: MemoryWire,
  after: (ms: number, event: () => void) => void,
): string {
  const at = draw.pick([0, draw.between(0, 30), draw.between(0, 400), draw.between(0, 4_000)]);
  const direction = draw.chance(0.5) ? wire.out : wire.back;
  const name = direction === wire.out ? "out" : "back";
  const kind = draw.pick(["reset", "end", "lose", "lose both", "stall", "silent"] as const);
  switch (kind) {
    case "reset":
      after(at, () => wire.reset());
      break;
    case "end":
      after(at, () => direction.end());
      break;
    case "lose":
      after(at, () => direction.lose());
      break;
    case "lose both":
      after(at, () => (wire.out.lose(), wire.back.lose()));
      break;
    case "stall": {
      const ms = draw.between(0, 5_000);
      after(at, () => direction.stall());
      after(at + ms, () => direction.resume());
      break;
    }
    case "silent":
      wire.handshakeMs = Infinity;
      return kind;
  }
  return `${kind} ${name} after ${at.toFixed(0)} ms`;
}

/** A hiccup that no deadline is shorter than: an honest connection must get over it. */
export function planHiccup(
  draw: Draw,
  wire: MemoryWire,
  after: (ms: number, event: () => void) => void,
): void {
  for (const direction of [wire.out, wire.back]) {
    if (!draw.chance(0.3)) continue;
    const at = draw.between(0, 600);
    after(at, () => direction.stall());
    after(at + draw.between(1, 150), () => direction.resume());
  }
}
