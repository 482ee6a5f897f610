/**
 * One round of the performance snapshot, on the tree at ROOT: `round.ts ROOT`. The workloads are this
 * file's, so that two trees do the same; only the library comes from ROOT.
 *
 * @module
 */

import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { noise, text } from "../../bench/data.ts";

type Library = typeof import("../../mod.ts");
type Oap = typeof import("../../src/oap/mod.ts");
type Certificates = typeof import("../../src/testing/certificate.ts");

/** What a workload cost, for one operation. */
export interface Cost {
  /** Microseconds of processor time. */
  readonly cpu: number;
  /** Operations each second of wall-clock time. */
  readonly throughput: number;
  /** Milliseconds, where operations were timed one by one. */
  readonly p95?: number;
  readonly p99?: number;
}

/** All of a round. */
export interface Round {
  readonly costs: Readonly<Record<string, Cost>>;
  /** Resident bytes at its end. */
  readonly memory: number;
}

const [root = "."] = process.argv.slice(2);
const from = <T>(file: string): Promise<T> =>
  import(pathToFileURL(join(root, file)).href) as Promise<T>;
const { Transport, formatAddress } = await from<Library>("mod.ts");
const { Decoder, encodeFrame, FLAGS, framed, inflate } = await from<Oap>("src/oap/mod.ts");
const { throwAwayCertificate } = await from<Certificates>("src/testing/certificate.ts");

/** Repeats until enough processor time is used, after a warm-up of a tenth of it. */
async function cost(ms: number, perCall: number, work: () => unknown): Promise<Cost> {
  const spend = async (budget: number): Promise<[calls: number, cpu: number, wall: number]> => {
    const start = performance.now();
    const before = process.cpuUsage();
    let calls = 0;
    let cpu = 0;
    do {
      for (let i = 0; i < 4; i++) await work();
      calls += 4;
      const { user, system } = process.cpuUsage(before);
      cpu = user + system;
    } while (cpu < budget * 1_000);
    return [calls * perCall, cpu, (performance.now() - start) / 1_000];
  };
  await spend(ms / 10);
  const [operations, cpu, wall] = await spend(ms);
  return { cpu: cpu / operations, throughput: operations / wall };
}

const payload = (n: number) => ({
  flags: FLAGS.EVENT,
  code: 0,
  appProtoId: 7,
  tenantId: 0n,
  corrId: 1n,
  payload: noise(n),
});

function many(frame: Uint8Array, count: number): Uint8Array {
  const all = new Uint8Array(frame.length * count);
  for (let i = 0; i < count; i++) all.set(frame, i * frame.length);
  return all;
}

function decoding(frame: Uint8Array, count: number): () => number {
  const bytes = many(frame, count);
  return () => {
    let seen = 0;
    for (const view of new Decoder().push(bytes)) seen += view.payload.length;
    return seen;
  };
}

async function zstdOf(plain: Uint8Array): Promise<Uint8Array | undefined> {
  const { nativeZstd } = await from<typeof import("../../src/runtime/zstd.ts")>(
    "src/runtime/zstd.ts",
  );
  return (await nativeZstd())?.(plain);
}

/** Requests of 4 KiB one after the other on one connection: both ends in this process. */
async function requests(scheme: "tcp" | "tls", ms: number): Promise<Cost> {
  const certificate = await throwAwayCertificate();
  const transport = new Transport();
  const listener = await transport.listen({
    address: `${scheme}://127.0.0.1:0`,
    ...(scheme === "tls" ? { tls: () => certificate } : {}),
    onConnection: (connection) => {
      const peer = framed(connection);
      peer.onBatch((batch) =>
        batch.forEach(({ appProtoId, tenantId, corrId, payload }) => {
          const head = { flags: FLAGS.RESP | FLAGS.START | FLAGS.END, code: 200 };
          peer.trySend({ ...head, appProtoId, tenantId, corrId, payload });
        })
      );
      return peer.closed.then(() => {});
    },
  });
  const tls = scheme === "tls" ? { tls: { ca: certificate.cert } } : {};
  const peer = framed(await transport.dial(formatAddress(listener.address), tls));
  const flags = FLAGS.REQ | FLAGS.START | FLAGS.END;
  const body = noise(4_096);
  let ids = 0n;
  const times: number[] = [];
  const spent = await cost(ms, 1, async () => {
    const start = performance.now();
    const head = { flags, code: 0, appProtoId: 7, tenantId: 0n, corrId: ++ids };
    await peer.request({ ...head, payload: body });
    times.push(performance.now() - start);
  });
  await transport.close();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? 0;
  return { ...spent, p95: at(0.95), p99: at(0.99) };
}

async function handshakes(ms: number): Promise<Cost> {
  const certificate = await throwAwayCertificate();
  const transport = new Transport();
  const listener = await transport.listen({
    address: "tls://127.0.0.1:0",
    tls: () => certificate,
    onConnection: (connection) => connection.closed.then(() => {}),
  });
  const address = formatAddress(listener.address);
  const spent = await cost(ms, 1, async () => {
    const connection = await transport.dial(address, { tls: { ca: certificate.cert } });
    connection.abort(); // an orderly end would wait for the other one
  });
  await transport.close();
  return spent;
}

const budget = Number(process.env["RON_ROUND_MS"] ?? 200);
const packed = await zstdOf(text(262_144));
const costs: Record<string, Cost> = {
  decode_tiny: await cost(budget, 5_000, decoding(encodeFrame(payload(0)), 5_000)),
  decode_16k: await cost(budget, 64, decoding(encodeFrame(payload(16_384)), 64)),
  encode_16k: await cost(
    budget,
    1,
    (() => {
      const frame = payload(16_384);
      return () => encodeFrame(frame);
    })(),
  ),
  ...packed === undefined ? {} : {
    guard_256k: await cost(budget, 1, () => inflate(packed, { codec: "zstd" })),
  },
  request_tcp_4k: await requests("tcp", 2 * budget),
  request_tls_4k: await requests("tls", 2 * budget),
  handshake_tls: await handshakes(2 * budget),
};
const round: Round = { costs, memory: process.memoryUsage().rss };
console.log(`round ${JSON.stringify(round)}`);
process.exit(0);
