/**
 * Requests at a rate, whether or not answers come: what waits because the other end is slow counts as slow.
 *
 * @module
 */

import { Transport } from "../../mod.ts";
import { deferred } from "../../src/deferred.ts";
import { FLAGS, framed, type FramedConnection } from "../../src/oap/mod.ts";
import { noise } from "../data.ts";

/** Where the server is. */
export interface Target {
  readonly address: string;
  readonly ca: string;
}

/** A load to put on it. */
export interface Load {
  readonly connections: number;
  /** Requests each second, on all connections. */
  readonly rate: number;
  /** Payload of a request and of its answer. */
  readonly bytes: number;
  readonly ms: number;
}

/** What came of it. */
export interface Outcome {
  /** Milliseconds from when a request was due to its answer, sorted. */
  readonly latencies: readonly number[];
  readonly failed: number;
}

/** Opens connections, lets `use` have them, and closes them. */
export async function withLinks<T>(
  { address, ca }: Target,
  connections: number,
  use: (links: readonly FramedConnection[]) => Promise<T>,
): Promise<T> {
  const transport = new Transport();
  try {
    const links: FramedConnection[] = [];
    for (let i = 0; i < connections; i++) {
      links.push(framed(await transport.dial(address, { tls: { ca } })));
    }
    return await use(links);
  } finally {
    await transport.close();
  }
}

/** Puts the load on; resolves when the last answer is there. */
export async function drive(links: readonly FramedConnection[], load: Load): Promise<Outcome> {
  const { rate, bytes, ms } = load;
  const payload = noise(bytes);
  const latencies: number[] = [];
  const asked: Promise<void>[] = [];
  let failed = 0;
  const ask = async (n: number, due: number): Promise<void> => {
    const link = links[n % links.length] as FramedConnection;
    const flags = FLAGS.REQ | FLAGS.START | FLAGS.END;
    const head = { flags, code: 0, appProtoId: 7, tenantId: 1n, corrId: BigInt(n) + 1n };
    try {
      const answer = await link.request({ ...head, payload });
      if (answer.payload.length !== bytes) throw new Error("load: an answer of another size");
      latencies.push(performance.now() - due);
    } catch {
      failed++; // counted: a load that is refused must not look like a quick one
    }
  };
  const start = performance.now();
  const total = Math.floor((rate * ms) / 1000);
  for (let n = 0; n < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - start) * rate) / 1000));
    for (; n < due; n++) asked.push(ask(n, start + (n * 1000) / rate));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(asked);
  return { latencies: latencies.sort((a, b) => a - b), failed };
}

/** One stream in chunks of 64 KiB; gives milliseconds until its answer. */
export async function stream(link: FramedConnection, mib: number): Promise<number> {
  const answer = deferred<void>();
  link.onBatch(() => answer.resolve());
  const block = noise(65_536);
  const blocks = async function* (): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < mib * 16; i++) yield block;
  };
  const head = { flags: FLAGS.REQ, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n };
  const start = performance.now();
  await link.sendStream(blocks(), head);
  await answer.promise;
  return performance.now() - start;
}
