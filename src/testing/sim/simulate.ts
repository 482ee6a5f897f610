/**
 * Deterministic simulation: a server, honest clients and hostile peers on the memory network, from one
 * seed.
 *
 * @module
 */

import { turns } from "../drive.ts";
import { checkCounters, checkEnd, checkStep } from "./invariants.ts";
import { Crowd } from "./hostile.ts";
import { Client } from "./honest.ts";
import { runFramedClient } from "./honest_framed.ts";
import { runRawClient } from "./honest_raw.ts";
import { planServer } from "./plan.ts";
import { type Server, startServer } from "./server.ts";
import { World } from "./world.ts";

/** Options of {@linkcode simulate}. */
export interface SimulationOptions {
  /** Told of every event: milliseconds, who and what. @default nobody */
  onEvent?: (line: string) => void;
}

/** What a run did. */
export interface SimulationReport {
  /** Its seed. */
  readonly seed: number;
  /** Events of the clock; after each, all invariants were checked. */
  readonly steps: number;
  /** Virtual milliseconds. */
  readonly ms: number;
  /** Work of honest clients that succeeded. */
  readonly done: number;
  /** Connections that the server accepted, and turned away. */
  readonly accepted: number;
  /** See `accepted`. */
  readonly refused: number;
  /** The same for the same seed: a digest of everything that happened. */
  readonly digest: string;
}

/** Events after which a run must have come to rest. */
const MOST_STEPS = 200_000;
/** Counters are compared after every so many events. */
const COUNTERS_EVERY = 64;

/**
 * Runs one simulation: honest clients that ask, stream and send raw bytes, beside peers that stall, drip,
 * flood, reset and never read, on a network with faults, with limits of every kind; all drawn from a seed.
 * The server and the clients are shipped {@linkcode Transport}s on a manual clock.
 *
 * After each event it checks: slots in use are open connections; handshake slots are handshakes; bytes
 * charged are bytes held, within the budget; one writer a socket; bytes in order and at most once; honest
 * work on a sound connection succeeds; nobody waits for ever; each refusal is counted once; each
 * connection closes once; readiness moves legally. In the end nothing is left: no slot, timer or byte.
 *
 * @param seed Decides everything: the same seed does the same.
 * @returns What it did.
 * @throws {SimulationFailure} The first invariant that broke, with the last 50 events.
 *
 * @example
 * ```ts
 * import { simulate } from "@ron/transport/testing";
 * import assert from "node:assert/strict";
 *
 * const report = await simulate(7);
 * assert.equal((await simulate(7)).digest, report.digest);
 * ```
 */
export async function simulate(
  seed: number,
  options: SimulationOptions = {},
): Promise<SimulationReport> {
  const world = new World(seed, options.onEvent);
  const { draw } = world;
  const subject = world.transport(
    "server",
    planServer(draw.fork(), world.heavy, world.crowded),
    "10.0.0.1",
    world.heavy || draw.chance(0.3) ? 16 * 1024 * 1024 : undefined,
  );
  const server = await startServer(world, subject);
  const crowd = new Crowd(world, draw.fork());
  crowd.start();
  let over = false;
  const honest = runClients(world).finally(() => over = true);
  let ending = draw.chance(0.2) ? endSoon(world, server) : undefined;
  let steps = 0;
  const step = async (): Promise<boolean> => {
    if (++steps > MOST_STEPS) world.fail("comes to rest", `${steps} events, and still more`);
    const more = await world.step();
    checkStep(world);
    if (steps % COUNTERS_EVERY === 0) checkCounters(world);
    world.judge();
    return more;
  };
  while (!over) if (!await step() && !over) world.rest();
  await honest;
  ending ??= end(world, server);
  await turns();
  let ended = false;
  void ending.finally(() => ended = true);
  while (!ended) if (!await step() && !ended) world.fail("no deadlock", "the server does not end");
  crowd.stop();
  while (await step()) if (world.network.sockets === 0) world.quietSince ??= world.clock.now();
  checkEnd(world);
  return {
    seed,
    steps,
    ms: world.clock.now(),
    done: world.done,
    accepted: subject.transport.counters().accepts,
    refused: subject.runtime.refused,
    digest: world.trace.digest,
  };
}

async function runClients(world: World): Promise<void> {
  const { draw } = world;
  const clients = Array.from({ length: draw.int(1, 4) }, async (_, i) => {
    const client = new Client(world, draw.fork(), i + 1);
    await world.sleep(client.draw.between(0, 500));
    await (client.draw.chance(0.65) ? runFramedClient(client) : runRawClient(client));
  });
  await Promise.all(clients);
}

/** Ends the server while work goes on. */
async function endSoon(world: World, server: Server): Promise<void> {
  await world.sleep(world.draw.between(0, 3_000));
  await end(world, server);
}

/** Ends the server; whatever its peers do, it must have ended in time. */
async function end(world: World, { subject: { transport }, frames, raw }: Server): Promise<void> {
  const { draw, clock } = world;
  world.ending = true;
  const before = clock.now();
  const ms = draw.pick([0, 10, 1_000, 5_000]);
  const how = draw.pick(["drain", "close", "listeners", "drain, close"] as const);
  world.trace.add("server", `${how} ${ms}`);
  if (how === "close") await transport.close();
  else if (how === "drain") await transport.drain(ms);
  else if (how === "listeners") {
    await Promise.all([frames.drain(ms), raw.close()]);
    await transport.drain(0);
  } else {
    const draining = transport.drain(ms);
    await world.sleep(draw.between(0, 20));
    await transport.close();
    await draining;
  }
  const took = clock.now() - before;
  if (took > ms + 21) world.fail("ends in time", `${how} within ${ms} ms took ${took} ms`);
  const { size } = world.subjects[0]!.table.links;
  if (size > 0) world.fail("ends in time", `${how} has ended, and ${size} connections have not`);
}
