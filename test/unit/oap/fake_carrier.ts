/**
 * A connection in memory, as a sink sees it: no sockets, no clock but `advance`, reads of a set size on loan
 * from one buffer that is spoilt between them.
 */
import type { CloseReason } from "../../../src/close_reason.ts";
import type { ConnectionInfo } from "../../../src/connection.ts";
import { TransportError } from "../../../src/errors.ts";
import { release } from "../../../src/release.ts";
import type {
  Attachable,
  Carrier,
  Outbox,
  Sink,
  SinkReport,
  WriteDone,
} from "../../../src/sink.ts";

const SMALL = 16_384;

interface Item {
  bytes: Uint8Array[];
  done: WriteDone | undefined;
}

/** An inbox whose items go nowhere until `flush`. */
export class FakeOutbox implements Outbox {
  failure: TransportError | undefined = undefined;
  readonly smallBytes: number = SMALL;
  block: Uint8Array = new Uint8Array(SMALL);
  blockView: DataView = new DataView(this.block.buffer);
  readonly queue: Item[] = [];
  readonly limit: number;
  onItem: () => void = () => {};
  readonly #waiters: Set<() => void> = new Set();

  constructor(limit: number) {
    this.limit = limit;
  }

  get items(): number {
    return this.queue.length;
  }

  reserve(n: number): number {
    if (this.failure !== undefined || this.queue.length >= this.limit) return -1;
    this.block = new Uint8Array(7 + n);
    this.blockView = new DataView(this.block.buffer);
    this.queue.push({ bytes: [this.block.subarray(7)], done: undefined });
    this.onItem();
    return 7;
  }

  push(head: Uint8Array | undefined, body: Uint8Array, done: WriteDone | undefined): boolean {
    if (this.failure !== undefined || this.queue.length >= this.limit) return false;
    this.queue.push({ bytes: head === undefined ? [body] : [head, body], done });
    this.onItem();
    return true;
  }

  get crowded(): boolean {
    return this.#waiters.size >= 256;
  }

  refusal(n: number): TransportError {
    return this.failure ?? new TransportError("busy", `No room for ${n} bytes`, { op: "write" });
  }

  inTurn(_bytes: number, put: () => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      if (signal?.aborted) return reject(signal.reason);
      const settle = (): void => {
        this.#waiters.delete(wake);
        signal?.removeEventListener("abort", abort);
      };
      const wake = (): void => {
        try {
          if (this.failure !== undefined) reject(this.failure);
          else if (put()) resolve();
          else return;
        } catch (error) {
          reject(error);
        }
        settle();
      };
      const abort = (): void => {
        settle();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiters.add(wake);
      wake();
    });
  }

  /** Takes what is queued, as one run of bytes. */
  flush(n: number = Infinity): Uint8Array {
    const taken = this.queue.splice(0, n);
    const parts = taken.flatMap((item) => item.bytes);
    const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    for (const item of taken) item.done?.(undefined);
    for (const wake of [...this.#waiters]) wake();
    return out;
  }

  fail(error: TransportError): void {
    this.failure = error;
    for (const item of this.queue.splice(0)) item.done?.(error);
    for (const wake of [...this.#waiters]) wake();
  }
}

/** What a test holds of a framed connection. */
export class FakeConnection implements Attachable, Carrier {
  readonly info: ConnectionInfo;
  readonly outbox: FakeOutbox;
  readonly maxFrameBytes: number;
  readonly chunkBytes: number = 65_536;
  readonly closed: Promise<CloseReason>;
  readonly reports: SinkReport[] = [];
  /** What reservations are answered, and the last one that waits. */
  grants = true;
  reserved = 0;
  onGrant: (() => void) | undefined = undefined;
  readonly retained: number[] = [];
  resumed = 0;
  error: TransportError | undefined = undefined;
  readBytes = 65_536;
  owned = false;
  #sink: Sink | undefined = undefined;
  #time = 0;
  #over = false;
  readonly #shared: Map<symbol, object> = new Map();
  readonly #timers: Set<{ at: number; callback: () => void }> = new Set();
  readonly #abort: AbortController = new AbortController();
  #resolve: (reason: CloseReason) => void = () => {};

  constructor(
    role: "dialer" | "listener" = "listener",
    items: number = 256,
    maxFrameBytes: number = 1_048_576,
  ) {
    this.info = { id: "test", role, backend: "tcp" };
    this.outbox = new FakeOutbox(items);
    this.maxFrameBytes = maxFrameBytes;
    this.closed = new Promise((resolve) => this.#resolve = resolve);
  }

  get role(): "dialer" | "listener" {
    return this.info.role;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get timers(): number {
    return this.#timers.size;
  }

  attach<T extends Sink>(make: (carrier: Carrier) => T): T {
    const sink = make(this);
    this.#sink = sink;
    return sink;
  }

  /** Bytes arrive, in reads of `readBytes`, lent from one buffer. */
  receive(bytes: Uint8Array): SinkReport {
    const window = new Uint8Array(Math.min(bytes.length, this.readBytes));
    let report: SinkReport = { retained: 0, owed: 0, completed: 0, pause: false };
    for (let at = 0; at < bytes.length && !this.#over; at += this.readBytes) {
      const part = bytes.subarray(at, at + this.readBytes);
      if (this.owned) report = this.#push(part.slice());
      else {
        window.set(part);
        report = this.#push(window.subarray(0, part.length));
        window.fill(0xee);
      }
    }
    return report;
  }

  #push(bytes: Uint8Array): SinkReport {
    const report = { ...(this.#sink as Sink).push(bytes, this.owned) };
    this.reports.push(report);
    // As the transport does; and where the runtime cannot free it, whoever kept it is found out too.
    if (this.owned && report.kept === false) {
      bytes.fill(0xee);
      release(bytes);
    }
    return report;
  }

  /** The peer ends its side. */
  end(): void {
    this.#sink?.end();
  }

  /** The transport drains. */
  drain(): void {
    this.#sink?.drain?.();
  }

  /** Time passes. */
  advance(ms: number): void {
    this.#time += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at <= this.#time && this.#timers.delete(timer)) timer.callback();
    }
  }

  now(): number {
    return this.#time;
  }

  after(ms: number, callback: () => void): { cancel(): void } {
    const timer = { at: this.#time + ms, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  resume(): void {
    this.resumed++;
  }

  readonly chunks: number[] = [];

  chunked(bytes: number): void {
    this.chunks.push(bytes);
  }

  shared<T extends object>(key: symbol, make: () => T): T {
    let value = this.#shared.get(key) as T | undefined;
    if (value === undefined) this.#shared.set(key, value = make());
    return value;
  }

  retain(bytes: number, finished: boolean = false): void {
    if (finished) this.reserved = 0;
    this.retained.push(bytes);
  }

  /** Whether there is room for what is left behind, and how much that was. */
  leaves = true;
  left = 0;

  leave(bytes: number): boolean {
    this.left = bytes;
    return this.leaves;
  }

  reserve(bytes: number, onGrant: () => void): boolean {
    this.reserved = bytes;
    if (bytes === 0 || this.grants) return true;
    this.onGrant = onGrant;
    return false;
  }

  fail(error: TransportError): void {
    this.error ??= error;
    this.#finish({ kind: error.kind, by: error.origin, error });
  }

  close(): Promise<void> {
    this.#finish({ kind: "closed", by: "local" });
    return Promise.resolve();
  }

  #finish(reason: CloseReason): void {
    if (this.#over) return;
    this.#over = true;
    this.outbox.fail(reason.error ?? new TransportError("misuse", "closed", { op: "write" }));
    this.#abort.abort(reason.error);
    this.#resolve(reason);
    this.#sink?.closed(reason);
  }
}

/** Two connections whose bytes reach each other after a microtask. */
export function wire(items: number = 256): [FakeConnection, FakeConnection] {
  const pair: [FakeConnection, FakeConnection] = [
    new FakeConnection("dialer", items),
    new FakeConnection("listener", items),
  ];
  pair.forEach((from, i) => {
    const to = pair[1 - i] as FakeConnection;
    let scheduled = false;
    from.outbox.onItem = () => {
      if (scheduled) return;
      scheduled = true;
      queueMicrotask(() => {
        scheduled = false;
        to.receive(from.outbox.flush());
      });
    };
  });
  return pair;
}

/** Lets every microtask and immediate callback run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
