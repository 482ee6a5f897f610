/** I-G2: how much one receive may bring, and what that is charged to. */
import assert from "node:assert/strict";
import { KEPT_BYTES } from "../../../src/limits/byte_account.ts";
import { NARROW_BYTES, ReceiveWindow, WIDE_BYTES } from "../../../src/receive_window.ts";
import { describe, it } from "../../harness.ts";

/** A window, and what it asks of its account. */
function open(grants = true) {
  const asked: number[] = [];
  const account = {
    widen(bytes: number): boolean {
      asked.push(bytes);
      return grants;
    },
  };
  const window = new ReceiveWindow(account as ConstructorParameters<typeof ReceiveWindow>[0]);
  /** Receives, and gives the width after each. */
  const receive = (...sizes: number[]): number[] =>
    sizes.map((n) => {
      window.received(n);
      return window.bytes;
    });
  return { window, asked, receive };
}

const [N, W] = [65_536, 262_144];
const times = (count: number, n: number): number[] => Array.from({ length: count }, () => n);

describe("the receive window", () => {
  it("is 64 KiB, or 256", () => {
    assert.deepEqual([NARROW_BYTES, WIDE_BYTES], [N, W]);
    assert.equal(open().window.bytes, N);
  });

  it("is wide after two full receives in a row, once that is charged", () => {
    const { receive, asked } = open();
    assert.deepEqual(receive(N, N - 1, N, N), [N, N, N, W]);
    assert.deepEqual(asked, [KEPT_BYTES + W]);
  });

  it("stays narrow where there is no room, and asks again after two more", () => {
    const { receive, asked } = open(false);
    assert.deepEqual(receive(...times(5, N)), times(5, N));
    assert.equal(asked.length, 2);
  });

  it("is narrow again after eight short receives in a row, and costs nothing then", () => {
    const { receive, asked } = open();
    receive(N, N);
    assert.deepEqual(receive(...times(7, N - 1), N, ...times(8, N - 1)), [...times(15, W), N]);
    assert.deepEqual(asked, [KEPT_BYTES + W, 0]);
    assert.deepEqual(receive(N, N), [N, W], "and begins anew");
  });

  it("counts anew once it is wide", () => {
    const { receive } = open();
    receive(N, N);
    assert.deepEqual(receive(...times(8, 1)), [...times(7, W), N]);
  });

  it("can be made narrow at once, which is told only where it was wide", () => {
    const { window, receive, asked } = open();
    receive(N);
    window.narrow();
    assert.deepEqual(asked, []);
    assert.deepEqual(receive(N), [W], "the one before counts");
    window.narrow();
    assert.equal(window.bytes, N);
    assert.deepEqual(asked, [KEPT_BYTES + W, 0]);
    assert.deepEqual(receive(N, N), [N, W], "none before counts");
  });
});
