/**
 * The addon and the network for tests, as `deno task test:tor` provides them; alone, tests skip.
 *
 * @module
 */

import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type * as Addon from "../../native/arti/index.d.ts";
import { ROOT, runtimeName } from "../harness.ts";
import { TorNetwork } from "./network/mod.ts";

/** What the addon exports. */
export type ArtiAddon = typeof Addon;
export type {
  ArtiClient,
  ArtiOptions,
  ArtiProgress,
  ArtiStream,
  OnionListener,
} from "../../native/arti/index.d.ts";

const FILE = process.env["RON_ARTI_ADDON"] ?? "";
const FOLDER = process.env["RON_TOR_NET"] ?? "";

/** Why tests that need the addon do not run, or `false`. */
export const noAddon: string | false = FILE === ""
  ? "RON_ARTI_ADDON names no addon: `deno task test:tor`"
  : false;

/** Why tests that need the network as well do not run, or `false`. */
export const noTor: string | false = noAddon !== false || FOLDER !== ""
  ? noAddon
  : "RON_TOR_NET names no network: `deno task test:tor`";

/** The addon, loaded as users load it. */
export function addon(): ArtiAddon {
  return createRequire(import.meta.url)(join(ROOT, "native/arti/index.js")) as ArtiAddon;
}

/** The network that was started for the run. */
export function network(): TorNetwork {
  return TorNetwork.open(FOLDER);
}

/** Removes a folder; a thread of a client that was closed may just have written its last into it. */
function remove(path: string): void {
  for (let left = 20;; left--) {
    try {
      return rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (left === 0) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
  }
}

/** A folder that goes with the scope. */
export function tempDir(parent: string = tmpdir()): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(parent, "ron-arti-test-"));
  return { path, [Symbol.dispose]: () => remove(path) };
}

/** A client whose state goes with the scope. */
export interface ScopedClient extends AsyncDisposable {
  readonly client: Addon.ArtiClient;
  readonly stateDir: string;
  /** Milliseconds from the call of `start` to the end of bootstrapping. */
  readonly bootstrapMs: number;
}

/** Starts a client on the network, and waits until it has bootstrapped. */
export async function bootstrapped(config: string = network().toml()): Promise<ScopedClient> {
  const state = tempDir();
  const from = performance.now();
  const client = await addon().start({ config, stateDir: state.path });
  try {
    await client.bootstrapped(30_000);
  } catch (error) {
    await client.close();
    throw error;
  }
  return {
    client,
    stateDir: state.path,
    bootstrapMs: performance.now() - from,
    async [Symbol.asyncDispose](): Promise<void> {
      await client.close();
      state[Symbol.dispose]();
    },
  };
}

/** A TCP server on loopback, for exits to reach. */
export interface LoopbackServer extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open. */
  readonly sockets: ReadonlySet<Socket>;
}

/** Serves each connection with `onSocket`. @param onSocket @default sends back what comes */
export async function tcpServer(
  onSocket: (socket: Socket) => void = (socket) => void socket.pipe(socket),
): Promise<LoopbackServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
    onSocket(socket);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    sockets,
    async [Symbol.asyncDispose](): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Sends back what comes by each stream, until the listener is closed. */
export async function echoStreams(listener: Addon.OnionListener): Promise<void> {
  for (let s = await listener.accept(); s !== null; s = await listener.accept()) void echoOne(s);
}

async function echoOne(stream: Addon.ArtiStream): Promise<void> {
  const into = new Uint8Array(65_536);
  try {
    for (let n = await stream.read(into); n > 0; n = await stream.read(into)) {
      await stream.write(into.subarray(0, n));
    }
    await stream.end();
  } catch {
    // the dialler's test tells what went wrong
  } finally {
    stream.close();
  }
}

/** Dials an onion service of this network; its descriptor takes a moment to be found. */
export async function dialOnion(
  client: Addon.ArtiClient,
  address: string,
  port: number,
): Promise<Addon.ArtiStream> {
  const until = performance.now() + 40_000;
  for (;;) {
    try {
      return await client.connect(address, port, 20_000);
    } catch (error) {
      const closed = (error as { code?: string }).code === "Closed";
      if (closed || performance.now() > until) throw error;
    }
  }
}

/** Bytes whose order can be told. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 255;
  return bytes;
}

/** Sends all of `bytes` and reads as many, and compares. @returns milliseconds */
export async function echoed(stream: Addon.ArtiStream, bytes: Uint8Array): Promise<number> {
  const from = performance.now();
  const sent = (async () => {
    for (let at = 0; at < bytes.length; at += 32_768) {
      await stream.write(bytes.subarray(at, at + 32_768));
    }
  })();
  sent.catch(() => {}); // awaited below, unless reading fails first
  const into = new Uint8Array(65_536);
  for (let got = 0; got < bytes.length;) {
    const n = await stream.read(into);
    if (n === 0) throw new Error(`END after ${got} of ${bytes.length} bytes`);
    const same = into.subarray(0, n).every((byte, i) => byte === bytes[got + i]);
    if (!same) throw new Error(`other bytes between ${got} and ${got + n}`);
    got += n;
  }
  await sent;
  return performance.now() - from;
}

/** Median time of small echoes, in milliseconds. */
export async function roundTrip(stream: Addon.ArtiStream, rounds = 20): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) times.push(await echoed(stream, pattern(16)));
  return median(times);
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}

/** The code of the error that a promise is rejected with; "none" when it is not. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    return (error as { code?: string }).code ?? `no code: ${error}`;
  }
}

/** Leaves a figure for the table of `deno task test:tor`. */
export function figure(name: string, value: number): void {
  console.log(`figure ${runtimeName()} ${name} ${value.toFixed(2)}`);
}
