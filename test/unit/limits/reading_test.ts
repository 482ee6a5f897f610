/** I-G2: what a wide receive may bring does not stand in the way of the frame it brings. */
import assert from "node:assert/strict";
import { CAPS } from "../../../src/caps.ts";
import type { ConfigSnapshot } from "../../../src/config/config.ts";
import { parseConfig } from "../../../src/config/schema.ts";
import { Counters } from "../../../src/counters.ts";
import type { ByteAccount } from "../../../src/limits/byte_account.ts";
import { ByteBudget } from "../../../src/limits/byte_budget.ts";
import { Limits } from "../../../src/limits/limits.ts";
import { Reading, type ReadingOwner } from "../../../src/reading.ts";
import { NARROW_BYTES, WIDE_BYTES } from "../../../src/receive_window.ts";
import type { SinkReport } from "../../../src/sink.ts";
import { ManualClock } from "../../../src/testing/mod.ts";
import { describe, it } from "../../harness.ts";

/** Bytes a second; half of it at once, in pieces of a quarter. */
const RATE = 100_000;

interface Made {
  readonly budget: ByteBudget;
  readonly account: ByteAccount;
  readonly clock: ManualClock;
  readonly counters: Counters;
  readonly reading: Reading;
  /** What was told, in its order. */
  readonly told: string[];
  /** What the sink says of each push from the next on; `undefined`: the connection is over. */
  say(report: Partial<SinkReport> | undefined): void;
  /** What the sink says is owed, from the next receive on. */
  owe(bytes: number): void;
  /** Another rate for a connection, from now on. */
  setRate(bytesPerSec: number): void;
}

function made(rates: Partial<ConfigSnapshot["rates"]> = {}): Made {
  let config = parseConfig({ rates });
  const budget = new ByteBudget();
  const clock = new ManualClock();
  const limits = new Limits(() => config, clock, budget);
  const told: string[] = [];
  let report: SinkReport | undefined = NOTHING;
  const owner: ReadingOwner = {
    push: (bytes, owned) => {
      told.push(`push ${bytes.length}${owned ? " owned" : ""}`);
      return report;
    },
    flow: (on) => void told.push(on ? "flow" : "pause"),
    onReport: ({ retained }) => void (retained > 0 && told.push(`report ${retained}`)),
    onPaced: (on) => void told.push(on ? "paced" : "not paced"),
    fail: ({ kind }) => void told.push(kind),
  };
  const account = budget.account();
  const counters = new Counters();
  const reading = new Reading(owner, limits, account, counters);
  const say: Made["say"] = (part) => {
    report = part === undefined ? undefined : { ...NOTHING, ...part };
  };
  const setRate = (per_conn_bytes_per_sec: number): void => {
    config = parseConfig({ rates: { per_conn_bytes_per_sec } });
    limits.changed();
  };
  const owe = (owed: number): void => say({ owed });
  return { budget, account, clock, counters, reading, told, say, owe, setRate };
}

const NOTHING: SinkReport = { retained: 0, owed: 0, completed: 0, pause: false };

describe("the read side", () => {
  it("hands on what comes, and says by its answer whether reading goes on", () => {
    const { reading, told, say, account } = made();
    assert.equal(reading.held, 0);
    assert.equal(reading.receive(new Uint8Array(10), true), true);
    say({ retained: 300, pause: true });
    assert.equal(reading.receive(new Uint8Array(20), false), false);
    assert.equal(account.held, 300);
    assert.equal(reading.held, 0);
    assert.deepEqual(
      told.splice(0),
      ["push 10 owned", "push 20", "report 300"],
      "no flow beside it",
    );
    reading.retain(100, false);
    assert.equal(account.held, 100);
    reading.resume(0);
    reading.resume(0);
    assert.deepEqual(told.splice(0), ["flow"], "once");
    say(undefined);
    assert.equal(
      reading.receive(new Uint8Array(5), false),
      true,
      "it is over: nothing is reported",
    );
    assert.equal(account.held, 100);
    assert.deepEqual(told, ["push 5"]);
  });

  it("frees receives that are its own and of which the sink says that it keeps nothing", () => {
    const { reading, say } = made();
    const freed = (kept: boolean | undefined, owned: boolean): boolean => {
      say(kept === undefined ? {} : { kept });
      const bytes = new Uint8Array(50_000);
      reading.receive(bytes, owned);
      return bytes.buffer.byteLength === 0;
    };
    assert.equal(freed(false, true), "transfer" in ArrayBuffer.prototype);
    assert.deepEqual([freed(true, true), freed(undefined, true), freed(false, false)], [
      false,
      false,
      false,
    ]);
  });

  it("stays paused until both its consumer and its pace let it go on, in either order", () => {
    const { reading, told, say, clock, counters } = made({ per_conn_bytes_per_sec: RATE });
    say({ pause: true });
    assert.equal(reading.receive(new Uint8Array(50_000), true), false);
    say({});
    assert.equal(
      reading.receive(new Uint8Array(10_000), true),
      false,
      "what was on its way is held",
    );
    assert.equal(reading.held, 10_000);
    assert.equal(counters.readPauses.conn, 1);
    reading.resume(0);
    assert.deepEqual(told.splice(0), ["push 50000 owned", "paced"], "the pace holds it");
    clock.advance(100);
    assert.deepEqual(told.splice(0), ["push 10000 owned", "not paced", "flow"]);

    assert.equal(reading.receive(new Uint8Array(10_000), true), false);
    say({ pause: true });
    clock.advance(100);
    assert.deepEqual(told.splice(0), ["paced", "push 10000 owned", "not paced"]);
    reading.resume(0);
    assert.deepEqual(told, ["flow"], "and then its consumer");
  });

  it("pays for nothing while its consumer is behind, and goes on when that is not", () => {
    const { reading, told, say, clock } = made({ per_conn_bytes_per_sec: RATE });
    reading.receive(new Uint8Array(50_000), true);
    say({ pause: true });
    reading.receive(new Uint8Array(60_000), true);
    clock.advance(1_000);
    assert.deepEqual(told.splice(0), ["push 50000 owned", "paced", "push 25000 owned"]);
    assert.equal(reading.held, 35_000);
    clock.advance(10_000);
    assert.deepEqual(told, []);
    say({});
    reading.resume(0);
    clock.advance(1_000);
    assert.deepEqual(told, ["push 25000 owned", "push 10000 owned", "not paced", "flow"]);
  });

  it("charges what the sink keeps and what the pace holds together, and closes with `busy` beyond all room", () => {
    const { reading, told, say, account, budget } = made({ per_conn_bytes_per_sec: RATE });
    say({ retained: 40_000 });
    reading.receive(new Uint8Array(50_000), true);
    reading.receive(new Uint8Array(30_000), true);
    assert.equal(account.held, 70_000);
    told.length = 0;
    while (budget.used < budget.bytes) budget.account().reserve(CAPS.frameBytes, () => {});
    reading.receive(new Uint8Array(70_000), true);
    assert.deepEqual(told, ["busy"], "the connection goes, and its receive window is not asked");
  });

  it("takes a finished frame for what is left of it, the bytes that its pace holds included", () => {
    const { reading, account } = made({ per_conn_bytes_per_sec: RATE });
    assert.ok(reading.reserve(CAPS.frameBytes, () => assert.fail("not later")));
    reading.receive(new Uint8Array(50_000), true);
    reading.receive(new Uint8Array(30_000), true);
    reading.retain(500, true);
    assert.deepEqual([account.reserved, account.held], [0, 30_500]);
  });

  it("counts what its pace holds though nothing was handed on yet, and what comes after the pause", () => {
    const { reading, account, clock, told } = made({ per_conn_bytes_per_sec: RATE });
    assert.equal(reading.receive(new Uint8Array(60_000), true), false);
    assert.equal(account.held, 60_000);
    assert.equal(reading.receive(new Uint8Array(5_000), true), false, "it was on its way");
    assert.equal(account.held, 65_000);
    clock.advance(10_000);
    assert.equal(account.held, 0);
    assert.equal(told.at(-1), "flow");
    assert.equal(told.filter((what) => what === "paced").length, 1);
  });

  it("gives its wide receives up for a frame once half of the budget is used, and for nothing else", () => {
    const { reading, budget, account } = made();
    const half = budget.account();
    for (let i = 0; i < 3; i++) reading.receive(new Uint8Array(CAPS.chunkBytes), false);
    const wide = (): boolean => reading.receiveBytes === WIDE_BYTES;
    assert.ok(wide());
    for (let i = 0; i < 31; i++) budget.account().reserve(CAPS.frameBytes, () => {});
    half.reserve(budget.bytes / 2 - budget.used, () => {});
    assert.equal(budget.used, budget.bytes / 2);
    assert.ok(reading.reserve(CAPS.chunkBytes, () => {}));
    assert.ok(wide(), "half, and no more");
    assert.ok(reading.reserve(0, () => {}));
    half.reserve(half.reserved + 1, () => {});
    assert.ok(reading.reserve(0, () => {}));
    assert.ok(wide(), "nothing is asked for");
    assert.ok(reading.reserve(1, () => {}));
    assert.equal(wide(), false);
    assert.equal(account.held, 1);
  });

  it("counts a reservation that waits as a pause for the budget", () => {
    const { reading, budget, counters } = made();
    assert.ok(reading.reserve(CAPS.frameBytes, () => {}));
    assert.equal(counters.readPauses.budget, 0);
    reading.reserve(0, () => {});
    while (budget.used < budget.bytes) budget.account().reserve(CAPS.frameBytes, () => {});
    assert.equal(reading.reserve(CAPS.frameBytes, () => {}), false);
    assert.equal(counters.readPauses.budget, 1);
  });

  it("holds for a consumer that was behind already when a rate came, and keeps the order when it goes", () => {
    const { reading, told, say, clock, setRate } = made();
    say({ pause: true });
    reading.receive(new Uint8Array(10), true);
    setRate(RATE);
    reading.receive(new Uint8Array(60_000), true);
    clock.advance(10_000);
    assert.deepEqual(
      told.splice(0),
      ["push 10 owned", "paced"],
      "the rate pays, its consumer waits",
    );
    say({});
    reading.resume(0);
    clock.advance(10_000);
    assert.equal(reading.held, 0);
    told.length = 0;

    say({ pause: true });
    reading.receive(new Uint8Array(50_000), true);
    reading.receive(new Uint8Array(1), true);
    setRate(0);
    reading.receive(new Uint8Array(70), true);
    assert.equal(reading.held, 71);
    say({});
    reading.resume(0);
    clock.advance(10_000);
    assert.deepEqual(told.filter((what) => what.startsWith("push")), [
      "push 50000 owned",
      "push 1 owned",
      "push 70 owned",
    ]);
  });

  it("pauses the socket itself when its consumer is behind with what was held before it came", () => {
    const { reading, told, say } = made();
    say({ pause: true });
    reading.deliver(new Uint8Array(10));
    reading.deliver(new Uint8Array(10));
    assert.deepEqual(told, ["push 10 owned", "pause", "push 10 owned"], "once");
  });

  it("closes with `busy` when the sink keeps more than there is room for, and tells no report of it", () => {
    const { reading, told, say, budget } = made();
    while (budget.used < budget.bytes) budget.account().reserve(CAPS.frameBytes, () => {});
    say({ retained: 200_000, pause: true });
    assert.equal(
      reading.receive(new Uint8Array(10), true),
      true,
      "its owner knows that it is over",
    );
    assert.deepEqual(told, ["push 10 owned", "busy"]);
  });

  it("drops what the pace holds when it drains, and reads on", () => {
    const { reading, told, say, account, clock } = made({ per_conn_bytes_per_sec: RATE });
    say({ retained: 1_000, pause: true });
    reading.receive(new Uint8Array(50_000), true);
    reading.receive(new Uint8Array(30_000), true);
    told.length = 0;
    reading.drain();
    assert.deepEqual([reading.held, account.held], [0, 1_000]);
    clock.advance(10_000);
    assert.deepEqual(told, ["flow"]);
  });

  it("narrows its receives when its consumer is behind", () => {
    const { reading, say } = made();
    for (let i = 0; i < 3; i++) reading.receive(new Uint8Array(CAPS.chunkBytes), false);
    assert.equal(reading.receiveBytes, WIDE_BYTES);
    say({ pause: true });
    reading.receive(new Uint8Array(CAPS.chunkBytes), false);
    assert.equal(reading.receiveBytes, NARROW_BYTES);
  });

  it("reserves a frame for a peer that holds nothing but its wide receives", () => {
    const { budget, reading } = made();
    for (let i = 0; i < 3; i++) reading.receive(new Uint8Array(CAPS.chunkBytes), false);
    assert.equal(reading.receiveBytes, WIDE_BYTES, "widened, and charged for");
    // Others hold what they may: three quarters of the pool.
    for (let peer = 0; peer < 16; peer++) {
      const share = { held: 0, outgoing: 0, windows: 0, left: 0 };
      for (let i = 0; i < 4; i++) budget.account(share).reserve(CAPS.frameBytes, () => {});
    }
    assert.ok(budget.used > budget.bytes / 2);
    assert.ok(reading.reserve(CAPS.frameBytes, () => assert.fail("not later")));
  });

  it("receives a frame whose memory is reserved 256 KiB at a time, and no more than it is owed", () => {
    const { reading, owe } = made();
    owe(CAPS.frameBytes);
    reading.receive(new Uint8Array(38), false);
    assert.equal(reading.receiveBytes, NARROW_BYTES, "nothing is reserved");
    assert.ok(reading.reserve(1, () => assert.fail("not later")));
    assert.equal(reading.receiveBytes, WIDE_BYTES, "its place is reserved");
    owe(WIDE_BYTES);
    reading.receive(new Uint8Array(38), false);
    assert.equal(reading.receiveBytes, WIDE_BYTES);
    owe(WIDE_BYTES - 1);
    reading.receive(new Uint8Array(38), false);
    assert.equal(reading.receiveBytes, NARROW_BYTES);
    reading.resume(WIDE_BYTES);
    assert.equal(reading.receiveBytes, WIDE_BYTES, "as much is owed again");
  });

  it("keeps receives narrow where a rate applies, whatever is reserved", () => {
    const { reading, owe } = made({ per_conn_bytes_per_sec: RATE });
    assert.ok(reading.reserve(CAPS.frameBytes, () => assert.fail("not later")));
    owe(CAPS.frameBytes);
    reading.receive(new Uint8Array(38), false);
    assert.equal(reading.receiveBytes, NARROW_BYTES);
  });
});
