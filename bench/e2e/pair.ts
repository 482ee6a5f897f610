/**
 * A server and a client of one peer, in processes of their own, which do the same work again and again.
 *
 * @module
 */

import { HEADER_BYTES } from "../../src/oap/frame.ts";
import { runtimeName } from "../../test/runtimes.ts";
import { expected, type Job, type Tally } from "../peers/contract.ts";
import { type PeerName, present } from "../peers/peers.ts";
import { Child } from "./child.ts";
import type { Memory, Ran, Told } from "./end.ts";

/** What one run cost. */
export interface Cost {
  readonly messages: number;
  /** Microseconds of processor time of both processes, for one message. */
  readonly cpu: number;
  /** The server's part of it. */
  readonly serverCpu: number;
  /** Microseconds by the clock, for one message. */
  readonly wall: number;
}

const END = new URL("./end.ts", import.meta.url);
/** See the module. */
export class Pair implements AsyncDisposable {
  /** Which peer. */
  readonly peer: PeerName;
  readonly #job: Job;
  readonly #server: Child;
  readonly #client: Child;

  readonly #port: number;

  private constructor(peer: PeerName, job: Job, port: number, server: Child, client: Child) {
    this.peer = peer;
    this.#job = job;
    this.#port = port;
    this.#server = server;
    this.#client = client;
  }

  /** Starts both, and connects them; `undefined` where the peer is missing. */
  static async start(peer: PeerName, job: Job): Promise<Pair | undefined> {
    if (!present(peer, runtimeName())) return undefined;
    const server = new Child(END, ["serve", peer, JSON.stringify(job)]);
    try {
      const { port } = await server.answer<{ port: number }>();
      return await Pair.#connect(peer, job, port, server);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The same server, with one more client. Whoever is disposed of first ends the server. */
  async beside(job: Job): Promise<Pair> {
    return await Pair.#connect(this.peer, job, this.#port, this.#server);
  }

  static async #connect(peer: PeerName, job: Job, port: number, server: Child): Promise<Pair> {
    const client = new Child(END, ["connect", peer, JSON.stringify(job), String(port)]);
    const pair = new Pair(peer, job, port, server, client);
    try {
      await client.answer();
      return pair;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Does the work once.
   *
   * @throws When not exactly what was sent has arrived.
   */
  async run(count: number): Promise<Cost> {
    await this.#server.ask({ mark: true });
    const { answers, ms, cpu } = await this.#client.ask<Ran>({ run: count });
    const told = await this.#server.ask<Told>({ tell: true });
    this.#check(count, told.arrived, answers);
    return {
      messages: count,
      cpu: (cpu + told.cpu) / count,
      serverCpu: told.cpu / count,
      wall: (ms * 1000) / count,
    };
  }

  /**
   * How many messages take about so many milliseconds of processor time, once the engines have learnt the
   * work for `learn` milliseconds of it. By the clock a busy machine would have them learn too little.
   */
  async warm(ms: number, learn: number): Promise<number> {
    const { inflight, connections = 1 } = this.#job;
    // Each connection has some, or what a run costs by itself would be all that is seen.
    const least = Math.max(16, 2 * inflight * connections);
    let spent = 0;
    for (let count = least;;) {
      const { cpu } = await this.run(count);
      spent += (cpu * count) / 1000;
      const wanted = Math.max(least, Math.round((ms * 1000) / cpu));
      if (spent >= learn) return wanted;
      count = Math.min(wanted, 4 * count);
    }
  }

  /** What the server, and the client, hold. */
  async memory(): Promise<{ server: Memory; client: Memory }> {
    const question = { memory: true };
    return { server: await this.#server.ask(question), client: await this.#client.ask(question) };
  }

  /** Ends both processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }

  #check(count: number, arrived: Tally, answers: Tally): void {
    const job = this.#job;
    const want = expected(job, count);
    if (this.peer.endsWith("_sink")) {
      want.messages = want.sum = 0;
      want.bytes = count * (HEADER_BYTES + job.bytes);
    }
    const back = job.kind === "ask" ? want : { messages: 1, bytes: 0, sum: 0 };
    for (
      const [what, got, wanted] of [["sent", arrived, want], ["answered", answers, back]] as const
    ) {
      for (const field of ["messages", "bytes", "sum"] as const) {
        if (got[field] === wanted[field]) continue;
        throw new Error(
          `${this.peer}, ${JSON.stringify(job)}: of ${count} messages ${what}, ${field} is ${
            got[field]
          } and not ${wanted[field]}`,
        );
      }
    }
  }
}
