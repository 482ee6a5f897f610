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

import type { BlockPool } from "./block_pool.ts";
import { TransportError } from "./errors.ts";
import type { ByteAccount } from "./limits/byte_account.ts";
import type { Flow } from "./limits/lane.ts";
import type { Pacer } from "./limits/pacer.ts";
import type { Peer } from "./limits/peers.ts";
import type { Socket } from "./runtime/runtime.ts";
import type { Outbox, WriteDone } from "./sink.ts";
import { WriteCredit } from "./write_credit.ts";
import { flushQueue } from "./write_flush.ts";
import { WriteLine } from "./write_line.ts";
import { WriteQueue } from "./write_queue.ts";

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

/** See the module. Made when the socket is; starts sending at {@linkcode Writer.start}. */
export class Writer implements Outbox, Flow {
  readonly smallBytes: number = SMALL_BYTES;
  readonly #bounds: WriterBounds;
  readonly #owner: WriterOwner;
  readonly #account: ByteAccount | undefined;
  readonly #queue: WriteQueue;
  readonly #credit: WriteCredit = new WriteCredit(this);
  /** Made when somebody first waits. */
  #line: WriteLine | undefined;
  #socket: Socket | undefined;
  #failure: TransportError | undefined;
  #ending = false;
  #shut = false;
  #scheduled = false;
  #blocked = false;
  #busy = false;
  /** Whether what is next has to be paid first. */
  #unpaid = false;

  /** @param bounds The bounds. @param owner Whom to tell. @param account What the bytes queued here count towards. */
  constructor(bounds: WriterBounds, owner: WriterOwner, account?: ByteAccount) {
    this.#bounds = bounds;
    this.#owner = owner;
    this.#account = account;
    this.#queue = new WriteQueue(bounds.items, bounds.pool, account);
  }

  /** Whose rates pay for what is sent. */
  belong(pacer: Pacer, peer: Peer | undefined): void {
    this.#credit.belong(pacer, peer);
  }

  get failure(): TransportError | undefined {
    return this.#failure;
  }

  get items(): number {
    return this.#queue.items;
  }

  /** Bytes queued, or lent to the runtime. */
  get bytes(): number {
    return this.#queue.bytes;
  }

  get block(): Uint8Array {
    return this.#queue.block.bytes;
  }

  get blockView(): DataView {
    return this.#queue.block.view;
  }

  reserve(n: number): number {
    // Most items follow one that was admitted in the same turn, in the same block: nothing is asked again.
    const at = this.#queue.reserveAllowed(n);
    if (at >= 0) return at;
    return this.#admit(n) ? this.#reserve(n) : -1;
  }

  push(head: Uint8Array | undefined, body: Uint8Array, done: WriteDone | undefined): boolean {
    const headLength = head === undefined ? 0 : head.length;
    const n = headLength + body.length;
    if (!this.#admit(n)) return false;
    if (n <= SMALL_BYTES) {
      const at = this.#reserve(n);
      if (head !== undefined) this.block.set(head, at);
      this.block.set(body, at + headLength);
      done?.(undefined);
      return true;
    }
    this.#queue.push(head, body, done);
    this.#tellBusy(true);
    this.#schedule();
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
      `No room for ${n} bytes: the writer inbox holds ${this.items} of ${this.#bounds.items} items and ${this.bytes} of ${this.#bounds.bytes} bytes, ${this.#waiting} callers wait; wait with send() or write()`,
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
    const queue = this.#queue;
    queue.allow(0); // nobody overtakes
    const putInTurn = (): boolean => {
      try {
        return put();
      } finally {
        queue.allow(0);
      }
    };
    return line.join(bytes, putInTurn, signal);
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
    this.#queue.allow(0);
    this.#line?.reject(failure);
    this.#flush();
  }

  /** Nothing more is sent. What was queued is told so; memory lent to the runtime is left to it. */
  fail(failure: TransportError): void {
    this.#failure ??= failure;
    this.#ending = false;
    this.#socket = undefined;
    this.#credit.close();
    this.#line?.reject(failure);
    for (const { done } of this.#queue.clear()) done?.(failure);
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
      : Math.max(0, this.#queue.unsent - this.#credit.bytes);
  }

  /** `n` bytes of the queue are paid. */
  grant(n: number): void {
    this.#credit.bytes += n;
    this.#schedule();
  }

  #admit(n: number): boolean {
    if (this.#failure !== undefined) return false;
    if (!this.#myTurn) return false;
    if (!this.#hasRoom(n)) return false;
    return this.#line?.serving === true || this.#credit.pay(n); // in turn, it is paid for as it is sent
  }

  /** Callers in line. */
  get #waiting(): number {
    return this.#line?.length ?? 0;
  }

  #hasRoom(n: number): boolean {
    const { items, bytes } = this.#bounds;
    const account = this.#account;
    return this.items < items && this.bytes + n <= bytes &&
      (account === undefined || account.canQueue(n));
  }

  /** Makes room for a small item that was admitted, and allows more of them in this turn as far as can be told. */
  #reserve(n: number): number {
    const queue = this.#queue;
    const runs = queue.length;
    const at = queue.reserve(n);
    if (queue.length > runs) this.#tellBusy(true);
    this.#schedule();
    const free = this.#scheduled && this.#myTurn && this.#credit.lane === undefined;
    queue.allow(free ? Math.min(this.#bounds.bytes - queue.bytes, this.#floor) : 0);
    return at;
  }

  /** Whether nobody waits, or whoever does has its turn now. */
  get #myTurn(): boolean {
    return this.#line === undefined || this.#line.serving || this.#line.length === 0;
  }

  /** Bytes that need no room in the budget. */
  get #floor(): number {
    return this.#account === undefined ? Infinity : this.#account.queueFloor;
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
    this.#queue.allow(0);
    const { taken, blocked, unpaid } = flushQueue(this.#queue, socket, this.#credit);
    if (blocked) this.#blocked = true;
    if (taken > 0) this.#owner.onTaken(taken);
    if (unpaid !== this.#unpaid) this.#owner.onUnpaid(this.#unpaid = unpaid);
    this.#release(socket.lends ? 0 : Infinity);
    this.#judge();
    this.#finishIfDone();
  }

  /** Frees up to `n` taken bytes, oldest first. */
  #release(n: number): void {
    const free = this.#queue.release(n);
    // Out of the queue first: whoever is told may write again, or break the connection off.
    if (this.#queue.length === 0) this.#tellBusy(false);
    for (const { done } of free) done?.(undefined);
    this.#line?.serve();
  }

  /** Waiting for tokens is not waiting for the peer. */
  #judge(): void {
    this.#tellBusy(this.#queue.length > 0 && !(this.#unpaid && this.#queue.lent === 0));
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
    if (this.items < items && this.bytes + n <= bytes) {
      account?.whenQueueable(n, () => this.#line?.serve());
    }
    return false;
  }

  #finishIfDone(): void {
    if (!this.#ending || this.#shut || this.#queue.length > 0) return;
    this.#shut = true;
    this.#socket?.shutdown();
  }
}
