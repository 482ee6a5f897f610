/**
 * Pays for bytes out of token buckets, fairly: by peer first, then by connection.
 *
 * @module
 */

import type { Clock, Timer } from "../clock.ts";
import { type Flow, Lane, type PaceScope } from "./lane.ts";
import type { Peer } from "./peers.ts";
import { TokenBucket, tryConsumeAll } from "./token_bucket.ts";

/** What a peer may take in its turn, in bytes; no piece is larger. */
const QUANTUM_BYTES = 65_536;

/** Rates of one direction as they are now, per second; 0 is no limit. */
export interface PaceRates {
  /** Of one connection. */
  conn(): number;
  /** Of one peer. */
  peer(): number;
  /** Of all together. */
  global(): number;
}

/**
 * One direction of a transport. Flows that cannot be paid at once wait by peer; peers take turns of
 * 64 KiB each (deficit round robin), so that many connections of one peer get no more than one.
 *
 * Whoever's turn it is and is short of tokens that it shares with others keeps its turn until they are
 * there: otherwise small pieces would take them all, and a large one would never be paid.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #rates: PaceRates;
  readonly #chunk: () => number;
  readonly #bucketOf: (peer: Peer) => TokenBucket;
  readonly #global: TokenBucket;
  /** Peers with flows that wait, in the order of their turns: the first has it. */
  readonly #queues = new Map<object, PeerQueue>();
  /** The same of those who had something left of their turn when they last waited: they go on with it. */
  readonly #back = new Map<object, PeerQueue>();
  /** What a peer has left of its turn that waits no more: it may be back with its next receive. */
  readonly #left = new WeakMap<object, number>();
  /** Whether the one whose turn it is waits for the global bucket. */
  #short = false;
  #timer: Timer | undefined = undefined;
  #timerAt = Infinity;
  #serving = false;

  /**
   * @param clock Monotonic time.
   * @param rates The rates.
   * @param chunk Most bytes of one piece, now.
   * @param bucketOf The bucket of a peer in this direction.
   */
  constructor(
    clock: Clock,
    rates: PaceRates,
    chunk: () => number,
    bucketOf: (peer: Peer) => TokenBucket,
  ) {
    this.#clock = clock;
    this.#rates = rates;
    this.#chunk = chunk;
    this.#bucketOf = bucketOf;
    this.#global = new TokenBucket(rates.global(), clock.now());
  }

  /** Flows that wait. */
  get waiting(): number {
    let n = 0;
    for (const { lanes } of this.#back.values()) n += lanes.length;
    for (const { lanes } of this.#queues.values()) n += lanes.length;
    return n;
  }

  /** A lane for one connection's bytes. */
  lane(peer: Peer | undefined, flow: Flow): Lane {
    return new Lane(this, peer, flow, new TokenBucket(this.#rates.conn(), this.#clock.now()));
  }

  /** Whether any bucket limits a connection of this peer: if not, it needs no lane. */
  limits(peer: Peer | undefined): boolean {
    return this.#rates.conn() !== 0 || this.#rates.global() !== 0 ||
      (peer !== undefined && this.#rates.peer() !== 0);
  }

  /** @internal Largest piece that is paid at once: half of a bucket, so that a late timer loses no tokens. */
  piece(lane: Lane): number {
    this.#update(lane);
    const peer = lane.peer === undefined ? Infinity : this.#bucketOf(lane.peer).capacity;
    const least = Math.min(lane.bucket.capacity, peer, this.#global.capacity);
    return Math.max(1, Math.floor(Math.min(this.#chunk(), QUANTUM_BYTES, least / 2)));
  }

  /** @internal Pays `n` bytes now, or nothing. Nobody overtakes a lane that waits for the same tokens. */
  tryPay(lane: Lane, n: number): boolean {
    if (lane.queued || this.#short) return false;
    if (lane.peer !== undefined && this.#queueOf(lane.peer)?.short) return false;
    this.#update(lane);
    return this.#pay(lane, n);
  }

  /** @internal The lane's flow waits. */
  enqueue(lane: Lane): void {
    if (lane.queued) return;
    lane.queued = true;
    const key = lane.peer ?? lane;
    let queue = this.#queueOf(key);
    if (queue === undefined) {
      const deficit = this.#left.get(key) ?? 0;
      this.#left.delete(key);
      queue = { lanes: [], deficit, begun: deficit > 0, short: false };
      (queue.begun ? this.#back : this.#queues).set(key, queue);
    }
    queue.lanes.push(lane);
    const { ms, scope } = this.#waitOf(lane);
    queue.short ||= scope === "peer";
    this.#short ||= scope === "global";
    this.#arm(ms);
  }

  /** @internal The lane's flow waits no more. */
  dequeue(lane: Lane): void {
    if (!lane.queued) return;
    lane.queued = false;
    const key = lane.peer ?? lane;
    const queue = this.#queueOf(key)!;
    queue.lanes.splice(queue.lanes.indexOf(lane), 1);
    if (queue.lanes.length > 0) return;
    if (queue.deficit > 0) this.#left.set(key, queue.deficit);
    this.#queues.delete(key);
    this.#back.delete(key);
    if (this.#size > 0) return;
    this.#short = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  /** @internal Which bucket keeps the lane waiting the longest. */
  scope(lane: Lane): PaceScope {
    if (this.#short) return "global";
    if (lane.peer !== undefined && this.#queueOf(lane.peer)?.short) return "peer";
    this.#update(lane);
    return this.#waitOf(lane, lane.flow.waiting()).scope; // all of it, of which a piece may be there
  }

  get #size(): number {
    return this.#queues.size + this.#back.size;
  }

  #queueOf(key: object): PeerQueue | undefined {
    return this.#queues.get(key) ?? this.#back.get(key);
  }

  /** Whose turn it is. */
  #first(): [object, PeerQueue] {
    for (const entry of this.#back) return entry;
    return this.#queues.entries().next().value!;
  }

  /** The rates are others now: those who wait are served by them, and not when the old ones would. */
  changed(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Infinity;
    for (const { lanes } of this.#queues.values()) for (const lane of lanes) this.#update(lane);
    this.#serve();
  }

  /** Pays whoever can be paid, then waits for the next that can. */
  #serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    this.#short = false;
    let wait = Infinity;
    try {
      // Until the global bucket is empty, or one turn of each has paid nothing.
      for (let vain = 0; vain < this.#size;) {
        const [key, queue] = this.#first();
        const turn = this.#turn(queue);
        if (turn.short) {
          this.#short = true;
          wait = turn.waitMs;
          break;
        }
        if (turn.paid) {
          vain = 0;
          wait = Infinity;
        } else vain++;
        wait = Math.min(wait, turn.waitMs);
        if (this.#queueOf(key) !== queue) continue;
        this.#back.delete(key);
        this.#queues.delete(key);
        this.#queues.set(key, queue);
      }
    } finally {
      this.#serving = false;
    }
    if (wait !== Infinity && this.#size > 0) this.#arm(wait);
  }

  /** One peer's turn: its lanes, one piece each, while its deficit and the tokens last. */
  #turn(queue: PeerQueue): Turn {
    if (!queue.begun) queue.deficit += QUANTUM_BYTES;
    queue.begun = queue.short = false;
    let paid = false;
    let waitMs = Infinity;
    for (let vain = 0; vain < queue.lanes.length;) {
      const lane = queue.lanes[0]!;
      const n = Math.min(lane.flow.waiting(), this.piece(lane));
      if (n === 0) {
        this.dequeue(lane);
        continue;
      }
      if (n > queue.deficit) return { paid, short: false, waitMs: 0 };
      if (!this.#pay(lane, n)) {
        const { ms, scope } = this.#waitOf(lane);
        if (scope === "global") {
          queue.begun = true;
          return { paid, short: true, waitMs: ms };
        }
        waitMs = Math.min(waitMs, ms);
        if (scope === "peer") {
          queue.short = true;
          break;
        }
        vain++;
        queue.lanes.push(queue.lanes.shift()!);
        continue;
      }
      vain = 0;
      paid = true;
      queue.deficit -= n;
      // To the back: its next piece comes after those of its peer's other connections.
      queue.lanes.push(queue.lanes.shift()!);
      lane.flow.grant(n);
      if (lane.flow.waiting() === 0) this.dequeue(lane);
    }
    queue.deficit = 0; // what it could not use is not saved up
    return { paid, short: false, waitMs };
  }

  #pay(lane: Lane, n: number): boolean {
    const buckets = lane.peer === undefined
      ? [lane.bucket, this.#global]
      : [lane.bucket, this.#bucketOf(lane.peer), this.#global];
    return tryConsumeAll(buckets, n, this.#clock.now());
  }

  /** How long its next piece must wait, and for which bucket the longest. */
  #waitOf(
    lane: Lane,
    n: number = Math.min(Math.max(1, lane.flow.waiting()), this.piece(lane)),
  ): { ms: number; scope: PaceScope } {
    const now = this.#clock.now();
    const wait = { ms: lane.bucket.waitMs(n, now), scope: "conn" as PaceScope };
    const peer = lane.peer === undefined ? 0 : this.#bucketOf(lane.peer).waitMs(n, now);
    if (peer > wait.ms) Object.assign(wait, { ms: peer, scope: "peer" });
    const global = this.#global.waitMs(n, now);
    if (global > wait.ms) Object.assign(wait, { ms: global, scope: "global" });
    return wait;
  }

  #update(lane: Lane): void {
    const now = this.#clock.now();
    lane.bucket.setRate(this.#rates.conn(), now);
    this.#global.setRate(this.#rates.global(), now);
    if (lane.peer !== undefined) this.#bucketOf(lane.peer).setRate(this.#rates.peer(), now);
  }

  #arm(ms: number): void {
    const at = this.#clock.now() + ms;
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    // Timers count whole milliseconds; one early would find nothing to pay.
    this.#timer = this.#clock.after(Math.max(1, Math.ceil(ms)), () => {
      this.#timer = undefined;
      this.#timerAt = Infinity;
      this.#serve();
    });
  }
}

/** The flows of one peer that wait; the first is the next to be paid. */
interface PeerQueue {
  readonly lanes: Lane[];
  /** Bytes left of its turn. */
  deficit: number;
  /** Whether its turn goes on when there are tokens again. */
  begun: boolean;
  /** Whether the first waits for the peer's own bucket. */
  short: boolean;
}

/** What came of one peer's turn. */
interface Turn {
  readonly paid: boolean;
  /** It goes on when the global bucket has tokens again; nobody else is paid before. */
  readonly short: boolean;
  /** Milliseconds until another can pay something. */
  readonly waitMs: number;
}
