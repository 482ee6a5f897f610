/** CHAOS-HOT-PEER-01: bytes are paid for fairly, by peer first, at the rates as they are then. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Flow, Lane } from "../../../src/limits/lane.ts";
import { Pacer } from "../../../src/limits/pacer.ts";
import { type PeerLimits, PeerTable } from "../../../src/limits/peers.ts";
import { ManualClock } from "../../../src/testing/mod.ts";
import { describe, it } from "../../harness.ts";

const SEED = 20_261_125;

/** A connection that always has `backlog` bytes to send, or less and less. */
class Source implements Flow {
  paid = 0;
  /** Sizes of the pieces, in order. */
  readonly pieces: number[] = [];
  backlog: number;
  lane: Lane | undefined;
  onGrant: () => void = () => {};
  /** Whether what is paid comes again. */
  readonly endless: boolean;

  constructor(backlog: number, endless = true) {
    this.backlog = backlog;
    this.endless = endless;
  }

  waiting(): number {
    return this.backlog;
  }

  grant(n: number): void {
    assert.ok(n > 0 && n <= this.backlog, `granted ${n} of ${this.backlog}`);
    this.paid += n;
    this.pieces.push(n);
    if (!this.endless) this.backlog -= n;
    this.onGrant();
  }
}

interface Rig {
  readonly clock: ManualClock;
  readonly pacer: Pacer;
  readonly rates: { conn: number; peer: number; global: number };
  /** A connection of peer `key`; it waits at once. */
  add(key: string | undefined, source?: Source): Source;
}

function rig(rates: Partial<Rig["rates"]>, chunk = 65_536): Rig {
  const clock = new ManualClock();
  const now = { conn: 0, peer: 0, global: 0, ...rates };
  const limits = (): PeerLimits => ({
    maxConns: 10_000,
    perPeer: 0,
    rates: { bytes: now.peer, accepts: 0 },
  });
  const peers = new PeerTable(limits);
  const pacer = new Pacer(
    clock,
    { conn: () => now.conn, peer: () => now.peer, global: () => now.global },
    () => chunk,
    (peer) => peer.ingress,
  );
  return {
    clock,
    pacer,
    rates: now,
    add(key, source = new Source(1 << 20)) {
      const peer = key === undefined ? undefined : peers.get(key, clock.now());
      source.lane = pacer.lane(peer, source);
      source.lane.wait();
      return source;
    },
  };
}

function within(actual: number, expected: number, share: number, what: string): void {
  assert.ok(
    Math.abs(actual - expected) <= expected * share,
    `${what}: ${actual}, and not ${expected} ± ${share * 100} %`,
  );
}

describe("pacer", () => {
  it("gives one greedy peer of 100 no more than its share, whatever the number of its connections", () => {
    const { clock, add } = rig({ global: 1_000_000 });
    const greedy = Array.from({ length: 50 }, () => add("greedy"));
    const others = Array.from({ length: 99 }, (_, i) => add(`peer ${i}`));
    clock.advance(100_000);
    const total = 100_000_000 + 500_000;
    const taken = greedy.reduce((sum, { paid }) => sum + paid, 0);
    within(taken, total / 100, 0.1, "bytes of the greedy peer");
    for (const { paid } of others) within(paid, total / 100, 0.1, "bytes of another");
  });

  it("gives a peer that sends small pieces as many bytes as one that sends large ones", () => {
    const { clock, add } = rig({ global: 200_000 });
    const large = add("large");
    const small = Array.from({ length: 20 }, () => add("small", new Source(1_000)));
    clock.advance(60_000);
    const total = 12_000_000 + 100_000;
    within(large.paid, total / 2, 0.1, "bytes of the peer with large pieces");
    const sum = small.reduce((n, { paid }) => n + paid, 0);
    within(sum, total / 2, 0.1, "bytes of the peer with small pieces");
    assert.ok(small.every(({ paid }) => paid > 0));
  });

  it("does not let small pieces of one peer starve its connection with large ones", () => {
    const { clock, add } = rig({ peer: 100_000 });
    const large = add("one");
    const small = Array.from({ length: 10 }, () => add("one", new Source(100)));
    clock.advance(60_000);
    assert.ok(large.pieces.length >= 60, `${large.pieces.length} pieces in a minute`);
    assert.ok(small.every(({ paid }) => paid > 0));
  });

  it("gives connections without a known peer a turn each", () => {
    const { clock, add } = rig({ global: 1_000_000 });
    const sources = Array.from({ length: 10 }, () => add(undefined));
    clock.advance(20_000);
    for (const { paid } of sources) within(paid, 2_050_000, 0.1, "bytes of one connection");
  });

  for (const rate of [1, 10, 64_000, 1_000_000, 100_000_000, 1_000_000_000]) {
    for (const scope of ["conn", "peer", "global"] as const) {
      it(`paces ${rate} B/s by ${scope}: what is offered tenfold is released within 20 % over 5 s`, () => {
        const { clock, add } = rig({ [scope]: rate });
        const source = add("one", new Source(Math.max(10 * rate, 65_536)));
        clock.advance(5_000);
        // half a second's worth may come at once
        within(source.paid, 5 * rate, 0.2, "bytes released");
        const least = Math.max(1, Math.floor(Math.min(65_536, rate / 4)));
        assert.ok(source.pieces.every((n) => n === least), `pieces of ${least}`);
      });
    }
  }

  it("holds all three rates at once", () => {
    const { clock, add } = rig({ conn: 10_000, peer: 15_000, global: 20_000 });
    const a = [add("a"), add("a")];
    const b = [add("b"), add("b")];
    clock.advance(60_000);
    const sum = (sources: Source[]): number => sources.reduce((n, { paid }) => n + paid, 0);
    assert.ok(sum([...a, ...b]) <= 20_000 * 60.5);
    within(sum(a), 600_000, 0.1, "bytes of one peer");
    within(sum(b), 600_000, 0.1, "bytes of the other");
    const [first, second] = a.map(({ paid }) => paid);
    within(first!, second!, 0.15, "bytes of one of two connections");
  });

  it("pays at once while there are tokens, and lets nobody overtake who waits for the same", () => {
    const { clock, pacer, add } = rig({ global: 100_000 });
    const early = new Source(0);
    const lane = pacer.lane(undefined, early);
    assert.ok(lane.tryPay(30_000));
    assert.equal(lane.tryPay(30_000), false);
    add("waits");
    clock.advance(100); // 30 000 B there, too few for its piece
    assert.equal(lane.tryPay(1), false);
  });

  it("counts who waits, those included that go on with their turn", () => {
    const { clock, pacer, add } = rig({ global: 1_000_000 });
    assert.equal(pacer.waiting, 0);
    add("a", new Source(1 << 20));
    add("a", new Source(1 << 20));
    add("b", new Source(1 << 20));
    assert.equal(pacer.waiting, 3);
    clock.advance(50);
    const short = add("c", new Source(1_000, false));
    clock.advance(1_000);
    assert.equal(short.backlog, 0); // the rest of its turn is kept for it
    short.backlog = 1 << 20;
    short.lane!.wait();
    assert.equal(pacer.waiting, 4);
  });

  it("knows whom a rate limits: nobody without one, and by peer nobody whose peer is not known", () => {
    const { pacer, rates, add } = rig({});
    const { peer } = add("a", new Source(0)).lane!;
    assert.deepEqual([pacer.limits(peer), pacer.limits(undefined)], [false, false]);
    for (const scope of ["conn", "peer", "global"] as const) {
      rates[scope] = 1;
      assert.deepEqual([pacer.limits(peer), pacer.limits(undefined)], [true, scope !== "peer"]);
      rates[scope] = 0;
    }
  });

  it("lets no connection of a peer overtake another one that waits for the peer's tokens", () => {
    const { clock, pacer, add } = rig({ peer: 100_000 });
    const large = add("one");
    const lane = pacer.lane(large.lane!.peer, new Source(1));
    assert.equal(lane.tryPay(1), true, "what the first piece leaves is there for all");
    clock.advance(1);
    for (let ms = 0; ms < 2_000; ms++) {
      clock.advance(1);
      assert.equal(lane.tryPay(1), false, "pieces of 25 000 B would never be paid");
      if (ms === 1_000) assert.equal(lane.wait(), "peer");
      if (ms === 1_000) lane.close();
    }
    within(large.paid, 250_000, 0.1, "bytes of the large one");
  });

  it("does not make a connection wait for another one of its peer that its own rate keeps", () => {
    const { clock, pacer, add } = rig({ conn: 1_000, peer: 1_000_000, global: 2_000_000 });
    const slow = add("one", new Source(100_000));
    clock.advance(600);
    add("one", new Source(100_000)).lane!.close();
    const fast = new Source(500, false);
    const lane = pacer.lane(slow.lane!.peer, fast);
    assert.equal(lane.tryPay(100), true);
    // and one that waits behind it is paid as soon as its own tokens are there
    lane.wait();
    clock.advance(2);
    assert.equal(fast.pieces[0], 250);
    assert.equal(slow.lane!.wait(), "conn");
  });

  it("lets others go at once where the first of all waits for its own tokens", () => {
    const { pacer, add } = rig({ conn: 1_000, peer: 1_000_000, global: 1_000_000 });
    const slow = new Source(10_000);
    slow.lane = pacer.lane(add("one", new Source(0)).lane!.peer, slow);
    assert.ok(slow.lane.tryPay(500));
    assert.equal(slow.lane.wait(), "conn");
    for (const peer of [undefined, slow.lane.peer, add("two", new Source(0)).lane!.peer]) {
      assert.ok(pacer.lane(peer, new Source(1)).tryPay(500));
    }
  });

  it("goes by the rates as they are when it pays, and when it tells what keeps a flow", () => {
    const { clock, pacer, rates, add } = rig({});
    const { peer } = add("one", new Source(0)).lane!;
    const lane = pacer.lane(peer, new Source(10_000));
    rates.conn = 1_000;
    assert.equal(lane.tryPay(501), false);
    assert.ok(lane.tryPay(500));
    rates.conn = 0;
    rates.peer = 1_000;
    assert.equal(lane.wait(), "peer");
    clock.advance(0);
  });

  it("serves those who wait at once when the rates are others, and keeps one timer", () => {
    const { clock, pacer, rates, add } = rig({ global: 10 });
    const source = add("one", new Source(1_000, false));
    clock.advance(1_000);
    assert.ok(source.backlog > 0);
    rates.global = 100_000;
    pacer.changed();
    clock.advance(5);
    pacer.changed();
    assert.equal(clock.pending, 1);
    rates.global = 0;
    pacer.changed();
    assert.equal(source.backlog, 0, "without a millisecond in between");
    assert.deepEqual([pacer.waiting, clock.pending], [0, 0]);
  });

  it("sets its timer anew for one who can be paid earlier", () => {
    const { clock, pacer, add } = rig({ conn: 1_000 });
    const slow = pacer.lane(undefined, new Source(1_000));
    assert.ok(slow.tryPay(500));
    assert.equal(slow.wait(), "conn");
    const fast = add(undefined, new Source(100, false));
    assert.equal(clock.pending, 1);
    clock.advance(1);
    assert.equal(fast.backlog, 0);
    slow.close();
    assert.deepEqual([pacer.waiting, clock.pending], [0, 0]);
  });

  it("does not begin again inside of a grant", () => {
    const { clock, pacer, add } = rig({ global: 1_000_000 });
    let depth = 0;
    for (const key of ["a", "a", "b"]) {
      const source = add(key, new Source(300_000, false));
      source.onGrant = () => {
        assert.equal(++depth, 1);
        pacer.changed();
        depth--;
      };
    }
    clock.advance(2_000);
    assert.deepEqual([pacer.waiting, clock.pending], [0, 0]);
  });

  it("pays the last byte", () => {
    const { clock, pacer, add } = rig({ global: 4_000 });
    const source = add("one", new Source(1_001, false));
    clock.advance(1_000);
    assert.deepEqual([source.pieces, pacer.waiting], [[1_000, 1], 0]);
  });

  it("does not make others wait for one that only its own rate keeps", () => {
    const { clock, pacer, add } = rig({ conn: 1_000, global: 1_000_000 });
    const slow = add("slow", new Source(100_000));
    clock.advance(600);
    const other = pacer.lane(undefined, new Source(0));
    assert.ok(other.tryPay(500));
    assert.equal(slow.lane!.wait(), "conn");
  });

  it("says which scope keeps a flow waiting, for all that waits and for its place in the line", () => {
    for (const scope of ["conn", "peer", "global"] as const) {
      const { pacer, add, clock } = rig({ [scope]: 1_000 });
      const source = add("one", new Source(10_000));
      source.lane!.close();
      assert.equal(source.lane!.wait(), scope); // a piece is there, but not all of it
      const other = new Source(1);
      const lane = pacer.lane(source.lane!.peer, other);
      clock.advance(1);
      if (scope === "conn") assert.ok(lane.tryPay(1));
      else assert.equal(lane.wait(), scope);
    }
  });

  it("lets a peer that comes back at once go on with its turn: one receive at a time is no less", () => {
    const { clock, add } = rig({ global: 1_000_000 });
    const greedy = Array.from({ length: 10 }, () => add("greedy"));
    // whose next receive of 20 000 B comes a millisecond after the last was paid
    const single = add("single", new Source(20_000, false));
    single.onGrant = () => {
      if (single.backlog > 0) return;
      clock.after(1, () => {
        single.backlog = 20_000;
        single.lane!.wait();
      });
    };
    clock.advance(20_000);
    const sum = greedy.reduce((n, { paid }) => n + paid, 0);
    within(sum, 10_250_000, 0.1, "bytes of the greedy peer");
    within(single.paid, 10_250_000, 0.1, "bytes of the other");
  });

  it("never pays above any rate, and nobody starves: random peers, sizes and rates", () => {
    const rate = fc.integer({ min: 100, max: 5_000_000 });
    fc.assert(
      fc.property(
        fc.record({ conn: rate, peer: rate, global: rate }),
        fc.array(fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 4 }), {
          minLength: 1,
          maxLength: 6,
        }),
        (rates, peers) => {
          const { clock, add } = rig(rates);
          const all = peers.map((sizes, i) => sizes.map((size) => add(`p${i}`, new Source(size))));
          clock.advance(10_000);
          // what fits into the time, the half second that was saved up, and one rounding a piece
          const most = (bps: number): number => bps * 10.5 + 1;
          let total = 0;
          for (const sources of all) {
            const sum = sources.reduce((n, { paid }) => n + paid, 0);
            assert.ok(sum <= most(rates.peer), "a peer");
            for (const { paid } of sources) assert.ok(paid <= most(rates.conn), "a connection");
            total += sum;
          }
          assert.ok(total <= most(rates.global), "all");
          const lanes = all.flat().length;
          const slowest = Math.min(rates.global / lanes, rates.peer / 4, rates.conn);
          // a turn of everyone before it is at most 64 KiB each
          if (slowest * 10 > 4 * 65_536) {
            assert.ok(all.flat().every(({ paid }) => paid > 0), "somebody starved");
          }
        },
      ),
      { numRuns: 60, seed: SEED, verbose: true },
    );
  });

  it("loses no byte and leaves nobody waiting when flows end, close and come again", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(3_000), size: fc.integer({ min: 1, max: 50_000 }) }), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.array(fc.record({ at: fc.nat(3_000), which: fc.nat(19) }), { maxLength: 10 }),
        (arrivals, closings) => {
          const { clock, pacer, add } = rig({ global: 100_000 });
          const sources: Source[] = [];
          const closed = new Set<Source>();
          for (const [i, { at, size }] of arrivals.entries()) {
            clock.after(at, () => sources.push(add(`p${i % 3}`, new Source(size, false))));
          }
          for (const { at, which } of closings) {
            clock.after(at, () => {
              const source = sources[which];
              if (source === undefined) return;
              closed.add(source);
              source.lane!.close();
              source.lane!.close();
            });
          }
          clock.advance(30_000);
          assert.equal(pacer.waiting, 0);
          for (const source of sources) {
            if (!closed.has(source)) assert.equal(source.backlog, 0);
          }
          assert.equal(clock.pending, 0);
        },
      ),
      { numRuns: 60, seed: SEED, verbose: true },
    );
  });

  it("may be closed, and joined, from inside a grant", () => {
    const { clock, pacer, add } = rig({ global: 100_000 });
    const first = add("a", new Source(200_000, false));
    const second = add("a", new Source(200_000, false));
    const third = add("b", new Source(200_000, false));
    let late: Source | undefined;
    first.onGrant = () => {
      second.lane!.close();
      first.lane!.close();
      late ??= add("c", new Source(10_000, false));
    };
    clock.advance(10_000);
    assert.equal(second.paid, 0);
    assert.equal(first.pieces.length, 1);
    assert.equal(third.backlog, 0);
    assert.equal(late!.backlog, 0);
    assert.equal(pacer.waiting, 0);
  });

  it("takes over rates while flows wait: higher, lower, off and on again, each within a second", () => {
    const { clock, pacer, rates, add } = rig({ global: 1_000 });
    const source = add("one", new Source(10_000_000));
    clock.advance(10_000);
    within(source.paid, 10_500, 0.1, "bytes at 1 kB/s");
    rates.global = 1_000_000;
    clock.advance(1_000);
    const before = source.paid;
    clock.advance(10_000);
    within(source.paid - before, 10_000_000, 0.1, "bytes at 1 MB/s");
    rates.global = 100;
    clock.advance(1_000);
    const high = source.paid;
    clock.advance(10_000);
    within(source.paid - high, 1_000, 0.1, "bytes at 100 B/s");
    assert.ok(pacer.limits(undefined));
    rates.global = 0;
    assert.equal(pacer.limits(undefined), false);
    const finite = add("two", new Source(5_000_000, false));
    source.lane!.close();
    clock.advance(1_000);
    assert.equal(finite.backlog, 0);
    rates.peer = 1_000;
    const again = add("three");
    clock.advance(10_000);
    within(again.paid, 10_500, 0.1, "bytes at 1 kB/s a peer");
  });

  it("limits connections that are open already when a rate by peer comes into force", () => {
    const { clock, rates, pacer, add } = rig({ conn: 1_000_000 });
    const source = add("one");
    clock.advance(100);
    rates.conn = 0;
    rates.peer = 1_000;
    assert.ok(pacer.limits(source.lane!.peer));
    const before = source.paid;
    clock.advance(11_000);
    within(source.paid - before, 11_000, 0.1, "bytes");
  });

  it("cuts pieces at the chunk size", () => {
    const { clock, add } = rig({ global: 1_000_000 }, 4_096);
    const source = add("one");
    clock.advance(50);
    assert.ok(source.pieces.length > 0 && source.pieces.every((n) => n === 4_096));
  });
});
