/**
 * One end of a pair, as a process of its own: `end.ts serve PEER JOB`, or `end.ts connect PEER JOB PORT`.
 *
 * Says where it listens, or that it is connected; then answers each line of its input:
 * `{"run":N}` moves N messages, `{"mark":true}` starts to count processor time, `{"tell":true}` tells that and
 * what has arrived, and `{"memory":true}` what is held after garbage has been collected. Ends with its input.
 *
 * @module
 */

import { createInterface } from "node:readline";
import process from "node:process";
import type { Client, Job, Server, Tally } from "../peers/contract.ts";
import { load, type PeerName } from "../peers/peers.ts";

/** What a client tells of a run. */
export interface Ran {
  readonly answers: Tally;
  readonly ms: number;
  /** Microseconds of processor time, all threads. */
  readonly cpu: number;
}

/** What a server tells. */
export interface Told {
  readonly arrived: Tally;
  /** Microseconds of processor time since the mark, all threads. */
  readonly cpu: number;
}

/** What a process holds, in bytes. */
export interface Memory {
  readonly rss: number;
  /** The engine's own, and buffers. */
  readonly heap: number;
}

interface Question {
  readonly memory?: boolean;
  readonly run?: number;
  readonly mark?: boolean;
  readonly tell?: boolean;
}

function say(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function cpuSince(start: { user: number; system: number }): number {
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

async function answers(answer: (question: Question) => Promise<unknown>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const question = JSON.parse(line) as Question;
    say(question.memory === true ? await memory() : await answer(question));
  }
}

/** Collects garbage until that changes nothing any more. */
async function memory(): Promise<Memory> {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(now: boolean): void } };
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (Bun === undefined) gc?.();
    else Bun.gc(true);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  // What Bun calls external is part of its heap.
  return { rss, heap: Bun === undefined ? heapUsed + external : heapUsed };
}

async function serve(server: Server): Promise<void> {
  say({ port: server.port });
  let start = process.cpuUsage();
  await answers(({ mark }) => {
    const told: Told = { cpu: cpuSince(start), arrived: server.tally() };
    if (mark === true) start = process.cpuUsage();
    return Promise.resolve(told);
  });
  await server.close();
}

async function connect(client: Client): Promise<void> {
  say({ connected: true });
  await answers(async ({ run = 1 }) => {
    const start = process.cpuUsage();
    const now = performance.now();
    const answers = await client.run(run);
    const ran: Ran = { answers, ms: performance.now() - now, cpu: cpuSince(start) };
    return ran;
  });
  await client.close();
}

async function main([role, name, job = "{}", port]: readonly string[]): Promise<void> {
  const peer = await load(name as PeerName);
  const work = JSON.parse(job) as Job;
  if (role === "serve") await serve(await peer.serve(work));
  else await connect(await peer.connect(work, Number(port)));
  process.exit(0);
}

await main(process.argv.slice(2));
