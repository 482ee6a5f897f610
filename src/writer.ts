/**
 * The one writer of a connection: a bounded inbox, drained in order into the socket.
 *
 * Nothing else touches a socket's write side. Small items are gathered in a block of 4 or 64 KiB and go
 * out as one write; large ones go as they are, by reference. An item is refused whole, before
 * anything is copied, when the inbox is full, the byte budget is spent, or the egress rate cannot pay
 * for its first piece. Callers that wait get their turn in order, and nobody overtakes them.
 *
 * @module
 */

import { type Block, type BlockPool, SMALL_BLOCK_BYTES } from "./block_pool.ts";
import { TransportError } from "./errors.ts";
import type { ByteAccount } from "./limits/byte_account.ts";
import type { Lane } from "./limits/lane.ts";
import type { Pacer } from "./limits/pacer.ts";
import type { Peer } from "./limits/peers.ts";
import type { Socket } from "./runtime/runtime.ts";
import type { Outbox, WriteDone } from "./sink.ts";
import { WriteLine } from "./write_line.ts";

/**
 * Items up to this size are copied into a block; larger ones go by reference. Two system calls more, for a
 * header and a body, cost several times what copying 32 KiB does.
 */
const SMALL_BYTES = 32_768;

/** What the writers of a transport share. */
export interface WriterBounds {
  /** Most items. */
  readonly items: number;
  /** Most bytes. */
  readonly bytes: number;
  /** Where blocks come from. */
  readonly pool: BlockPool;
}

/** Whom a writer tells. */
export interface WriterOwner {
  /** The inbox becomes busy (first byte waits) or idle (all is handed over). */
  onBusy(busy: boolean): void;
  /** What is next has to wait for our own tokens, or no longer does. */
  onUnpaid(unpaid: boolean): void;
  /** The runtime took `n` bytes. */
  onTaken(n: number): void;
  /** An item was refused: the inbox was full, or the rate could not pay. */
  onRefused(kind: "busy" | "rate_limited"): void;
}

/**
 * One run of memory to send. Invariant: `0 <= released <= taken <= end <= bytes.length`, where
 * `taken` bytes went to the runtime and `released` of them are free again.
 */
interface Run {
  readonly bytes: Uint8Array;
  readonly block: Block | undefined;
  done: WriteDone | undefined;
  items: number;
  released: number;
  taken: number;
  end: number;
}

/** See the module. Made when the socket is; starts sending at {@linkcode Writer.start}. */
export class Writer implements Outbox {
  readonly smallBytes: number = SMALL_BYTES;
  readonly #bounds: WriterBounds;
  readonly #owner: WriterOwner;
  readonly #account: ByteAccount | undefined;
  readonly #runs: Run[] = [];
  /** Made when somebody first waits. */
  #line: WriteLine | undefined;
  #socket: Socket | undefined;
  #failure: TransportError | undefined;
  #ending = false;
  #shut = false;
  #scheduled = false;
  #blocked = false;
  #next = 0; // index in #runs of the first run that is not wholly taken
  #items = 0;
  #bytes = 0;
  #block: Block | undefined;
  /** Whether the last block was outgrown: the next one is large. */
  #large = false;
  #pacer: Pacer | undefined;
  #peer: Peer | undefined;
  /** Made when a rate first applies. */
  #lane: Lane | undefined;
  /** Bytes that are paid and not taken: the front of the queue. */
  #credit = 0;
  /** Bytes that are taken and not released. */
  #lent = 0;
  #busy = false;
  /** Whether what is next has to be paid first. */
  #unpaid = false;

  /** @param bounds The bounds. @param owner Whom to tell. @param account What the bytes queued here count towards. */
  constructor(bounds: WriterBounds, owner: WriterOwner, account?: ByteAccount) {
    this.#bounds = bounds;
    this.#owner = owner;
    this.#account = account;
  }

  /** Whose rates pay for what is sent. */
  belong(pacer: Pacer, peer: Peer | undefined): void {
    this.#pacer = pacer;
    this.#peer = peer;
  }

  get failure(): TransportError | undefined {
    return this.#failure;
  }

  get items(): number {
    return this.#items;
  }

  /** Bytes queued, or lent to the runtime. */
  get bytes(): number {
    return this.#bytes;
  }

  get block(): Uint8Array {
    return this.#block!.bytes;
  }

  get blockView(): DataView {
    return this.#block!.view;
  }

  reserve(n: number): number {
    if (!this.#admit(n)) return -1;
    return this.#reserve(n);
  }

  push(head: Uint8Array | undefined, body: Uint8Array, done: WriteDone | undefined): boolean {
    const headLength = head === undefined ? 0 : head.length;
    const n = headLength + body.length;
    if (!this.#admit(n)) return false;
    if (n <= SMALL_BYTES) {
      const at = this.#reserve(n);
      if (head !== undefined) this.#block!.bytes.set(head, at);
      this.#block!.bytes.set(body, at + headLength);
      done?.(undefined);
      return true;
    }
    // One item in up to two runs: the head joins small items before it, the body stays where it is.
    const tail = this.#runs[this.#runs.length - 1];
    if (
      head !== undefined && tail?.block !== undefined && tail.end + headLength <= tail.bytes.length
    ) {
      const at = this.#reserve(headLength);
      this.#block!.bytes.set(head, at);
      this.#runs[this.#runs.length - 1]!.items--;
      this.#items--;
    } else if (head !== undefined) {
      this.#append(head, undefined, undefined, headLength, 0);
    }
    this.#append(body, undefined, done, body.length, 1);
    return true;
  }

  refusal(n: number): TransportError {
    if (this.#failure !== undefined) return this.#failure;
    const kind = this.#waiting > 0 || !this.#hasRoom(n) ? "busy" : "rate_limited";
    this.#owner.onRefused(kind);
    if (kind === "rate_limited") {
      return new TransportError(
        kind,
        "The egress rate cannot pay for this now: wait with send() or write(), or send less",
        { op: "write", retry: "later" },
      );
    }
    return new TransportError(
      kind,
      `No room for ${n} bytes: the writer inbox holds ${this.#items} of ${this.#bounds.items} items and ${this.#bytes} of ${this.#bounds.bytes} bytes, ${this.#waiting} callers wait; wait with send() or write()`,
      { op: "write" },
    );
  }

  get crowded(): boolean {
    return this.#line?.full ?? false;
  }

  inTurn(bytes: number, put: () => boolean, signal?: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const line = this.#line ??= new WriteLine((n) => this.#hasRoom(n) || this.#awaitBudget(n));
    if (line.full) {
      this.#owner.onRefused("busy");
      return Promise.reject(line.refusal());
    }
    return line.join(bytes, put, signal);
  }

  /** The socket is usable: begin to send. */
  start(socket: Socket): void {
    this.#socket = socket;
    this.#flush();
  }

  /** Nothing more is accepted; once all is sent, the socket is shut down for writing. */
  end(failure: TransportError): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#ending = true;
    this.#line?.reject(failure);
    this.#flush();
  }

  /** Nothing more is sent. What was queued is told so; memory lent to the runtime is left to it. */
  fail(failure: TransportError): void {
    this.#failure ??= failure;
    this.#ending = false;
    this.#socket = undefined;
    this.#lane?.close();
    this.#line?.reject(failure);
    const runs = this.#runs.splice(0);
    const lent = this.#next;
    this.#next =
      this.#items =
      this.#bytes =
      this.#lent =
        0;
    this.#block = undefined;
    runs.forEach((run, i) => {
      if (run.block !== undefined && i >= lent && run.taken === run.released) {
        this.#bounds.pool.give(run.block);
      }
      run.done?.(failure);
    });
  }

  /** The runtime no longer reads the oldest `n` lent bytes. */
  written(n: number): void {
    this.#release(n);
    this.#judge();
    this.#finishIfDone();
  }

  /** The runtime takes bytes again. */
  drained(): void {
    this.#blocked = false;
    this.#flush();
  }

  /** Bytes that wait for tokens: none while the runtime takes nothing more anyway. */
  waiting(): number {
    return this.#blocked || this.#socket === undefined
      ? 0
      : Math.max(0, this.#unsent - this.#credit);
  }

  /** `n` bytes of the queue are paid. */
  grant(n: number): void {
    this.#credit += n;
    this.#schedule();
  }

  /** Bytes queued that the runtime has not taken. */
  get #unsent(): number {
    let n = 0;
    for (let i = this.#next; i < this.#runs.length; i++) {
      n += this.#runs[i]!.end - this.#runs[i]!.taken;
    }
    return n;
  }

  #admit(n: number): boolean {
    if (this.#failure !== undefined) return false;
    // Whoever waited has its turn, and is paid for as it is sent; others come after those who wait.
    const line = this.#line;
    if (line !== undefined && !line.serving && line.length > 0) return false;
    if (!this.#hasRoom(n)) return false;
    return line?.serving === true || this.#pay(n);
  }

  /** Callers in line. */
  get #waiting(): number {
    return this.#line?.length ?? 0;
  }

  #hasRoom(n: number): boolean {
    const { items, bytes } = this.#bounds;
    const account = this.#account;
    return this.#items < items && this.#bytes + n <= bytes &&
      (account === undefined || account.canQueue(n));
  }

  /** The lane, where a rate applies now. */
  #paced(): Lane | undefined {
    if (this.#pacer === undefined || !this.#pacer.limits(this.#peer)) return undefined;
    return this.#lane ??= this.#pacer.lane(this.#peer, this);
  }

  /** Pays for the first piece of an item, where there is a rate. */
  #pay(n: number): boolean {
    const lane = this.#paced();
    if (lane === undefined) return true;
    const first = Math.min(n, lane.piece);
    if (!lane.tryPay(first)) return false;
    this.#credit += first;
    return true;
  }

  #reserve(n: number): number {
    let run = this.#runs[this.#runs.length - 1];
    if (run?.block === undefined || run.end + n > run.bytes.length) {
      if (run?.block !== undefined || n > SMALL_BLOCK_BYTES) this.#large = true;
      this.#block = this.#bounds.pool.take(this.#large);
      run = this.#append(this.#block.bytes, this.#block, undefined, 0, 0);
    }
    // A run that was wholly taken before gets a tail: it is the next to send again.
    if (this.#next === this.#runs.length) this.#next--;
    this.#block = run.block;
    const at = run.end;
    run.end += n;
    run.items++;
    this.#items++;
    this.#bytes += n;
    this.#account?.queue(n);
    this.#schedule();
    return at;
  }

  #append(
    bytes: Uint8Array,
    block: Block | undefined,
    done: WriteDone | undefined,
    end: number,
    items: number,
  ): Run {
    const run: Run = { bytes, block, done, items, released: 0, taken: 0, end };
    this.#runs.push(run);
    this.#items += items;
    this.#bytes += end;
    if (end > 0) this.#account?.queue(end);
    this.#tellBusy(true);
    this.#schedule();
    return run;
  }

  /** One flush a turn, after its small items are gathered. */
  #schedule(): void {
    if (this.#scheduled || this.#blocked || this.#socket === undefined) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#blocked) return;
    const several = this.#runs.length - this.#next > 1;
    const lane = this.#paced();
    if (lane === undefined) this.#credit = 0;
    let unpaid = false;
    let all = 0;
    const gathers = several && !socket.lends && lane === undefined;
    if (gathers) all = this.#gather(socket);
    else if (several) socket.cork();
    while (this.#next < this.#runs.length && !this.#blocked && this.#socket !== undefined) {
      const run = this.#runs[this.#next]!;
      const rest = run.end - run.taken;
      const want = lane === undefined ? rest : Math.min(rest, this.#credit);
      if (want > 0) {
        const took = socket.write(view(run, want));
        run.taken += took;
        this.#lent += took;
        if (lane !== undefined) this.#credit -= took;
        all += took;
        if (took < want) {
          this.#blocked = true;
          break;
        }
      }
      if (want < rest) {
        lane!.wait();
        unpaid = true;
        break;
      }
      this.#next++;
    }
    if (several && !gathers) socket.uncork();
    if (all > 0) this.#owner.onTaken(all);
    if (unpaid !== this.#unpaid) this.#owner.onUnpaid(this.#unpaid = unpaid);
    this.#release(socket.lends ? 0 : Infinity);
    this.#judge();
    this.#finishIfDone();
  }

  /**
   * Sends runs by fewer writes, until one is left or the socket takes no more: where the runtime copies
   * anyway, one more copy costs less than a write for each. Very large ones are not copied.
   *
   * @returns Bytes taken.
   */
  #gather(socket: Socket): number {
    const { scratch } = this.#bounds.pool;
    let all = 0;
    while (this.#next < this.#runs.length - 1 && this.#socket !== undefined) {
      const first = this.#runs[this.#next]!;
      const rest = first.end - first.taken;
      const bytes = rest < scratch.length
        ? scratch.subarray(0, this.#fill(scratch))
        : view(first, rest);
      const took = socket.write(bytes);
      this.#take(took);
      all += took;
      if (took < bytes.length) {
        this.#blocked = true;
        break;
      }
    }
    return all;
  }

  /** Copies runs from the next one on, up to a very large one. Returns how many bytes. */
  #fill(scratch: Uint8Array): number {
    let filled = 0;
    for (let i = this.#next; i < this.#runs.length && filled < scratch.length; i++) {
      const run = this.#runs[i]!;
      const rest = run.end - run.taken;
      if (rest >= scratch.length) break;
      const n = Math.min(rest, scratch.length - filled);
      scratch.set(view(run, n), filled);
      filled += n;
    }
    return filled;
  }

  /** The runtime took `n` bytes, over one run or more. */
  #take(n: number): void {
    this.#lent += n;
    for (let left = n; left > 0;) {
      const run = this.#runs[this.#next]!;
      const part = Math.min(left, run.end - run.taken);
      run.taken += part;
      left -= part;
      if (run.taken === run.end) this.#next++;
    }
  }

  /** Frees up to `n` taken bytes, oldest first. A run that is wholly free leaves the queue. */
  #release(n: number): void {
    let finished = 0;
    let all = 0;
    for (const run of this.#runs) {
      const freed = Math.min(n, run.taken - run.released);
      run.released += freed;
      this.#bytes -= freed;
      all += freed;
      n -= freed;
      if (run.released < run.end) break;
      finished++;
    }
    this.#lent -= all;
    if (all > 0) this.#account?.queue(-all);
    if (finished === 0) return this.#line?.serve();
    // Out of the queue first: whoever is told may write again, or break the connection off.
    const free = this.#runs.splice(0, finished);
    this.#next = Math.max(0, this.#next - finished);
    for (const run of free) {
      this.#items -= run.items;
      if (run.block === undefined) continue;
      // Alone, a large one was not needed; after a small one it was.
      if (finished === 1 && run.end <= SMALL_BLOCK_BYTES) this.#large = false;
      this.#bounds.pool.give(run.block);
    }
    if (this.#runs.length === 0) {
      this.#block = undefined;
      this.#tellBusy(false);
    }
    for (const run of free) run.done?.(undefined);
    this.#line?.serve();
  }

  /** Waiting for tokens is not waiting for the peer. */
  #judge(): void {
    this.#tellBusy(this.#runs.length > 0 && !(this.#unpaid && this.#lent === 0));
  }

  #tellBusy(busy: boolean): void {
    if (busy === this.#busy) return;
    this.#busy = busy;
    this.#owner.onBusy(busy);
  }

  /** Room in the inbox comes with the next release; room in the budget can come from anywhere. */
  #awaitBudget(n: number): boolean {
    const { items, bytes } = this.#bounds;
    const account = this.#account;
    if (this.#items < items && this.#bytes + n <= bytes) {
      account?.whenQueueable(n, () => this.#line?.serve());
    }
    return false;
  }

  #finishIfDone(): void {
    if (!this.#ending || this.#shut || this.#runs.length > 0) return;
    this.#shut = true;
    this.#socket?.shutdown();
  }
}

/** The next `n` bytes of a run that the runtime has not taken; the run's own memory where that is all of it. */
function view(run: Run, n: number): Uint8Array {
  if (run.taken === 0 && n === run.bytes.length) return run.bytes;
  return new Uint8Array(run.bytes.buffer, run.bytes.byteOffset + run.taken, n);
}
