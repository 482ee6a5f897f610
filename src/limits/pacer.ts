/**
 * Pays for bytes out of token buckets, fairly: by peer first, then by connection.
 *
 * @module
 */

import type { Clock, Timer } from "../clock.ts";
import type { Peer } from "./peers.ts";
import { TokenBucket, tryConsumeAll } from "./token_bucket.ts";

/** What a peer may take in its turn, in bytes. */
const QUANTUM_BYTES = 65_536;

/** Which bucket a flow had to wait for. */
export type PaceScope = "conn" | "peer" | "global";

/** One connection's bytes in one direction. */
export interface Flow {
  /** Bytes that wait for tokens now; 0 when there are none any more. */
  waiting(): number;
  /** `n` bytes are paid. May ask again, but not synchronously take. */
  grant(n: number): void;
}

/** Rates of one direction as they are now, per second; 0 is no limit. */
export interface PaceRates {
  /** Of one connection. */
  conn(): number;
  /** Of all together. */
  global(): number;
}

/**
 * One direction of a transport. Flows that cannot be paid at once wait by peer; peers take turns of
 * 64 KiB each (deficit round robin), so that many connections of one peer get no more than one.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #rates: PaceRates;
  readonly #chunk: () => number;
  readonly #bucketOf: (peer: Peer) => TokenBucket;
  readonly #global: TokenBucket;
  /** Peers with flows that wait, in the order of their turns. */
  readonly #queues = new Map<unknown, PeerQueue>();
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
    for (const queue of this.#queues.values()) n += queue.lanes.length;
    return n;
  }

  /** A lane for one connection's bytes. */
  lane(peer: Peer | undefined, flow: Flow): Lane {
    return new Lane(this, peer, flow, new TokenBucket(this.#rates.conn(), this.#clock.now()));
  }

  /** Whether any bucket limits a connection of this peer: if not, it needs no lane. */
  limits(peer: Peer | undefined): boolean {
    return this.#rates.conn() !== 0 || this.#rates.global() !== 0 ||
      (peer !== undefined && this.#bucketOf(peer).limits);
  }

  /** @internal Largest piece that can be paid at once. */
  piece(lane: Lane): number {
    this.#update(lane);
    const least = Math.min(...this.#bucketsOf(lane).map((bucket) => bucket.capacity));
    return Math.max(1, Math.floor(Math.min(this.#chunk(), least)));
  }

  /** @internal Pays `n` bytes now, or nothing. Nobody overtakes a lane that waits for the same bucket. */
  tryPay(lane: Lane, n: number): boolean {
    if (this.#blocked(lane)) return false;
    this.#update(lane);
    return tryConsumeAll(this.#bucketsOf(lane), n, this.#clock.now());
  }

  /** @internal The lane's flow waits. */
  enqueue(lane: Lane): void {
    if (lane.queued) return;
    lane.queued = true;
    const key = lane.peer ?? lane;
    let queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, queue = { lanes: [], deficit: 0 });
    queue.lanes.push(lane);
    this.#arm(this.#waitOf(lane).ms);
  }

  /** @internal The lane's flow waits no more. */
  dequeue(lane: Lane): void {
    if (!lane.queued) return;
    lane.queued = false;
    const key = lane.peer ?? lane;
    const queue = this.#queues.get(key)!;
    queue.lanes.splice(queue.lanes.indexOf(lane), 1);
    if (queue.lanes.length === 0) this.#queues.delete(key);
  }

  /** @internal Which bucket keeps the lane waiting the longest. */
  scope(lane: Lane): PaceScope {
    return this.#waitOf(lane).scope;
  }

  /** Pays whoever can be paid, then waits for the next that can. */
  #serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    try {
      let paid = true;
      // Each pass gives every peer one turn. A pass that pays nobody is the last.
      while (paid) {
        paid = false;
        for (const queue of [...this.#queues.values()]) paid = this.#turn(queue) || paid;
      }
    } finally {
      this.#serving = false;
    }
    let wait = Infinity;
    for (const { lanes } of this.#queues.values()) {
      for (const lane of lanes) wait = Math.min(wait, this.#waitOf(lane).ms);
    }
    if (wait !== Infinity) this.#arm(wait);
  }

  /** One peer's turn: its lanes, one piece each, while its deficit lasts. */
  #turn(queue: PeerQueue): boolean {
    queue.deficit = Math.min(queue.deficit + QUANTUM_BYTES, 2 * QUANTUM_BYTES);
    let paid = false;
    for (let left = queue.lanes.length; left > 0 && queue.lanes.length > 0; left--) {
      const lane = queue.lanes[0]!;
      const n = Math.min(lane.flow.waiting(), this.piece(lane));
      if (n > queue.deficit) break;
      if (n === 0) {
        this.dequeue(lane);
        continue;
      }
      // To the back: its next piece comes after those of its peer's other connections.
      queue.lanes.push(queue.lanes.shift()!);
      if (!tryConsumeAll(this.#bucketsOf(lane), n, this.#clock.now())) continue;
      queue.deficit -= n;
      paid = true;
      lane.flow.grant(n);
      if (lane.flow.waiting() === 0) this.dequeue(lane);
    }
    return paid;
  }

  #waitOf(lane: Lane): { ms: number; scope: PaceScope } {
    const now = this.#clock.now();
    const n = Math.min(Math.max(1, lane.flow.waiting()), this.piece(lane));
    const wait = { ms: lane.bucket.waitMs(n, now), scope: "conn" as PaceScope };
    const peer = lane.peer === undefined ? 0 : this.#bucketOf(lane.peer).waitMs(n, now);
    if (peer > wait.ms) Object.assign(wait, { ms: peer, scope: "peer" });
    const global = this.#global.waitMs(n, now);
    if (global > wait.ms) Object.assign(wait, { ms: global, scope: "global" });
    return wait;
  }

  /** Whether a lane that waits already has a claim on one of this lane's buckets. */
  #blocked(lane: Lane): boolean {
    if (lane.queued) return true;
    if (this.#queues.size === 0) return false;
    if (this.#global.limits) return true;
    return lane.peer !== undefined && this.#bucketOf(lane.peer).limits &&
      this.#queues.has(lane.peer);
  }

  #bucketsOf(lane: Lane): TokenBucket[] {
    return lane.peer === undefined
      ? [lane.bucket, this.#global]
      : [lane.bucket, this.#bucketOf(lane.peer), this.#global];
  }

  #update(lane: Lane): void {
    const now = this.#clock.now();
    lane.bucket.setRate(this.#rates.conn(), now);
    this.#global.setRate(this.#rates.global(), now);
    lane.peer?.update(now);
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

interface PeerQueue {
  readonly lanes: Lane[];
  deficit: number;
}

/** One connection's place in a {@linkcode Pacer}. */
export class Lane {
  /** @internal */
  readonly peer: Peer | undefined;
  /** @internal */
  readonly flow: Flow;
  /** @internal */
  readonly bucket: TokenBucket;
  /** @internal */
  queued = false;
  readonly #pacer: Pacer;

  /** @internal Made by {@linkcode Pacer.lane}. */
  constructor(pacer: Pacer, peer: Peer | undefined, flow: Flow, bucket: TokenBucket) {
    this.#pacer = pacer;
    this.peer = peer;
    this.flow = flow;
    this.bucket = bucket;
  }

  /** Largest piece that can be paid at once, in bytes. */
  get piece(): number {
    return this.#pacer.piece(this);
  }

  /** Pays `n` bytes now, or nothing. */
  tryPay(n: number): boolean {
    return this.#pacer.tryPay(this, n);
  }

  /** The flow waits for tokens; returns the scope that keeps it. Its `grant` follows. */
  wait(): PaceScope {
    const scope = this.#pacer.scope(this);
    this.#pacer.enqueue(this);
    return scope;
  }

  /** The flow waits no more. */
  close(): void {
    this.#pacer.dequeue(this);
  }
}
