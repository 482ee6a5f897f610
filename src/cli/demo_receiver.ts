/**
 * The receiver of the demonstration: a `serve` in a process of its own, seen through what it prints.
 *
 * @module
 */

import type { TransportCounters } from "../counters.ts";
import { TransportError } from "../errors.ts";
import { residentPeak, type RuntimeName } from "../runtime/host.ts";
import { type Child, spawnSelf } from "../runtime/host_child.ts";
import type { TransitionLine } from "./demo_report.ts";
import type { ServerMemory } from "./serve_events.ts";

/** The first line of a server. */
export interface ListeningLine {
  readonly listening: string;
  readonly pid: number;
  readonly runtime: string;
  readonly version: string;
  readonly certificate: string;
  readonly readiness: readonly TransitionLine[];
  readonly memory: ServerMemory;
}

/** The close event of one connection, as the server tells it. */
export interface ClosedLine {
  readonly event: "closed";
  readonly remote?: { readonly port: number };
  readonly kind: string;
  readonly by: string;
  readonly fault?: string;
  readonly op?: string;
  readonly durationMs: number;
  readonly handshakeMs?: number;
  readonly counters: TransportCounters;
  readonly memory: ServerMemory;
}

/** A stored stream, as the server tells it. */
export interface StoredLine {
  readonly event: "stored";
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly memory: ServerMemory;
}

/** The counters and the memory, as the server tells them when asked. */
export interface StatusLine {
  readonly event: "status" | "drained";
  readonly counters: TransportCounters;
  readonly memory: ServerMemory;
}

type EventLine =
  | ClosedLine
  | StoredLine
  | StatusLine
  | ({ readonly event: "readiness" } & TransitionLine);

/** How the receiver is started. */
export interface ReceiverOptions {
  readonly runtime: RuntimeName;
  /** Where it stores streams. */
  readonly directory: string;
  readonly handshakeTimeout: string;
}

/** See the module. */
export class Receiver {
  /** Its first line. */
  readonly listening: ListeningLine;
  /** From starting the process until it listened. */
  readonly startToReadyMs: number;
  readonly #child: Child;
  readonly #events: EventLine[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #peakWhenIdle: number | undefined;
  #followed: Promise<void> = Promise.resolve();

  private constructor(child: Child, first: ListeningLine, startToReadyMs: number) {
    this.#child = child;
    this.listening = first;
    this.startToReadyMs = startToReadyMs;
    this.#peakWhenIdle = residentPeak(first.pid);
  }

  /**
   * Starts a receiver and waits until it is ready.
   *
   * @throws {TransportError} When it ends instead; its own message is on standard error.
   */
  static async start(options: ReceiverOptions): Promise<Receiver> {
    const start = performance.now();
    const child = await spawnSelf(options.runtime, [
      ...["serve", "--addr", "tls://127.0.0.1:0", "--throwaway-cert", "-"],
      ...["--dir", options.directory, "--control", "--json"],
      ...["--transport.handshake-timeout", options.handshakeTimeout],
    ]);
    const lines = child.lines[Symbol.asyncIterator]();
    const first = await lines.next();
    const startToReadyMs = performance.now() - start;
    if (first.done === true) {
      const code = await child.exited;
      throw new TransportError(
        "internal",
        `the receiver on ${options.runtime} ended with exit code ${code} before it was ready`,
        { op: "demo" },
      );
    }
    const receiver = new Receiver(child, JSON.parse(first.value) as ListeningLine, startToReadyMs);
    receiver.#followed = receiver.#follow(lines);
    return receiver;
  }

  /** Its counters and its memory now; `undefined` when it does not answer in time. */
  async status(ms: number): Promise<StatusLine | undefined> {
    const seen = this.#events.length;
    this.#child.send("status");
    return await this.#find((event): event is StatusLine => event.event === "status", ms, seen);
  }

  /** The close event of the connection that came from a local port. */
  closedFrom(port: number, ms: number): Promise<ClosedLine | undefined> {
    return this.#find((event): event is ClosedLine => {
      return event.event === "closed" && event.remote?.port === port;
    }, ms);
  }

  /** The first stream that it stored. */
  stored(ms: number): Promise<StoredLine | undefined> {
    return this.#find((event): event is StoredLine => event.event === "stored", ms);
  }

  /** Most memory that it had resident: what the system counted, where that can be read and tells more. */
  peak(told: ServerMemory): { readonly peak: number; readonly by: "system" | "samples" } {
    const counted = residentPeak(this.listening.pid) ?? 0;
    const grew = this.#peakWhenIdle !== undefined && counted > this.#peakWhenIdle;
    return grew && counted > told.peak
      ? { peak: counted, by: "system" }
      : { peak: told.peak, by: "samples" };
  }

  /** All its changes of readiness so far. */
  get readiness(): TransitionLine[] {
    const later = this.#events.flatMap((event) => {
      if (event.event !== "readiness") return [];
      const { event: _, ...line } = event;
      return [line];
    });
    return [...this.listening.readiness, ...later];
  }

  /** Has it drain; resolves with its exit code. One that does not end in time is ended. */
  async stop(ms: number): Promise<number> {
    this.#child.endInput();
    const timer = setTimeout(() => this.#child.kill("now"), ms);
    const code = await this.#child.exited;
    clearTimeout(timer);
    await this.#followed;
    return code;
  }

  async #follow(lines: AsyncIterator<string>): Promise<void> {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      this.#events.push(JSON.parse(line.value) as EventLine);
      for (const look of [...this.#waiting]) look();
    }
  }

  #find<T extends EventLine>(
    is: (event: EventLine) => event is T,
    ms: number,
    from: number = 0,
  ): Promise<T | undefined> {
    return new Promise((found) => {
      const look = (): void => {
        const event = this.#events.slice(from).find(is);
        if (event !== undefined) done(event);
      };
      const done = (event: T | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        found(event);
      };
      const timer = setTimeout(() => done(undefined), ms);
      this.#waiting.add(look);
      look();
    });
  }
}
