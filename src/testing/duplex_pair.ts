/**
 * Two connections that face each other, with no system between.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { TransportConfig } from "../config/config.ts";
import type { Connection } from "../connection.ts";
import { deferred } from "../deferred.ts";
import { Transport } from "../transport.ts";
import { MemoryNetwork, type MemoryNetworkOptions } from "./memory_network.ts";
import type { MemoryWire } from "./memory_wire.ts";

/** Options of {@linkcode duplexPair}. */
export interface DuplexPairOptions extends MemoryNetworkOptions {
  /** Configuration of both ends. */
  config?: TransportConfig;
  /** Time of both ends. @default The runtime's. */
  clock?: Clock;
}

/** The two ends; disposing the pair aborts both. */
export interface DuplexPair extends AsyncDisposable {
  /** The end that dialled. */
  readonly near: Connection;
  /** The end that accepted. */
  readonly far: Connection;
  /** What is between them: stalls, silence, ends and resets. */
  readonly wire: MemoryWire;
}

/**
 * Makes a pair of connected connections.
 *
 * @param options Seed, configuration and clock.
 * @returns Both ends, open.
 *
 * @example
 * ```ts
 * import { duplexPair } from "@ron/transport/testing";
 * import assert from "node:assert/strict";
 *
 * await using pair = await duplexPair({ seed: 3 });
 * await pair.near.write(new Uint8Array([1, 2, 3]));
 * assert.ok(await pair.far.read(new Uint8Array(3)));
 * ```
 *
 * @example With faults, on a manual clock
 * ```ts
 * import { drive, duplexPair, ManualClock } from "@ron/transport/testing";
 * import assert from "node:assert/strict";
 *
 * const clock = new ManualClock();
 * const pair = await drive(clock, duplexPair({ seed: 3, clock, time: clock, latencyMs: [5, 40] }));
 * pair.wire.reset();
 * const reason = await drive(clock, pair.near.closed);
 * assert.equal(reason.kind, "io_closed");
 * ```
 */
export async function duplexPair(options: DuplexPairOptions = {}): Promise<DuplexPair> {
  let wire: MemoryWire | undefined;
  const runtime = new MemoryNetwork({
    ...options,
    onWire(made) {
      wire = made;
      options.onWire?.(made);
    },
  });
  const hooks = { runtime, ...(options.clock === undefined ? {} : { clock: options.clock }) };
  const server = new Transport(options.config, hooks);
  const client = new Transport(options.config, hooks);
  const accepted = deferred<Connection>();
  const listener = await server.listen({
    address: "tcp://127.0.0.1:0",
    onConnection: async (connection) => {
      accepted.resolve(connection);
      await connection.closed;
    },
  });
  const near = await client.dial(listener.address);
  const far = await accepted.promise;
  return {
    near,
    far,
    wire: wire!,
    async [Symbol.asyncDispose](): Promise<void> {
      await client.close();
      await server.close();
    },
  };
}
