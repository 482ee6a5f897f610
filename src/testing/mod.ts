/**
 * Parts for tests: a network in memory with faults, a clock moved by hand, a whole simulation from one
 * seed, a stand-in for Tor, a pair on real sockets, a check for leaks, the conformance suite of backends, throw-away
 * certificates.
 *
 * @example Two ends that face each other
 * ```ts
 * import { duplexPair } from "@ron/transport/testing";
 *
 * await using pair = await duplexPair();
 * await pair.near.write(new Uint8Array(1));
 * await pair.far.read(new Uint8Array(1));
 * ```
 *
 * @module
 */

export { ArtiStandIn, type ArtiStandInOptions } from "./arti_stand_in.ts";
export * from "./certificate.ts";
export {
  conformance,
  type ConformanceCase,
  type ConformanceEnds,
  type ConformanceGaps,
} from "./conformance.ts";
export { drive } from "./drive.ts";
export { type DuplexPair, duplexPair, type DuplexPairOptions } from "./duplex_pair.ts";
export { assertNoLeaks, type LeakOptions, type LeakWatch } from "./leaks.ts";
export { type Loopback, loopback, type LoopbackOptions } from "./loopback.ts";
export { ManualClock } from "./manual_clock.ts";
export { MemoryNetwork, type MemoryNetworkOptions } from "./memory_network.ts";
export type { MemoryDirection, MemoryWire } from "./memory_wire.ts";
export { SimulationFailure } from "./sim/failure.ts";
export { simulate, type SimulationOptions, type SimulationReport } from "./sim/simulate.ts";
export { random } from "./random.ts";
