/** I-G2: bytes that outlive their connection count whole, within bounds of their own, until they are taken. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { ByteBudget, type Share } from "../../../src/limits/byte_budget.ts";
import { collector } from "../../collector.ts";
import { describe, it } from "../../harness.ts";

const MIB = 1_048_576;
const KIB = 1_024;
const share = (): Share => ({ held: 0, outgoing: 0, windows: 0, left: 0 });

describe("what connections leave behind", () => {
  it("counts whole, as no floor is theirs any more, and 16 KiB at least, until it is taken", () => {
    const budget = new ByteBudget();
    const one = share();
    const account = budget.account(one);
    account.retain(60 * KIB);
    assert.equal(budget.used, 0, "within its floor");
    assert.ok(account.close(60 * KIB));
    assert.deepEqual([budget.used, budget.leavings.bytes, one.held, one.left], [
      60 * KIB,
      60 * KIB,
      60 * KIB,
      60 * KIB,
    ]);
    assert.ok(account.retain(30 * KIB), "half of it is taken");
    assert.equal(budget.used, 30 * KIB);
    account.retain(1);
    assert.equal(budget.used, 16 * KIB);
    account.retain(40 * KIB);
    assert.equal(budget.used, 16 * KIB, "it never grows");
    account.retain(0);
    account.retain(10 * KIB);
    assert.deepEqual([budget.used, budget.leavings.bytes, one.held, one.left], [0, 0, 0, 0]);
  });

  it("is nothing of a connection that leaves nothing, nor of one that is closed again", () => {
    const budget = new ByteBudget();
    const account = budget.account();
    account.retain(60 * KIB);
    assert.equal(account.close(), true);
    assert.equal(account.close(), true);
    assert.equal(account.close(1), false, "too late");
    assert.equal(budget.used, 0);
  });

  it("takes the place of what the connection held of the pool, however full that is", () => {
    const budget = new ByteBudget();
    const one = share();
    const account = budget.account(one);
    assert.ok(account.reserve(MIB, () => {}));
    account.finish(MIB);
    const held = budget.used;
    for (let peer = 0; budget.used < budget.bytes - MIB; peer++) {
      assert.ok(budget.account(share()).reserve(MIB, () => {}), `of peer ${peer}`);
    }
    budget.account(share()).reserve(budget.bytes - budget.used, () => {});
    assert.equal(budget.used, budget.bytes);
    assert.ok(account.close(held), "no more than it held");
    assert.equal(budget.used, budget.bytes);
    const other = budget.account(share());
    other.retain(60 * KIB);
    assert.equal(other.close(60 * KIB), false, "no room for more");
    assert.equal(budget.used, budget.bytes);
  });

  it("is a sixteenth of the pool for one peer, and a quarter in all, to the byte", () => {
    const budget = new ByteBudget();
    const shares = Array.from({ length: 5 }, share);
    for (const one of shares.slice(0, 4)) {
      for (let i = 0; i < 3; i++) assert.ok(budget.account(one).close(MIB));
      assert.equal(budget.account(one).close(MIB + 1), false);
      assert.ok(budget.account(one).close(MIB));
      assert.equal(budget.account(one).close(1), false);
    }
    assert.equal(budget.leavings.bytes, 16 * MIB);
    assert.equal(budget.account(shares[4]!).close(1), false);
    assert.equal(budget.used, 16 * MIB);
  });

  it("is an eighth of the pool, to the byte, where this side closed, and the rest is for other ends", () => {
    const budget = new ByteBudget();
    const [first, second, third] = [share(), share(), share()];
    const accounts = [first, second].flatMap((one) => [1, 2, 3, 4].map(() => budget.account(one)));
    const last = accounts.pop()!;
    for (const account of accounts) assert.ok(account.close(MIB, true));
    assert.equal(last.close(MIB + 1, true), false);
    assert.ok(budget.account(second).close(MIB, true));
    assert.equal(budget.leavings.bytes, 8 * MIB);
    assert.equal(budget.account(third).close(1, true), false);
    assert.ok(budget.account(third).close(4 * MIB), "ended otherwise");
    accounts[0]!.retain(0);
    assert.ok(budget.account(share()).close(MIB, true), "one was taken");
    assert.equal(budget.account(share()).close(1, true), false);
    assert.equal(budget.leavings.bytes, 12 * MIB);
  });

  it("gives memory to those who wait once it is taken", () => {
    const budget = new ByteBudget(16 * MIB);
    const one = share();
    const account = budget.account(one);
    assert.ok(account.close(MIB));
    const reserving = budget.account(one);
    for (let i = 0; i < 3; i++) assert.ok(budget.account(one).reserve(MIB, () => {}));
    let granted = 0;
    assert.equal(reserving.reserve(MIB, () => granted++), false, "the peer's share is full");
    account.retain(0);
    assert.equal(granted, 1);
  });

  it("counts no more when the host lets go of the connection", async () => {
    const collect = await collector();
    const budget = new ByteBudget();
    const one = share();
    (() => assert.ok(budget.account(one).close(MIB)))();
    assert.equal(budget.used, MIB);
    for (let i = 0; i < 100 && budget.used > 0; i++) {
      collect();
      await delay(10);
    }
    assert.deepEqual([budget.used, budget.leavings.bytes, one.left], [0, 0, 0]);
  });
});
