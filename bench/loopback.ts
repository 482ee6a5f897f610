/**
 * Throughput over loopback, the sender and the receiver in processes of their own.
 *
 *   deno run -A bench/loopback.ts [--mib N] [--json]      (or bun bench/loopback.ts)
 *
 * The parent starts itself as receiver and as sender, for each of: bytes over TCP, bytes over TLS,
 * one OAP stream over TCP, one over TLS. The receiver's clock runs from its first byte to its last.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Connection, formatAddress, Transport } from "../mod.ts";
import { FLAGS, framed } from "../src/oap/mod.ts";
import { throwAwayCertificate } from "../src/testing/certificate.ts";
import { runtimeName } from "../test/runtimes.ts";
import { noise } from "./data.ts";

interface Case {
  readonly tls: boolean;
  readonly oap: boolean;
}

interface Ready {
  readonly address: string;
  readonly ca?: string;
}

interface Received {
  readonly bytes: number;
  readonly ms: number;
  readonly cpuMs: number;
  readonly rssMib: number;
}

const CASES: readonly Case[] = [
  { tls: false, oap: false },
  { tls: true, oap: false },
  { tls: false, oap: true },
  { tls: true, oap: true },
];
const MIB = 1024 * 1024;
const SELF = fileURLToPath(import.meta.url);

function say(line: unknown): void {
  console.log(JSON.stringify(line));
}

/** Reads plain bytes until the sender is done, and answers with one byte. */
async function receiveBytes(connection: Connection, onBytes: (n: number) => void): Promise<void> {
  const buffer = new Uint8Array(256 * 1024);
  for (;;) {
    const n = await connection.read(buffer);
    if (n === null) break;
    onBytes(n);
  }
  await connection.write(Uint8Array.of(1));
}

/** Takes an OAP stream to its end, and answers with an empty response. */
function receiveStream(connection: Connection, onBytes: (n: number) => void): Promise<void> {
  const link = framed(connection);
  return new Promise((resolve, reject) => {
    link.onBatch((batch) => {
      batch.forEach((frame) => {
        onBytes(frame.payloadBytes);
        if ((frame.flags & FLAGS.END) === 0) return;
        const { appProtoId, tenantId, corrId } = frame;
        const payload = new Uint8Array(0);
        const flags = FLAGS.RESP | FLAGS.START | FLAGS.END;
        link.send({ flags, code: 200, appProtoId, tenantId, corrId, payload }).then(
          resolve,
          reject,
        );
      });
    });
  });
}

async function receiver({ tls, oap }: Case): Promise<void> {
  const certificate = tls ? await throwAwayCertificate() : undefined;
  await using transport = new Transport();
  const done = Promise.withResolvers<Received>();
  const listener = await transport.listen({
    address: `${tls ? "tls" : "tcp"}://127.0.0.1:0`,
    ...(certificate === undefined ? {} : { tls: () => certificate }),
    onConnection: async (connection) => {
      let bytes = 0;
      let start = 0;
      const cpu = process.cpuUsage();
      const onBytes = (n: number): void => {
        if (bytes === 0) start = performance.now();
        bytes += n;
      };
      try {
        await (oap ? receiveStream : receiveBytes)(connection, onBytes);
        const ms = performance.now() - start;
        const { user, system } = process.cpuUsage(cpu);
        const rssMib = process.memoryUsage().rss / MIB;
        done.resolve({ bytes, ms, cpuMs: (user + system) / 1000, rssMib });
      } catch (error) {
        done.reject(error);
      }
    },
  });
  const ready: Ready = { address: formatAddress(listener.address) };
  say(certificate === undefined ? ready : { ...ready, ca: certificate.cert });
  say(await done.promise);
}

async function sendBytes(connection: Connection, mib: number): Promise<void> {
  const block = noise(256 * 1024);
  for (let i = 0; i < mib * 4; i++) await connection.write(block);
  connection.closeWrite();
  await connection.read(new Uint8Array(1));
}

async function* blocks(mib: number): AsyncGenerator<Uint8Array> {
  const block = noise(64 * 1024);
  for (let i = 0; i < mib * 16; i++) yield block;
}

async function sendStream(connection: Connection, mib: number): Promise<void> {
  const link = framed(connection);
  const answer = Promise.withResolvers<void>();
  link.onBatch(() => answer.resolve());
  const head = { flags: FLAGS.REQ, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n };
  await link.sendStream(blocks(mib), head);
  await answer.promise;
}

async function sender({ oap }: Case, mib: number, ready: Ready): Promise<void> {
  await using transport = new Transport();
  const tls = ready.ca === undefined ? {} : { tls: { ca: ready.ca } };
  const connection = await transport.dial(ready.address, tls);
  const cpu = process.cpuUsage();
  await (oap ? sendStream : sendBytes)(connection, mib);
  const { user, system } = process.cpuUsage(cpu);
  say({ cpuMs: (user + system) / 1000 });
  await connection.close();
}

/** Starts this file in another role; gives its lines, and fails with its errors. */
function child(args: readonly string[]): AsyncGenerator<string> {
  const flags = runtimeName() === "deno" ? ["run", "--quiet", "--no-check", "--allow-all"] : [];
  const running = spawn(process.execPath, [...flags, SELF, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const code = new Promise<number | null>((resolve) => running.once("close", resolve));
  const lines = createInterface({ input: running.stdout });
  return (async function* (): AsyncGenerator<string> {
    try {
      yield* lines;
      const status = await code;
      if (status !== 0) throw new Error(`loopback ${args[0]}: ended with code ${status}`);
    } finally {
      running.kill();
    }
  })();
}

async function next<T>(lines: AsyncGenerator<string>, who: string): Promise<T> {
  const { done, value } = await lines.next();
  if (done === true) throw new Error(`loopback: the ${who} ended without a result`);
  return JSON.parse(value) as T;
}

async function measure(one: Case, mib: number): Promise<Record<string, unknown>> {
  const receiving = child(["receiver", JSON.stringify(one)]);
  const ready = await next<Ready>(receiving, "receiver");
  const sending = child(["sender", JSON.stringify(one), String(mib), JSON.stringify(ready)]);
  try {
    const [received, sent] = await Promise.all([
      next<Received>(receiving, "receiver"),
      next<{ cpuMs: number }>(sending, "sender"),
    ]);
    if (received.bytes !== mib * MIB) {
      throw new Error(`loopback: ${received.bytes} bytes came of ${mib * MIB}`);
    }
    return {
      id: `loopback_${one.oap ? "oap" : "bytes"}_${one.tls ? "tls" : "tcp"}`,
      runtime: runtimeName(),
      mib,
      mibPerSecond: Math.round(mib / (received.ms / 1000)),
      receiverCpuMsPerGib: Math.round((received.cpuMs / mib) * 1024),
      senderCpuMsPerGib: Math.round((sent.cpuMs / mib) * 1024),
      receiverRssMib: Math.round(received.rssMib),
    };
  } finally {
    await Promise.allSettled([sending.return(undefined), receiving.return(undefined)]);
  }
}

async function main(args: readonly string[]): Promise<void> {
  const [role, one = "", mib = "", ready = ""] = args;
  if (role === "receiver") return await receiver(JSON.parse(one));
  if (role === "sender") return await sender(JSON.parse(one), Number(mib), JSON.parse(ready));
  const at = args.indexOf("--mib");
  const size = at === -1 ? 512 : Number(args[at + 1]);
  if (!Number.isInteger(size) || size < 1) {
    throw new Error(`loopback: --mib wants a whole number from 1 on, and got ${args[at + 1]}`);
  }
  const results: Record<string, unknown>[] = [];
  for (const each of CASES) results.push(await measure(each, size));
  if (args.includes("--json")) say(results);
  else console.table(results);
}

await main(process.argv.slice(2));
