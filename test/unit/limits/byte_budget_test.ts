/** I-G2: the pool of bytes. What it holds is what its accounts hold, and nobody waits for ever. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { CAPS } from "../../../src/caps.ts";
import { TransportError } from "../../../src/errors.ts";
import {
  type ByteAccount,
  FLOOR_BYTES,
  KEPT_BYTES,
  OUT_FLOOR_BYTES,
} from "../../../src/limits/byte_account.ts";
import { BUDGET_BYTES, ByteBudget, type Share } from "../../../src/limits/byte_budget.ts";
import { describe, it } from "../../harness.ts";

const SEED = 20_261_125;
const MIB = 1_048_576;
const SMALL_POOL = 16 * MIB;
const WIDE = KEPT_BYTES + 256 * 1024;

const share = (): Share => ({ held: 0, outgoing: 0, windows: 0, left: 0 });

/** Reserves frames of 1 MiB for one share until one is refused; how many it got. */
function fill(budget: ByteBudget, of: Share, most = Infinity): ByteAccount[] {
  const got: ByteAccount[] = [];
  while (got.length < most) {
    const account = budget.account(of);
    if (!account.reserve(MIB, () => {})) {
      account.close();
      break;
    }
    got.push(account);
  }
  return got;
}

describe("byte budget", () => {
  it("is 64 MiB, and can only be lowered", () => {
    assert.equal(new ByteBudget().bytes, 64 * MIB);
    assert.equal(BUDGET_BYTES, 64 * MIB);
    assert.equal(new ByteBudget(SMALL_POOL).bytes, SMALL_POOL);
    for (const bad of [0, -1, NaN, SMALL_POOL - 1, 64 * MIB + 1, SMALL_POOL + 0.5, Infinity]) {
      assert.throws(
        () => new ByteBudget(bad),
        (error) => TransportError.is(error) && error.kind === "config_invalid",
      );
    }
  });

  it("has floors of a chunk and 4 KiB, and of a receive more; of a chunk to send", () => {
    assert.deepEqual([KEPT_BYTES, FLOOR_BYTES, OUT_FLOOR_BYTES], [69_632, 135_168, 65_536]);
    const account = new ByteBudget().account();
    assert.deepEqual([account.held, account.pooled, account.queued, account.reserved], [
      ...[0, 0, 0, 0],
    ]);
    assert.equal(account.queueFloor, OUT_FLOOR_BYTES);
    account.queue(OUT_FLOOR_BYTES);
    assert.equal(account.pooled, 0);
    account.queue(1);
    assert.deepEqual([account.pooled, account.queueFloor], [1, 0]);
  });

  it("lets those who hold little into the last quarter, to the byte, and counts each way for itself", () => {
    const little = MIB + CAPS.chunkBytes;
    const crowd = (): ByteBudget => {
      const budget = new ByteBudget();
      for (let i = 0; i < 3; i++) fill(budget, share());
      assert.equal(budget.used, 48 * MIB);
      return budget;
    };
    assert.equal(crowd().account().reserve(little, () => {}), true);
    assert.equal(crowd().account().reserve(little + 1, () => {}), false);
    assert.equal(crowd().account().canQueue(OUT_FLOOR_BYTES + little), true);
    assert.equal(crowd().account().canQueue(OUT_FLOOR_BYTES + little + 1), false);
    const budget = crowd();
    const both = budget.account();
    both.queue(OUT_FLOOR_BYTES + MIB);
    assert.equal(both.reserve(MIB, () => {}), true);
    assert.equal(both.canQueue(CAPS.chunkBytes), true);
    assert.equal(both.canQueue(CAPS.chunkBytes + 1), false);
  });

  it("gives windows a quarter in all, three quarters with the rest, and a peer its quarter, to the byte", () => {
    const mib = FLOOR_BYTES + MIB;
    const all = new ByteBudget(SMALL_POOL);
    for (let i = 0; i < 4; i++) assert.ok(all.account().widen(mib), `${i}`);
    assert.equal(all.windows, 4 * MIB);
    assert.equal(all.account().widen(FLOOR_BYTES + 1), false);
    const rest = new ByteBudget(SMALL_POOL);
    for (const n of [4, 4, 3]) fill(rest, share(), n);
    assert.ok(rest.account().widen(mib));
    assert.equal(rest.account().widen(FLOOR_BYTES + 1), false);
    const one = new ByteBudget(SMALL_POOL);
    const mine = share();
    fill(one, mine, 3);
    assert.ok(one.account(mine).widen(mib));
    assert.equal(one.account(mine).widen(FLOOR_BYTES + 1), false);
  });

  it("lets a window that is there be used, and set again, however full the pool has become", () => {
    const budget = new ByteBudget(SMALL_POOL);
    const one = share();
    const account = budget.account(one);
    assert.ok(account.widen(WIDE));
    fill(budget, one, 3);
    for (let i = 0; i < 2; i++) fill(budget, share());
    for (let i = 0; i < 5; i++) fill(budget, share(), 1);
    assert.equal(budget.account(one).reserve(4 * MIB, () => {}), false);
    assert.ok(budget.used > 12 * MIB && budget.waiting > 0);
    assert.ok(account.retain(WIDE));
    assert.ok(account.widen(WIDE));
    assert.ok(account.widen(WIDE - 1));
  });

  it("asks for what a reservation grows by, and not again for what is reserved", () => {
    const budget = new ByteBudget(SMALL_POOL);
    const one = share();
    const account = budget.account(one);
    assert.ok(account.reserve(MIB, () => {}));
    fill(budget, one);
    const behind = budget.account(one);
    assert.equal(behind.reserve(MIB, () => {}), false);
    assert.ok(account.reserve(MIB, () => {}), "it has that much");
    behind.close();
    assert.ok(account.reserve(MIB / 2, () => {}));
    assert.ok(account.reserve(MIB, () => {}), "only half of it is new");
    assert.equal(one.held, 4 * MIB);
  });

  it("takes a frame that is complete for what is left of it", () => {
    const budget = new ByteBudget();
    const account = budget.account();
    assert.ok(account.reserve(MIB, () => {}));
    account.finish(FLOOR_BYTES + 100);
    assert.deepEqual([account.reserved, account.pooled, budget.used], [0, 100, 100]);
    account.finish(0);
    assert.deepEqual([account.held, budget.used], [0, 0]);
    account.close();
    account.finish(2 * FLOOR_BYTES);
    assert.deepEqual([account.held, budget.used], [0, 0]);
  });

  it("bounds what an inbox grows by, and lets nobody overtake after a turn", () => {
    const budget = new ByteBudget(SMALL_POOL);
    const one = share();
    const account = budget.account(one);
    account.queue(MIB + OUT_FLOOR_BYTES);
    assert.equal(account.canQueue(MIB), true); // an eighth of the pool
    assert.equal(account.canQueue(MIB + 1), false);
    account.whenQueueable(MIB, () => account.queue(MIB)); // there is room: at once
    assert.equal(account.queued, 2 * MIB + OUT_FLOOR_BYTES);
    budget.account(one).whenQueueable(2 * MIB, () => {});
    account.queue(-1_000);
    assert.equal(account.canQueue(1_000), false, "another one waits, and its own turn is over");
  });

  it("charges a frame's whole length, and of the rest what is beyond one chunk each way", () => {
    const budget = new ByteBudget();
    const account = budget.account();
    assert.ok(account.retain(FLOOR_BYTES));
    account.queue(OUT_FLOOR_BYTES);
    assert.equal(budget.used, 0);
    assert.ok(account.reserve(MIB, () => {}));
    assert.equal(budget.used, MIB);
    assert.ok(account.retain(FLOOR_BYTES + 10));
    account.queue(5);
    assert.equal(budget.used, MIB + 15);
    assert.equal(account.pooled, MIB + 15);
    assert.equal(account.held, MIB + FLOOR_BYTES + OUT_FLOOR_BYTES + 15);
    account.queue(-5 - OUT_FLOOR_BYTES);
    assert.ok(account.retain(0));
    assert.ok(account.reserve(0, () => {}));
    assert.deepEqual([budget.used, account.held], [0, 0]);
  });

  it("counts towards a peer that becomes known later, and not to another one once something is held", () => {
    const budget = new ByteBudget();
    const [one, other] = [share(), share()];
    assert.equal(fill(budget, one).length, 16);
    const named = budget.account();
    named.belong(one);
    assert.equal(named.reserve(MIB, () => {}), false);
    assert.equal(named.canQueue(MIB + OUT_FLOOR_BYTES), false);
    named.belong(other); // it waits
    assert.equal(budget.frames.has(one), true);
    named.close();
    assert.equal(budget.waiting, 0);
    const holds = budget.account();
    holds.queue(OUT_FLOOR_BYTES + 1);
    holds.belong(other);
    holds.queue(10);
    assert.equal(other.held, 0);
    holds.close();
    assert.equal(budget.used, 16 * MIB);
  });

  it("charges what a wide receive may bring, and what it brought, once", () => {
    const budget = new ByteBudget();
    const own = share();
    const account = budget.account(own);
    assert.ok(account.widen(4 * FLOOR_BYTES));
    assert.equal(budget.used, 3 * FLOOR_BYTES);
    assert.ok(account.retain(2 * FLOOR_BYTES));
    assert.equal(budget.used, 3 * FLOOR_BYTES);
    assert.ok(account.widen(0));
    assert.equal(budget.used, FLOOR_BYTES);
    assert.equal(own.windows, 0);
    assert.ok(account.widen(2 * FLOOR_BYTES));
    assert.equal(own.windows, FLOOR_BYTES);
    account.close();
    assert.equal(own.windows, 0);
    assert.equal(budget.used, 0);
  });

  it("gives windows at most a quarter, none of the last quarter, and none while others wait", () => {
    const budget = new ByteBudget();
    const one = share();
    let n = 0;
    while (budget.account(one).widen(WIDE)) n++;
    // 256 KiB each, of which one chunk is within the floor
    assert.equal(n, Math.floor(4 * MIB / (192 * 1024)));
    assert.equal(fill(budget, one).length, 12); // whose windows are all wide still has room for frames
    budget.move(one, -one.held, 0); // as if they were gone
    budget.widened(one, -one.windows);
    const wide: ByteAccount[] = [];
    for (let more = true; more;) {
      const account = budget.account();
      more = account.widen(WIDE);
      if (more) wide.push(account);
      else account.close();
    }
    assert.equal(wide.length, Math.floor(16 * MIB / (192 * 1024)));
    for (const account of wide) account.close();
    const full = [share(), share(), share()].map((one) => fill(budget, one));
    assert.equal(budget.used, 48 * MIB);
    assert.equal(budget.account().widen(WIDE), false);
    full[0]!.pop()!.close();
    assert.ok(budget.account().widen(WIDE));
    const greedy = share();
    const mine = fill(budget, greedy, 1);
    full[1]!.pop()!.close();
    full[1]!.pop()!.close();
    assert.equal(budget.account(greedy).reserve(16 * MIB, () => {}), false);
    assert.equal(budget.account().widen(WIDE), false);
    assert.equal(mine.length, 1);
  });

  it("gives one peer a quarter, and of the last quarter one frame", () => {
    const budget = new ByteBudget();
    const greedy = [share(), share(), share()];
    for (const one of greedy) assert.equal(fill(budget, one).length, 16);
    assert.equal(budget.used, 48 * MIB);
    const late = share();
    assert.equal(fill(budget, late).length, 1);
    assert.equal(budget.account(greedy[0]).reserve(CAPS.chunkBytes, () => {}), false);
    const others = Array.from({ length: 15 }, () => fill(budget, share()).length);
    assert.deepEqual(others, Array(15).fill(1));
    assert.equal(budget.used, 64 * MIB);
    assert.equal(budget.account().reserve(1, () => {}), false);
  });

  it("gives a peer no window beyond its quarter, and starts with nothing held", () => {
    const budget = new ByteBudget();
    const one = share();
    assert.equal(fill(budget, one).length, 16);
    assert.equal(budget.account(one).widen(WIDE), false);
    const account = budget.account();
    assert.ok(account.reserve(MIB, () => {}));
    for (let n = 0; n < 15; n++) assert.ok(budget.account().reserve(MIB, () => {}));
    const exact = new ByteBudget(SMALL_POOL).account();
    assert.ok(exact.canQueue(2 * MIB + OUT_FLOOR_BYTES));
    assert.equal(exact.canQueue(2 * MIB + OUT_FLOOR_BYTES + 1), false);
    assert.ok(exact.widen(FLOOR_BYTES + MIB)); // a sixteenth, to the byte
    assert.ok(exact.retain(FLOOR_BYTES + 4 * MIB));
  });

  it("serves those who wait when only inboxes, or only receives, give something back", () => {
    for (const way of ["in", "out"] as const) {
      const budget = new ByteBudget(SMALL_POOL);
      const one = share();
      const first = budget.account(one);
      if (way === "out") first.queue(MIB + OUT_FLOOR_BYTES);
      else assert.ok(first.reserve(MIB, () => {}));
      fill(budget, one);
      let granted = false;
      assert.equal(budget.account(one).reserve(MIB, () => granted = true), false);
      if (way === "out") first.queue(-MIB);
      else first.reserve(0, () => {});
      assert.ok(granted, way);
    }
  });

  it("keeps the turn of a large one while those behind it come and go", () => {
    const budget = new ByteBudget(SMALL_POOL);
    const full = Array.from({ length: 16 }, () => fill(budget, share(), 1)).flat();
    full[0]!.reserve(MIB / 2, () => {});
    const one = share();
    let granted = false;
    assert.equal(budget.account(one).reserve(MIB, () => granted = true), false);
    const behind = [budget.account(one), budget.account(one)];
    for (const account of behind) assert.equal(account.reserve(1_000, () => {}), false);
    behind[0]!.close();
    assert.equal(budget.account().reserve(1_000, () => {}), false);
    behind[1]!.close();
    full[0]!.close();
    assert.ok(granted);
  });

  it("lets what was received stay within the floor, whatever is used", () => {
    const budget = new ByteBudget(SMALL_POOL);
    const stalled = Array.from({ length: 16 }, () => fill(budget, share(), 1)).flat();
    assert.equal(budget.used, SMALL_POOL);
    const account = budget.account();
    assert.ok(account.retain(FLOOR_BYTES));
    assert.equal(account.retain(FLOOR_BYTES + 1), false);
    assert.equal(account.held, FLOOR_BYTES);
    assert.ok(account.canQueue(OUT_FLOOR_BYTES));
    assert.equal(account.canQueue(OUT_FLOOR_BYTES + 1), false);
    stalled[0]!.close();
    assert.ok(account.retain(FLOOR_BYTES + 1));
    assert.equal(budget.used, SMALL_POOL - MIB + 1);
  });

  it("bounds inboxes: those of a peer to an eighth, all to a half", () => {
    const budget = new ByteBudget();
    const put = (of: Share): number => {
      let n = 0;
      for (;;) {
        const account = budget.account(of);
        if (!account.canQueue(MIB + OUT_FLOOR_BYTES)) return n;
        account.queue(MIB + OUT_FLOOR_BYTES);
        n++;
      }
    };
    const peers = Array.from({ length: 6 }, share);
    assert.deepEqual(peers.map(put), [8, 8, 8, 8, 0, 0]);
    // whoever fills its share with what it is to be sent can still be read from
    assert.equal(fill(budget, peers[0]!).length, 8);
    assert.equal(fill(budget, peers[5]!).length, 8); // up to three quarters
  });

  it("grants in the order of their coming within a peer, and by turns between peers", () => {
    const budget = new ByteBudget(SMALL_POOL);
    const [a, b] = [share(), share()];
    const full = [...fill(budget, share()), ...fill(budget, share()), ...fill(budget, share())];
    const rest = Array.from({ length: 4 }, () => fill(budget, share(), 1)).flat();
    assert.equal(budget.used, SMALL_POOL);
    const order: string[] = [];
    const ask = (of: Share, name: string, bytes = MIB): ByteAccount => {
      const account = budget.account(of);
      assert.equal(account.reserve(bytes, () => order.push(name)), false);
      return account;
    };
    const waiting = [ask(a, "a1"), ask(a, "a2"), ask(a, "a3"), ask(b, "b1"), ask(b, "b2")];
    assert.equal(budget.waiting, 5);
    rest[0]!.close();
    assert.deepEqual(order, ["a1"]);
    rest[1]!.close();
    assert.deepEqual(order, ["a1", "b1"]);
    // a second frame of either is beyond what the last quarter is for
    rest[2]!.close();
    rest[3]!.close();
    assert.deepEqual(order, ["a1", "b1"]);
    for (const account of full) account.close();
    assert.deepEqual(order, ["a1", "b1", "a2", "b2", "a3"]);
    assert.equal(budget.waiting, 0);
    for (const account of waiting) account.close();
    assert.equal(budget.used, 0);
  });

  it("lets nobody overtake a large reservation with small ones", () => {
    const budget = new ByteBudget(SMALL_POOL);
    const full = Array.from({ length: 16 }, () => fill(budget, share(), 1)).flat();
    full[0]!.reserve(MIB / 2, () => {});
    let granted = false;
    const large = budget.account();
    assert.equal(large.reserve(MIB, () => granted = true), false);
    const small: string[] = [];
    const accounts = Array.from({ length: 5 }, (_, i) => {
      const account = budget.account();
      assert.equal(account.reserve(100_000, () => small.push(`${i}`)), false);
      return account;
    });
    full[0]!.close();
    assert.ok(granted);
    assert.deepEqual(small, []);
    full[1]!.close();
    assert.deepEqual(small, ["0", "1", "2", "3", "4"]);
    for (const account of accounts) account.close();
  });

  it("goes on with those behind one that waits no more", () => {
    const budget = new ByteBudget(SMALL_POOL);
    const full = Array.from({ length: 16 }, () => fill(budget, share(), 1)).flat();
    full[0]!.reserve(MIB / 2, () => {});
    const large = budget.account();
    assert.equal(large.reserve(MIB, () => assert.fail("granted after the close")), false);
    let granted = false;
    assert.equal(budget.account().reserve(MIB / 4, () => granted = true), false);
    large.close();
    assert.ok(granted);
    assert.equal(budget.waiting, 0);
  });

  it("reserves in turn when reserving again, from inside a grant too", () => {
    const budget = new ByteBudget(SMALL_POOL);
    const one = share();
    const held = fill(budget, one); // its quarter: four frames
    assert.equal(held.length, 4);
    const order: number[] = [];
    const account = budget.account(one);
    const again = (): void => {
      order.push(order.length);
      if (order.length > 2) return;
      account.reserve(0, () => {});
      assert.equal(account.reserve(MIB, again), false);
    };
    assert.equal(account.reserve(MIB, again), false);
    held[0]!.close();
    assert.deepEqual(order, [0, 1, 2]);
    assert.equal(budget.used, 4 * MIB);
  });

  it("lets waiting inboxes keep their place, and serves what they need last", () => {
    const budget = new ByteBudget(SMALL_POOL);
    const one = share();
    const first = budget.account(one);
    first.queue(2 * MIB + OUT_FLOOR_BYTES);
    const calls: string[] = [];
    const [second, third] = [budget.account(one), budget.account(one)];
    const put = (account: ByteAccount, name: string, n: number) => (): void => {
      assert.ok(account.canQueue(n), "there is room in its turn");
      account.queue(n);
      calls.push(name);
    };
    assert.equal(second.canQueue(MIB), false);
    second.whenQueueable(MIB, put(second, "second", MIB));
    assert.equal(third.canQueue(MIB / 2), false);
    third.whenQueueable(MIB / 2, put(third, "third", MIB / 2));
    second.whenQueueable(MIB, () => assert.fail("it waits already"));
    first.queue(-MIB / 2);
    assert.deepEqual(calls, []); // there is room for the third only, and it comes after
    assert.equal(third.canQueue(MIB / 2), false);
    assert.ok(third.canQueue(OUT_FLOOR_BYTES));
    first.queue(-MIB / 2);
    assert.deepEqual(calls, ["second"]);
    first.queue(-MIB / 2);
    assert.deepEqual(calls, ["second", "third"]);
    // one that needs less after all is served at once
    const fourth = budget.account(one);
    let served = false;
    fourth.whenQueueable(2 * MIB, () => served = true);
    assert.equal(served, false);
    fourth.whenQueueable(1_000, () => {});
    assert.ok(served);
    assert.equal(budget.waiting, 0);
  });

  it("forgets an account that is closed, and all it waited for", () => {
    const budget = new ByteBudget(SMALL_POOL);
    const one = share();
    const held = fill(budget, one);
    const account = budget.account(one);
    const never = (): void => assert.fail("called after the close");
    account.queue(2 * MIB + OUT_FLOOR_BYTES);
    assert.equal(account.reserve(MIB, never), false);
    account.whenQueueable(MIB, never);
    assert.equal(budget.waiting, 2);
    account.close();
    account.close();
    for (const other of held) other.close();
    assert.deepEqual([budget.used, budget.waiting, one.held, one.outgoing], [0, 0, 0, 0]);
    assert.ok(account.reserve(MIB, never));
    assert.ok(account.retain(MIB));
    assert.equal(account.widen(MIB), false);
    account.queue(MIB);
    account.whenQueueable(MIB, never);
    assert.deepEqual([budget.used, budget.waiting], [0, 0]);
  });

  it("cannot deadlock: 1 000 stalled frames at 99 %, and an honest sender is granted every one", () => {
    const budget = new ByteBudget();
    const sources = Array.from({ length: 8 }, share);
    const stalled = Array.from({ length: 1_000 }, (_, i) => {
      const account = budget.account(sources[i % sources.length]);
      account.reserve(MIB, () => {});
      return account;
    });
    assert.ok(budget.waiting > 900);
    assert.ok(budget.used <= budget.bytes);
    const honest = budget.account();
    for (let n = 0; n < 100; n++) {
      assert.ok(honest.reserve(MIB, () => assert.fail("it had to wait")));
      assert.ok(honest.reserve(0, () => {}));
    }
    for (const account of stalled) account.close();
    assert.deepEqual([budget.used, budget.waiting], [0, 0]);
  });

  it("holds its invariants under any events, and grants all in the end", () => {
    const bytes = fc.oneof(fc.nat(200_000), fc.integer({ min: 65_000, max: MIB }));
    const event = fc.record({
      who: fc.nat(11),
      what: fc.constantFrom("reserve", "give back", "retain", "widen", "queue", "sent", "close"),
      bytes,
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), (events) => {
        const budget = new ByteBudget(SMALL_POOL);
        const shares = Array.from({ length: 4 }, share);
        const make = (i: number): Model => new Model(budget, shares[i % 4]!);
        const models = Array.from({ length: 12 }, (_, i) => make(i));
        for (const { who, what, bytes } of events) {
          const model = models[who]!;
          if (what === "close") {
            model.account.close();
            models[who] = make(who);
          } else model.apply(what, bytes);
          check(budget, shares, models);
        }
        // everything that is held is finished, and so everyone gets a turn
        for (let round = 0; round < 20 && models.some((model) => model.waits); round++) {
          for (const model of models) model.finish();
          check(budget, shares, models);
        }
        assert.ok(models.every((model) => !model.waits), "somebody waits for ever");
        for (const model of models) model.account.close();
        assert.deepEqual([budget.used, budget.waiting], [0, 0]);
      }),
      { numRuns: 200, seed: SEED, verbose: true },
    );
  });
});

/** One account, and what it must hold. */
class Model {
  readonly account: ByteAccount;
  readonly share: Share;
  reserved = 0;
  retained = 0;
  window = 0;
  queued = 0;
  /** Reservation that waits. */
  wants = 0;
  /** Inbox item that waits. */
  wantsOut = 0;

  constructor(budget: ByteBudget, of: Share) {
    this.account = budget.account(of);
    this.share = of;
  }

  get waits(): boolean {
    return this.wants > 0 || this.wantsOut > 0;
  }

  get pooled(): number {
    return this.reserved + Math.max(0, this.retained - FLOOR_BYTES, this.window - FLOOR_BYTES) +
      this.outgoing;
  }

  get outgoing(): number {
    return Math.max(0, this.queued - OUT_FLOOR_BYTES);
  }

  apply(what: string, n: number): void {
    const { account } = this;
    if (what === "reserve" && this.reserved === 0 && this.wants === 0 && n > 0) {
      this.wants = n;
      const granted = (): void => {
        this.reserved = this.wants;
        this.wants = 0;
      };
      if (account.reserve(n, granted)) granted();
    } else if (what === "give back") {
      this.reserved = this.wants = 0;
      assert.ok(account.reserve(0, () => {}));
    } else if (what === "retain") {
      if (account.retain(n)) this.retained = n;
    } else if (what === "widen") {
      const wide = n % 2 === 0 ? 0 : 4 * FLOOR_BYTES;
      if (account.widen(wide)) this.window = wide;
    } else if (what === "queue") {
      if (account.canQueue(n)) {
        account.queue(n);
        this.queued += n;
      } else if (this.wantsOut === 0) {
        this.wantsOut = n;
        account.whenQueueable(n, () => {
          assert.ok(account.canQueue(this.wantsOut), "no room in its turn");
          account.queue(this.wantsOut);
          this.queued += this.wantsOut;
          this.wantsOut = 0;
        });
      }
    } else if (what === "sent") {
      const sent = Math.min(n, this.queued);
      this.queued -= sent;
      account.queue(-sent);
    }
  }

  finish(): void {
    this.apply("sent", this.queued);
    this.apply("widen", 0);
    this.apply("retain", 0);
    if (this.reserved > 0) this.apply("give back", 0);
  }
}

function check(budget: ByteBudget, shares: Share[], models: Model[]): void {
  const sum = (list: Model[], of: (model: Model) => number): number =>
    list.reduce((n, model) => n + of(model), 0);
  assert.equal(budget.used, sum(models, (model) => model.pooled));
  assert.ok(budget.used <= budget.bytes, "above the pool");
  for (const one of shares) {
    const own = models.filter((model) => model.share === one);
    assert.equal(one.held, sum(own, (model) => model.pooled));
    assert.equal(one.outgoing, sum(own, (model) => model.outgoing));
    assert.equal(one.windows, sum(own, ({ window }) => Math.max(0, window - FLOOR_BYTES)));
    assert.ok(one.windows <= budget.bytes / 16, "above the share of windows");
    assert.ok(one.held <= budget.bytes / 4 && one.outgoing <= budget.bytes / 8, "above the share");
  }
  for (const model of models) assert.equal(model.account.pooled, model.pooled);
}
