/**
 * A stand-in for the Tor addon: onion services and streams in memory, and a bootstrap by a script.
 *
 * @module
 */

import type {
  AddonClient,
  AddonListener,
  AddonOptions,
  AddonProgress,
  AddonStream,
  ArtiAddon,
} from "../arti/addon.ts";
import { type Deferred, deferred } from "../deferred.ts";

/** Options of an {@linkcode ArtiStandIn}. */
export interface ArtiStandInOptions {
  /** Whether clients bootstrap by themselves, as soon as they are started. @default {false} */
  bootstraps?: boolean;
  /** Bytes that a stream holds each way before writes wait. @default {65536} */
  streamBytes?: number;
}

/**
 * See the module. All clients of one stand-in are on one network; as on Tor, the end of a stream is the end
 * of both its directions.
 *
 * @example A bootstrap by a script
 * ```ts
 * import { Transport } from "@ron/transport";
 * import { arti } from "@ron/transport/arti";
 * import { ArtiStandIn } from "@ron/transport/testing";
 * import assert from "node:assert/strict";
 *
 * const tor = new ArtiStandIn();
 * const seen: number[] = [];
 * await using transport = new Transport(
 *   { backend: "arti", amnesia: { enabled: true } },
 *   { arti: arti({ addon: tor }), onBootstrap: ({ fraction }) => seen.push(fraction) },
 * );
 * await tor.started(1);
 * tor.progress({ fraction: 0.4, ready: false, summary: "loading the directory" });
 * assert.equal(transport.readiness.state, "Degraded");
 * assert.deepEqual(seen, [0.4]);
 * tor.succeed();
 * ```
 */
export class ArtiStandIn implements ArtiAddon {
  /** Says that this is none. */
  readonly version = "stand-in";
  /** What each client was started with. */
  readonly starts: AddonOptions[] = [];
  /** Calls of `removeMemoryDirsSync`. */
  removals = 0;
  readonly #clients: Client[] = [];
  readonly #services = new Map<string, Service>();
  readonly #waiting: { n: number; done: Deferred<void> }[] = [];
  readonly #streamBytes: number;
  readonly #dialFaults: string[] = [];
  #bootstraps: boolean;
  #startFault: string | undefined;
  #circuits = 0;

  /** Makes a network without clients. @param options How it behaves. */
  constructor(options: ArtiStandInOptions = {}) {
    this.#bootstraps = options.bootstraps ?? false;
    this.#streamBytes = options.streamBytes ?? 65_536;
  }

  /** Clients that are not closed. */
  get open(): number {
    return this.#clients.filter(({ closed }) => !closed).length;
  }

  /** Resolves once `n` clients have been started in all. */
  async started(n: number): Promise<void> {
    if (this.#clients.length >= n) return;
    const done = deferred<void>();
    this.#waiting.push({ n, done });
    await done.promise;
  }

  /** Tells every client's progress. */
  progress(progress: AddonProgress): void {
    for (const client of this.#clients) client.progress(progress);
  }

  /** Every client, and each that comes, has bootstrapped. */
  succeed(): void {
    this.#bootstraps = true;
    for (const client of this.#clients) client.succeed();
  }

  /** The bootstrap of every client fails for good, with this code. */
  fail(code: string): void {
    for (const client of this.#clients) client.fail(code);
  }

  /** The next `start` fails with this code. */
  refuseStart(code: string): void {
    this.#startFault = code;
  }

  /** The next dials fail, each with one of these codes. */
  failDials(...codes: readonly string[]): void {
    this.#dialFaults.push(...codes);
  }

  /** Breaks every stream off, as when a relay dies. */
  breakStreams(code: string = "CircuitCollapse"): void {
    for (const service of this.#services.values()) service.breakStreams(code);
  }

  /** What exits reach under a name: accept its streams, and answer them. */
  host(hostname: string, port: number): AddonListener {
    return this.#serve(hostname, [port]);
  }

  /** Makes a client. */
  start(
    options: AddonOptions,
    onProgress: (progress: AddonProgress) => void = () => {},
  ): Promise<AddonClient> {
    const fault = this.#startFault;
    this.#startFault = undefined;
    if (fault !== undefined) return Promise.reject(coded(fault));
    this.starts.push(options);
    const client = new Client(onProgress, {
      connect: (host, port, circuit) => this.#connect(host, port, circuit),
      serve: (nickname, ports, number) => this.#serve(onionOf(nickname, number), ports),
      circuit: () => ++this.#circuits,
    }, this.#clients.length + 1);
    this.#clients.push(client);
    if (this.#bootstraps) client.succeed();
    for (const { n, done } of this.#waiting) if (this.#clients.length >= n) done.resolve();
    return Promise.resolve(client);
  }

  /** Counts that it was called. */
  removeMemoryDirsSync(): void {
    this.removals++;
  }

  #connect(host: string, port: number, circuit: number): AddonStream {
    const fault = this.#dialFaults.shift();
    if (fault !== undefined) throw coded(fault);
    const service = this.#services.get(host);
    if (service === undefined) {
      throw coded(host.endsWith(".onion") ? "OnionServiceNotFound" : "RemoteHostNotFound");
    }
    if (!service.ports.includes(port)) throw coded("RemoteStreamError");
    const [near, far] = streamPair(this.#streamBytes, circuit);
    service.offer(far, near);
    return near;
  }

  #serve(address: string, ports: readonly number[]): Service {
    if (this.#services.has(address)) throw coded("LocalResourceAlreadyInUse");
    const service = new Service(address, ports, () => this.#services.delete(address));
    this.#services.set(address, service);
    return service;
  }
}

interface Network {
  connect(host: string, port: number, circuit: number): AddonStream;
  serve(nickname: string, ports: readonly number[], client: number): Service;
  circuit(): number;
}

class Client implements AddonClient {
  ready = false;
  closed = false;
  readonly #onProgress: (progress: AddonProgress) => void;
  readonly #network: Network;
  readonly #number: number;
  readonly #bootstrap = deferred<void>();
  readonly #circuits = new Map<string, number>();
  readonly #own: Service[] = [];
  readonly #streams = new Set<AddonStream>();

  constructor(onProgress: (progress: AddonProgress) => void, network: Network, number: number) {
    this.#onProgress = onProgress;
    this.#network = network;
    this.#number = number;
    this.#bootstrap.promise.catch(() => {});
  }

  progress(progress: AddonProgress): void {
    if (!this.closed) this.#onProgress(progress);
  }

  succeed(): void {
    if (this.closed || this.ready) return;
    this.ready = true;
    this.#onProgress({ fraction: 1, ready: true, summary: "done" });
    this.#bootstrap.resolve();
  }

  fail(code: string): void {
    this.#bootstrap.reject(coded(code));
  }

  bootstrapped(): Promise<void> {
    return this.#bootstrap.promise;
  }

  async connect(host: string, port: number): Promise<AddonStream> {
    await undefined;
    if (this.closed) throw coded("Closed");
    if (!this.ready) throw coded("BootstrapRequired");
    // As on Tor: the streams of a client to one service share a circuit.
    const circuit = this.#circuits.get(host) ?? this.#network.circuit();
    this.#circuits.set(host, circuit);
    const stream = this.#network.connect(host, port, circuit);
    this.#streams.add(stream);
    return stream;
  }

  async serveOnion(nickname: string, ports: number[]): Promise<AddonListener> {
    await undefined;
    if (this.closed) throw coded("Closed");
    const service = this.#network.serve(nickname, ports, this.#number);
    this.#own.push(service);
    return service;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.#bootstrap.reject(coded("Closed"));
    for (const stream of this.#streams) stream.close();
    for (const service of this.#own) {
      service.breakStreams("RemoteStreamReset");
      await service.close();
    }
  }
}

class Service implements AddonListener {
  readonly address: string;
  readonly ports: readonly number[];
  readonly #onClosed: () => void;
  readonly #offered: AddonStream[] = [];
  readonly #takers: Deferred<AddonStream | null>[] = [];
  readonly #streams = new Set<StandInStream>();
  #closed = false;

  constructor(address: string, ports: readonly number[], onClosed: () => void) {
    this.address = address;
    this.ports = ports;
    this.#onClosed = onClosed;
  }

  offer(far: StandInStream, near: StandInStream): void {
    this.#streams.add(far).add(near);
    const taker = this.#takers.shift();
    if (taker === undefined) this.#offered.push(far);
    else taker.resolve(far);
  }

  accept(): Promise<AddonStream | null> {
    if (this.#closed) return Promise.resolve(null);
    const stream = this.#offered.shift();
    if (stream !== undefined) return Promise.resolve(stream);
    const taker = deferred<AddonStream | null>();
    this.#takers.push(taker);
    return taker.promise;
  }

  breakStreams(code: string): void {
    for (const stream of this.#streams) stream.break(code);
    this.#streams.clear();
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#onClosed();
      for (const stream of this.#offered.splice(0)) stream.close();
      for (const taker of this.#takers.splice(0)) taker.resolve(null);
    }
    return Promise.resolve();
  }
}

function streamPair(most: number, circuit: number): [StandInStream, StandInStream] {
  const [there, back] = [new Pipe(most), new Pipe(most)];
  return [new StandInStream(back, there, circuit), new StandInStream(there, back, circuit)];
}

class StandInStream implements AddonStream {
  readonly circuit: number;
  readonly #in: Pipe;
  readonly #out: Pipe;

  constructor(incoming: Pipe, out: Pipe, circuit: number) {
    this.#in = incoming;
    this.#out = out;
    this.circuit = circuit;
  }

  read(into: Uint8Array): Promise<number> {
    return this.#in.read(into);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#out.write(bytes);
  }

  async end(): Promise<void> {
    await undefined;
    this.#out.end();
    // What the peer sends from here on is lost, as its stream is over.
    this.#in.stop("Closed");
  }

  close(): void {
    this.#out.stop("RemoteStreamReset", false);
    this.#in.stop("Closed");
  }

  /** Both directions break. */
  break(code: string): void {
    this.#out.stop(code, false);
    this.#in.stop(code, false);
  }
}

/** One direction: bytes in order, at most so many at a time, then an end or a break. */
class Pipe {
  readonly #most: number;
  #bytes: Uint8Array[] = [];
  #size = 0;
  #fault: string | undefined;
  #ended = false;
  #reader: Deferred<void> | undefined;
  #writer: Deferred<void> | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  async read(into: Uint8Array): Promise<number> {
    for (;;) {
      await undefined;
      if (this.#size > 0) return this.#take(into);
      if (this.#fault !== undefined) throw coded(this.#fault);
      if (this.#ended) return 0;
      this.#reader = deferred<void>();
      await this.#reader.promise;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      await undefined;
      if (this.#fault !== undefined || this.#ended) {
        throw coded(this.#fault ?? "RemoteStreamClosed");
      }
      const n = Math.min(bytes.length - at, this.#most - this.#size);
      if (n > 0) {
        this.#bytes.push(bytes.slice(at, at + n));
        this.#size += n;
        at += n;
        this.#reader?.resolve();
      } else {
        this.#writer = deferred<void>();
        await this.#writer.promise;
      }
    }
  }

  end(): void {
    if (this.#fault !== undefined) return;
    this.#ended = true;
    this.#wake();
  }

  /** No more goes through; with `keep`, what is in it still comes out. */
  stop(code: string, keep: boolean = true): void {
    if (this.#fault !== undefined || (this.#ended && !keep)) return;
    this.#fault = code;
    if (!keep) {
      this.#bytes = [];
      this.#size = 0;
    }
    this.#wake();
  }

  #take(into: Uint8Array): number {
    let n = 0;
    while (n < into.length && this.#bytes.length > 0) {
      const first = this.#bytes[0]!;
      const part = first.subarray(0, into.length - n);
      into.set(part, n);
      n += part.length;
      if (part.length === first.length) this.#bytes.shift();
      else this.#bytes[0] = first.subarray(part.length);
    }
    this.#size -= n;
    this.#writer?.resolve();
    return n;
  }

  #wake(): void {
    this.#reader?.resolve();
    this.#writer?.resolve();
  }
}

/** 56 characters of the alphabet of onion addresses; the same for the same service of the same client. */
function onionOf(nickname: string, client: number): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  let seed = client;
  for (const char of nickname) seed = (Math.imul(seed, 31) + char.charCodeAt(0)) >>> 0;
  let text = "";
  while (text.length < 56) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    text += alphabet[seed >>> 27];
  }
  return `${text}.onion`;
}

function coded(code: string): Error {
  return Object.assign(new Error(`stand-in: ${code}`), { code });
}
