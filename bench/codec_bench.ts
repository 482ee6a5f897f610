/**
 * Decode and encode.
 *
 * @module
 */

import { Decoder, encodeFrame, FLAGS } from "../src/oap/mod.ts";
import { frame, noise, repeated } from "./data.ts";
import { bench } from "./harness.ts";

const KIB_16 = noise(16 * 1024);
const frame16 = frame(KIB_16);
const wire16 = encodeFrame(frame16);
const header = encodeFrame(frame(new Uint8Array(0)));
const mixed = repeated(frame(noise(256)), 200);
const tiny = repeated(frame(new Uint8Array(0)), 20_000);
const ack = frame(new Uint8Array(0), FLAGS.RESP);

/** Decodes in one push with a fresh decoder, and looks at every frame. */
function decode(bytes: Uint8Array): number {
  let sum = 0;
  const decoder = new Decoder();
  decoder.push(bytes).forEach((view) => {
    sum += view.payloadBytes;
  });
  return sum;
}

/** Decodes with a push for each piece of `step` bytes. */
function decodePieces(bytes: Uint8Array, step: number): number {
  let frames = 0;
  const decoder = new Decoder();
  for (let at = 0; at < bytes.length; at += step) {
    frames += decoder.push(bytes.subarray(at, at + step)).length;
  }
  return frames;
}

const standing = new Decoder();

bench({
  id: "oap_header_parse",
  group: "decode",
  bytes: header.length,
  units: 1,
  run: () => standing.push(header).length,
});
bench({
  id: "oap_frame_decode_16k",
  group: "decode",
  bytes: wire16.length,
  units: 1,
  run: () => standing.push(wire16).length,
});
bench({
  id: "decode_happy",
  group: "decode",
  bytes: mixed.length,
  units: 200,
  run: () => decode(mixed),
});
bench({
  id: "decode_pathological",
  group: "decode",
  bytes: mixed.length,
  units: 200,
  run: () => decodePieces(mixed, 7),
});
bench({
  id: "tiny_frames_one_buffer",
  group: "decode",
  bytes: tiny.length,
  units: 20_000,
  run: () => decode(tiny),
});
bench({
  id: "oap_frame_encode_16k",
  group: "encode",
  bytes: wire16.length,
  units: 1,
  run: () => encodeFrame(frame16),
});
bench({
  id: "encode_ack",
  group: "encode",
  bytes: 38,
  units: 1,
  run: () => encodeFrame(ack),
});
