/**
 * Decode and encode.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Decoder, encodeFrame, FLAGS, type Frame } from "../src/oap/mod.ts";
import { ConcatDecoder } from "./codec/peers/concat.ts";
import { frame, noise, repeated } from "./data.ts";
import { bench } from "./harness.ts";

const KIB_16 = noise(16 * 1024);
const frame16 = frame(KIB_16);
const wire16 = encodeFrame(frame16);
const header = encodeFrame(frame(new Uint8Array(0)));
const mixed = repeated(frame(noise(256)), 200);
const tiny = repeated(frame(new Uint8Array(0)), 20_000);
const ack = frame(new Uint8Array(0), FLAGS.RESP);

interface Pushed {
  push(bytes: Uint8Array): { readonly length: number };
}

/** Decodes in one push with a fresh decoder, and looks at every frame. */
function decode(bytes: Uint8Array): number {
  let sum = 0;
  const decoder = new Decoder();
  decoder.push(bytes).forEach((view) => {
    sum += view.payloadBytes;
  });
  return sum;
}

/** The same by the decoder that is written first. */
function decodeNaive(bytes: Uint8Array): number {
  let sum = 0;
  for (const { payload } of new ConcatDecoder().push(bytes)) sum += payload.length;
  return sum;
}

/** Decodes with a push for each piece of `step` bytes. */
function decodePieces(decoder: Pushed, bytes: Uint8Array, step: number): number {
  let frames = 0;
  for (let at = 0; at < bytes.length; at += step) {
    frames += decoder.push(bytes.subarray(at, at + step)).length;
  }
  return frames;
}

/** Encodes as it is written first: a header, and both joined. */
function encodeNaive({ flags, code, appProtoId, tenantId, corrId, payload }: Frame): Uint8Array {
  const head = Buffer.alloc(38);
  head.writeUInt32BE(38 + payload.length, 0);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(flags, 6);
  head.writeUInt16BE(code, 8);
  head.writeUInt16BE(appProtoId, 10);
  head.writeBigUInt64BE(tenantId >> 64n, 12);
  head.writeBigUInt64BE(tenantId & 0xffff_ffff_ffff_ffffn, 20);
  head.writeBigUInt64BE(corrId, 30);
  return Buffer.concat([head, payload]);
}

const standing = new Decoder();
const naive = new ConcatDecoder();

/** Ours, and the naive way as its baseline. */
function pair(
  id: string,
  bytes: number,
  units: number,
  ours: () => unknown,
  theirs: () => unknown,
): void {
  bench({ id, group: id, bytes, units, run: ours });
  bench({ id: `${id}.naive`, group: id, baseline: true, bytes, units, run: theirs });
}

pair(
  "oap_header_parse",
  header.length,
  1,
  () => standing.push(header).length,
  () => naive.push(header).length,
);
pair(
  "oap_frame_decode_16k",
  wire16.length,
  1,
  () => standing.push(wire16).length,
  () => naive.push(wire16).length,
);
pair("decode_happy", mixed.length, 200, () => decode(mixed), () => decodeNaive(mixed));
pair(
  "decode_pathological",
  mixed.length,
  200,
  () => decodePieces(new Decoder(), mixed, 7),
  () => decodePieces(new ConcatDecoder(), mixed, 7),
);
pair("tiny_frames_one_buffer", tiny.length, 20_000, () => decode(tiny), () => decodeNaive(tiny));
pair(
  "oap_frame_encode_16k",
  wire16.length,
  1,
  () => encodeFrame(frame16),
  () => encodeNaive(frame16),
);
pair("encode_ack", 38, 1, () => encodeFrame(ack), () => encodeNaive(ack));
