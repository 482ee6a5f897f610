/**
 * OAP/1 as the consumer of a connection's bytes.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { type CloseReason, leftBehind } from "../close_reason.ts";
import { TransportError } from "../errors.ts";
import { keep } from "../keep.ts";
import { release } from "../release.ts";
import { type Carrier, GATHER_BYTES, PART_BYTES, type Sink, type SinkReport } from "../sink.ts";
import { FramePool } from "./assembly.ts";
import { type BorrowedBatch, FrameBatch } from "./batch.ts";
import { CodecError } from "./codec_error.ts";
import { copyRuns, fillRead, type Found, type Run } from "./found.ts";
import { FLAGS, type Frame } from "./frame.ts";
import { type FramedCounters, framedCounters } from "./framed_counters.ts";
import { TIMED_BYTES, TIMED_OF } from "./frame_timer.ts";
import type { FramedOptions } from "./framed_options.ts";
import {
  decodeHelloReply,
  DEFAULT_REPLY,
  type HelloReply,
  negotiate,
  type Negotiated,
} from "./hello.ts";
import type { Ping } from "./ping.ts";
import { HeadPool } from "./head_pool.ts";
import { IdQueueMemory } from "./id_queue.ts";
import { IdMemory } from "./id_table.ts";
import { InboundRequests } from "./inbound.ts";
import { wipeScratch } from "./instance.ts";
import { lend, Loans } from "./lend.ts";
import { frameLimit, limit } from "./limits.ts";
import { type FrameMemory, Parser } from "./parser.ts";
import { Requests } from "./requests.ts";
import { Router } from "./router.ts";
import { Sender } from "./sender.ts";
import { type Counted, OapTotals } from "./totals.ts";
import { type QueueOwner, WorkQueue } from "./work_queue.ts";

/** What connections of one transport share. */
const MEMORY: unique symbol = Symbol("memory for ids and headers");

interface Memory {
  readonly tables: IdMemory;
  readonly queues: IdQueueMemory;
  readonly heads: HeadPool;
  readonly frames: FramePool;
  readonly loans: Loans;
}

function memoryOf(carrier: Carrier): Memory {
  return carrier.shared(MEMORY, () => ({
    tables: new IdMemory(),
    queues: new IdQueueMemory(),
    heads: new HeadPool(),
    frames: new FramePool(),
    loans: new Loans(),
  }));
}

type Told = { -readonly [K in keyof SinkReport]: SinkReport[K] };

/** Everything that belongs to one framed connection. */
export class FramedSink implements Sink, Counted, FrameMemory, QueueOwner {
  /** What the connection offers. */
  readonly carrier: Carrier;
  /** How it is framed. */
  readonly options: FramedOptions;
  /** What has happened, but for what the sender has not put in yet; see `counted`. */
  readonly counters: FramedCounters = framedCounters();
  /** Requests of the peer. */
  readonly inbound: InboundRequests;
  /** Frames on their way out. */
  readonly sender: Sender;
  /** Batches that nobody has taken. */
  readonly queue: WorkQueue = new WorkQueue(this);
  /** Finds out whether the peer is there, where that is asked for. */
  ping: Ping | undefined = undefined;
  /** Times that bytes came. */
  receives = 0;
  /** Most unanswered requests of this end. */
  maxInflight: number;
  #requests: Requests | undefined = undefined;
  readonly #totals: OapTotals;
  readonly #parser: Parser;
  #timedAt = 0; // frames decoded before the next that is timed
  readonly #router: Router;
  readonly #report: Told = {
    retained: 0,
    owed: 0,
    completed: 0,
    pause: false,
    waits: false,
    kept: false,
  };
  /** What was read and cannot be decoded yet: the work queue is full, or memory must be waited for. */
  readonly #held: Uint8Array[] = [];
  #consumer: ((batch: BorrowedBatch) => void) | undefined = undefined;
  #completed = 0;
  #ended = false;
  #over = false;
  /** The connection is over, whatever is still to be taken. */
  #gone: boolean;
  #draining = false;
  /** Whether bytes are being decoded: what follows them waits, whatever the application does meanwhile. */
  #taking = false;

  /** @param carrier What the connection offers. @param options How to frame it. */
  constructor(carrier: Carrier, options: FramedOptions) {
    const inflate = options.inflate ?? true;
    this.carrier = carrier;
    this.options = options;
    // Only one that can send no more is asked for its signal, which is made when it first is.
    this.#gone = carrier.outbox.failure !== undefined && carrier.signal.aborted;
    this.#totals = OapTotals.of(carrier);
    this.#totals.add(this);
    this.maxInflight = limit("maxInflight", options.maxInflight, 1, CAPS.inflightFrames);
    const memory = memoryOf(carrier);
    this.inbound = new InboundRequests(this.maxInflight, memory);
    this.sender = new Sender(
      carrier,
      frameLimit(options.maxFrameBytes),
      this.inbound,
      this.counters,
      this.#totals.writes,
      memory.heads,
      memory.loans,
    );
    this.#parser = new Parser(this.sender.maxFrameBytes, inflate);
    this.#parser.memory = this;
    this.#router = new Router(this);
    if (options.fragments) this.#parser.parts = (flags, app) => this.#router.mayCut(flags, app);
  }

  /** What this end says in HELLO, by the limits that hold now. */
  get reply(): HelloReply {
    const { inflate = true, transports = DEFAULT_REPLY.transports } = this.options;
    return {
      max_frame: this.sender.maxFrameBytes,
      max_inflight: this.maxInflight,
      flags_supported: inflate ? 0xff : 0xff & ~FLAGS.COMP,
      versions: DEFAULT_REPLY.versions,
      transports,
    };
  }

  /** Takes the peer's HELLO reply: lowers the limits, or breaks off when it is unusable. */
  settle(reply: Frame): Negotiated {
    try {
      const negotiated = negotiate(this.reply, decodeHelloReply(reply));
      this.sender.most = Math.min(this.sender.most, negotiated.maxFrame);
      this.maxInflight = Math.min(this.maxInflight, negotiated.maxInflight);
      this.sender.flags &= negotiated.flags;
      return negotiated;
    } catch (error) {
      if (error instanceof CodecError) this.#fault(error);
      throw error;
    }
  }

  /** From now on every batch is lent to `consumer`, those that wait first. */
  lendTo(consumer: (batch: BorrowedBatch) => void): void {
    this.#consumer = consumer;
    this.#parser.assembly.pool = memoryOf(this.carrier).frames;
    for (let batch = this.queue.shift(); batch !== undefined; batch = this.queue.shift()) {
      this.#lend(batch.runs(), batch.length);
    }
    this.#catchUp();
  }

  get counted(): FramedCounters {
    this.sender.settle();
    return this.counters;
  }

  /** Requests of this end; made with the first. */
  get requests(): Requests {
    return this.#requests ??= new Requests(this.carrier, memoryOf(this.carrier).tables);
  }

  get awaits(): boolean {
    return this.#requests !== undefined && this.#requests.concerned;
  }

  get inflight(): number {
    return this.#requests === undefined ? 0 : this.#requests.size;
  }

  get queued(): number {
    return this.queue.frames;
  }

  /** Whether nothing is read, as the consumer is behind or memory must be waited for. */
  get paused(): boolean {
    return this.#report.pause;
  }

  push(bytes: Uint8Array, owned: boolean): SinkReport {
    this.receives++;
    let kept: boolean;
    if (this.#held.length === 0) kept = this.#take(bytes, owned);
    else {
      const part = keep(bytes, owned);
      kept = part === bytes;
      this.#held.push(part);
    }
    const report = this.#tell();
    report.kept = kept;
    return report;
  }

  /** Memory of an unfinished frame, for the parser. */
  reserve(bytes: number): boolean {
    return this.carrier.reserve(bytes, () => {
      this.#parser.admit();
      this.#catchUp();
    });
  }

  onTaken(): void {
    this.#catchUp();
  }

  end(): void {
    this.#ended = true;
    if (this.#held.length === 0) this.#finish();
  }

  drain(): void {
    this.#draining = true;
    this.ping?.stop();
    this.inbound.stop(); // or a peer that goes on asking would hold the drain up to its deadline
    this.sender.onAnswer = () => this.settled();
    this.settled();
  }

  closed(reason: CloseReason): void {
    const { error } = reason;
    this.ping?.stop();
    this.#gone = true;
    this.#requests?.rejectAll(
      error ??
        new TransportError("io_closed", "The connection closed before the answer came", {
          op: "request",
        }),
    );
    const orderly = reason.kind === "closed";
    // An orderly close loses nothing: what is held is decoded as the consumer takes what came before.
    const more = orderly && this.#held.length > 0 && !this.#parser.blocked;
    if (!more) this.#stop();
    // What came before a fault in the bytes is still delivered: the fault is told in order. After any other
    // cause nothing is.
    const left = orderly || error?.fault !== undefined ? this.#retained : 0;
    // Whatever comes of it: a host may let go of it, and nothing of ours must keep it then.
    this.#totals.remove(this);
    const lost = left > 0 && !this.carrier.leave(left);
    if (more && !lost) return;
    if (more) this.#stop();
    if (left === 0 || lost) this.queue.drop();
    this.queue.finish(orderly && lost ? leftBehind() : error);
  }

  /** Decodes nothing any more. Whoever keeps the connection does not keep what came of a frame. */
  #stop(): void {
    this.#over = true;
    this.#held.splice(0).forEach(release);
    this.#parser.assembly.drop();
    wipeScratch();
  }

  /** A request has been settled; a drain may be waiting for that. */
  settled(): void {
    if (this.#draining && this.inflight === 0 && this.inbound.unanswered === 0) {
      void this.carrier.close();
    }
  }

  /** Decodes and delivers as much as may be delivered; holds the rest. Returns whether `bytes` are in use still. */
  #take(bytes: Uint8Array, owned: boolean): boolean {
    let kept = false;
    this.#taking = true;
    try {
      for (let from = 0; from < bytes.length && !this.#over;) {
        const room = this.#consumer !== undefined || this.queue.wanted
          ? Infinity
          // What the connection left behind is counted as it came: inflated, it would be more.
          : this.#gone
          ? 0
          : this.#room;
        if (room <= 0 || this.#parser.blocked) {
          const rest = bytes.subarray(from);
          const part = keep(rest, owned);
          this.#held.unshift(part);
          return kept || part === rest;
        }
        this.#parser.nextMaxFrameBytes = this.sender.maxFrameBytes;
        const timed = bytes.length >= TIMED_BYTES || this.counters.framesIn >= this.#timedAt;
        const before = timed ? this.carrier.now() : 0;
        from = this.#parser.feed(bytes, from, room);
        const found = this.#parser.take();
        if (timed && found.completed > 0) {
          this.#totals.reads.took(this.carrier.now() - before, found.completed);
          this.#timedAt = this.counters.framesIn + found.completed + TIMED_OF;
        }
        if (this.#distribute(found, owned)) kept = true;
        if (this.#parser.finished) this.#settleReserved();
        if (this.#parser.error !== undefined) this.#fault(this.#parser.error);
      }
    } catch (error) {
      this.#break(TransportError.from(error, "internal", { op: "decode", origin: "library" }));
      return true;
    } finally {
      this.#taking = false;
    }
    return kept;
  }

  /** What was reserved for a frame is now retained, or given back if the application has it. */
  #settleReserved(): void {
    this.#parser.finished = false;
    this.carrier.retain(this.#report.retained = this.#retained, true);
  }

  /** Returns whether the read is in a batch that waits. */
  #distribute(found: Found, owned: boolean): boolean {
    this.#completed += found.completed;
    let kept = false;
    const lending = this.#consumer !== undefined;
    const fault = this.#router.route(found, ({ runs, items }) => {
      if (lending) this.#lend(runs, items);
      else {
        const keeps = owned && fillRead(runs);
        if (keeps) kept ||= runs.some(({ source }) => !source.own);
        this.queue.push(new FrameBatch(keeps ? runs : copyRuns(runs, false), items));
      }
    }, lending);
    if (fault !== undefined) this.#fault(fault);
    if (this.#draining) this.settled();
    return kept;
  }

  #lend(runs: readonly Run[], length: number): void {
    const { pool } = this.#parser.assembly;
    const callback = this.#consumer as (batch: BorrowedBatch) => void;
    const tell = this.sender.loans;
    try {
      lend(runs, length, { callback, tell, pool, check: this.options.checkBorrows ?? false });
    } catch (cause) {
      const message = "The callback of onBatch threw: handle errors inside it";
      this.#break(new TransportError("misuse", message, { op: "read", cause }));
    }
  }

  /** The consumer has taken something: goes on with what was held, then with reading. */
  #catchUp(): void {
    if (this.#taking) return; // it goes on by itself
    this.#tellRetained();
    if (this.#gone && !this.#over) this.#totals.late(this, () => this.#takeHeld());
    else this.#takeHeld();
    if (this.#held.length > 0) return;
    this.#tellRetained();
    if (!this.#report.pause || this.#behind) return;
    this.#report.pause = this.#report.waits = false;
    this.carrier.resume(this.#parser.owed);
  }

  #takeHeld(): void {
    while (this.#held.length > 0 && !this.#over) {
      const bytes = this.#held.shift() as Uint8Array;
      const before = this.#held.length;
      if (!this.#take(bytes, true)) release(bytes);
      if (this.#held.length > before) return;
    }
    if ((this.#ended || this.#gone) && !this.#over) this.#finish();
  }

  #tellRetained(): void {
    const retained = this.#retained;
    if (retained === this.#report.retained) return;
    this.#report.retained = retained;
    this.carrier.retain(retained);
  }

  get #behind(): boolean {
    return this.#held.length > 0 || this.#parser.blocked ||
      (this.#room <= 0 && this.#consumer === undefined && !this.queue.wanted);
  }

  /** Frames that may still be queued. */
  get #room(): number {
    const { bytes, frames } = this.queue;
    return bytes > 0 && this.#retained >= GATHER_BYTES ? 0 : CAPS.workItems - frames;
  }

  get #retained(): number {
    let sum = this.queue.bytes + (this.#over ? 0 : this.#parser.unreserved);
    for (const { length } of this.#held) sum += Math.max(PART_BYTES, length);
    return sum;
  }

  #tell(): Told {
    const report = this.#report;
    const pause = this.#behind && !this.#over;
    if (pause && !report.pause) this.counters.pauses++;
    report.retained = this.#retained;
    report.owed = this.#parser.owed;
    report.completed = this.#completed;
    report.pause = pause;
    report.waits = pause && this.#parser.blocked;
    this.#completed = 0;
    return report;
  }

  #finish(): void {
    // Where this side closed first, the rest of a frame was never to come.
    const fault = this.#ended ? this.#parser.end() : undefined;
    if (fault !== undefined) this.#fault(fault);
    this.queue.finish(undefined);
    if (this.#gone) this.#stop();
    this.#requests?.rejectAll(
      new TransportError("io_closed", "The peer ended its side before the answer came", {
        op: "request",
        origin: "remote",
      }),
    );
    // A callback is not told of the end: what it still owes is answered, then this side ends too.
    // Whoever loops over batches sees the end, and closes.
    if (!this.#over && this.#consumer !== undefined) this.drain();
  }

  #fault(error: CodecError): void {
    if (this.#over) return; // the first ended the connection, and is the one that counts
    this.counters.rejects[error.reason] = (this.counters.rejects[error.reason] ?? 0) + 1;
    this.#break(error);
  }

  #break(error: TransportError): void {
    if (this.#over) return;
    this.#stop();
    this.#parser.memory = undefined;
    this.queue.finish(error);
    this.carrier.fail(error);
  }
}
