/**
 * What metrics cost, in pairs with and without them: `deno run -A bench/metrics_paired.ts [PAIRS]`, or
 * `bun` the same. Bounds: 5 ns a frame, 5 % of throughput, median of 15 pairs.
 *
 * - Counting: processor time of a loop that does nothing else.
 * - Throughput: small frames echoed over loopback TCP in one process. Off means that histograms do nothing; the plain sums stay, as nothing can run without them.
 *
 * @module
 */

import process from "node:process";
import { Transport } from "../mod.ts";
import { Histogram } from "../src/histogram.ts";
import { FrameTimer } from "../src/oap/frame_timer.ts";
import { FLAGS, framed, type FramedConnection } from "../src/oap/mod.ts";
import { median } from "./codec/paired.ts";
import { Counting, MANY } from "./counting.ts";

const PAIRS = Number(process.argv[2] ?? 15);
const FRAMES = 200_000;
const AHEAD = 64;
const FRAME = { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n };
const PAYLOAD = new Uint8Array(64);

const nothing = (): void => {};

/** Nanoseconds of processor that counting takes a frame, of each round. */
function counting(run: (calls: number) => void): number[] {
  const CALLS = 20_000;
  const all: number[] = [];
  for (let i = -3; i < PAIRS; i++) {
    const before = process.cpuUsage();
    run(CALLS);
    const { user, system } = process.cpuUsage(before);
    if (i >= 0) all.push((user + system) * 1_000 / (CALLS * MANY)); // the first are compiled under way
  }
  return all.sort((a, b) => a - b);
}

const figures = new Counting();
for (
  const [name, all] of [
    [
      `a read of ${MANY} frames`,
      counting((calls) => {
        for (let i = 0; i < calls; i++) figures.read(MANY);
      }),
    ],
    [
      `a write of ${MANY} frames`,
      counting((calls) => {
        for (let i = 0; i < calls; i++) figures.write(MANY);
      }),
    ],
  ] as const
) {
  const ns = median(all);
  console.log(
    `counting, ${name}: ${ns.toFixed(1)} ns a frame (${all[0]!.toFixed(1)} to ${
      all.at(-1)!.toFixed(1)
    }), ${ns <= 5 ? "reached" : "MISSED"}`,
  );
}

/** Sends `FRAMES` frames, `AHEAD` at a time, and waits for their echoes. Returns frames a second of processor. */
function round(peer: FramedConnection, echoed: { on: (n: number) => void }): Promise<number> {
  const start = process.cpuUsage();
  let sent = 0;
  let back = 0;
  const send = (): void => {
    while (sent < FRAMES && sent - back < AHEAD) {
      peer.trySend({ ...FRAME, payload: PAYLOAD });
      sent++;
    }
  };
  return new Promise((resolve) => {
    echoed.on = (n) => {
      back += n;
      const { user, system } = process.cpuUsage(start);
      if (back >= FRAMES) resolve(FRAMES / (user + system) * 1e6);
      else send();
    };
    send();
  });
}

await using server = new Transport();
await using client = new Transport();
const listener = await server.listen({
  address: "tcp://127.0.0.1:0",
  onConnection: async (connection) => {
    const peer = framed(connection);
    peer.onBatch((batch) => batch.forEach((frame) => peer.trySend(frame.toFrame())));
    await peer.closed;
  },
});
const peer = framed(await client.dial(listener.address));
const echoed = { on: (_n: number): void => {} };
peer.onBatch((batch) => echoed.on(batch.length));

const { observe } = Histogram.prototype;
const { took } = FrameTimer.prototype;
const ratios: number[] = [];
for (let i = -2; i < PAIRS; i++) {
  const speeds = { on: 0, off: 0 };
  for (const which of i % 2 === 0 ? ["on", "off"] as const : ["off", "on"] as const) {
    Histogram.prototype.observe = which === "on" ? observe : nothing;
    FrameTimer.prototype.took = which === "on" ? took : nothing;
    speeds[which] = await round(peer, echoed);
  }
  if (i >= 0) ratios.push(speeds.on / speeds.off);
}
ratios.sort((a, b) => a - b);
const at = (share: number): string => ratios[Math.floor((ratios.length - 1) * share)]!.toFixed(3);
console.log(
  `throughput on / off, ${PAIRS} pairs of ${FRAMES} frames: median ${at(0.5)}, quartiles ${
    at(0.25)
  } and ${at(0.75)}, ${Number(at(0.5)) >= 0.95 ? "reached" : "MISSED"}`,
);
await peer.close();
