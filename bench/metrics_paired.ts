/**
 * Throughput with histograms on and off, in pairs: small frames echoed over loopback TCP in one process.
 * `deno run -A bench/metrics_paired.ts [PAIRS]`, or `bun` the same.
 *
 * Off means that `Histogram.observe` does nothing; the plain sums stay, as nothing can run without them.
 *
 * @module
 */

import process from "node:process";
import { Transport } from "../mod.ts";
import { Histogram } from "../src/histogram.ts";
import { FLAGS, framed, type FramedConnection } from "../src/oap/mod.ts";

const PAIRS = Number(process.argv[2] ?? 15);
const FRAMES = 200_000;
const AHEAD = 64;
const FRAME = { flags: FLAGS.EVENT, code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n };
const PAYLOAD = new Uint8Array(64);

const observe = Histogram.prototype.observe;
const nothing = (): void => {};

/** Sends `FRAMES` frames, `AHEAD` at a time, and waits for their echoes. Returns frames a second. */
function round(peer: FramedConnection, echoed: { on: (n: number) => void }): Promise<number> {
  const start = performance.now();
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
      if (back >= FRAMES) resolve(FRAMES / (performance.now() - start) * 1_000);
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

const ratios: number[] = [];
for (let i = -2; i < PAIRS; i++) {
  const speeds = { on: 0, off: 0 };
  for (const which of i % 2 === 0 ? ["on", "off"] as const : ["off", "on"] as const) {
    Histogram.prototype.observe = which === "on" ? observe : nothing;
    speeds[which] = await round(peer, echoed);
  }
  if (i >= 0) ratios.push(speeds.on / speeds.off);
}
ratios.sort((a, b) => a - b);
const at = (share: number): string => ratios[Math.floor((ratios.length - 1) * share)]!.toFixed(3);
console.log(
  `on / off, ${PAIRS} pairs of ${FRAMES} frames: median ${at(0.5)}, quartiles ${at(0.25)} and ${
    at(0.75)
  }`,
);
await peer.close();
