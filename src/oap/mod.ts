/**
 * OAP/1: the codec alone, and the codec on a connection.
 *
 * @example The codec without a socket
 * ```ts
 * import { Decoder, encodeFrame, FLAGS } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const bytes = encodeFrame({
 *   flags: FLAGS.REQ | FLAGS.START | FLAGS.END,
 *   code: 0,
 *   appProtoId: 100,
 *   tenantId: 0n,
 *   corrId: 1n,
 *   payload: new TextEncoder().encode("hi"),
 * });
 *
 * const decoder = new Decoder({ maxFrameBytes: 65_536 });
 * for (const frame of decoder.push(bytes)) {
 *   assert.equal(frame.appProtoId, 100);
 *   assert.equal(new TextDecoder().decode(frame.payload), "hi");
 * }
 * assert.equal(decoder.error, undefined);
 * ```
 *
 * @module
 */

export { AckWindow, type AckWindowOptions, type Rollover } from "./ack.ts";
export { BorrowedBatch, FrameBatch, type Frames } from "./batch.ts";
export { chunk, type ChunkPlan, fragment, type FragmentOptions } from "./chunk.ts";
export {
  CodecError,
  type CodecFault,
  type CodecReason,
  type FaultInfo,
  FAULTS,
} from "./codec_error.ts";
export { type CorrIds, corrIds } from "./corr_ids.ts";
export { Decoder, type DecoderOptions } from "./decoder.ts";
export type { Answer, Asked } from "./answer.ts";
export { encodeFrame, type EncodeOptions } from "./encoder.ts";
export {
  fireAndForget,
  FLAGS,
  type Flags,
  type Frame,
  type FrameHead,
  HEADER_BYTES,
  terminal,
  wantsAck,
} from "./frame.ts";
export { FrameView } from "./frame_view.ts";
export { framed, FramedConnection } from "./framed.ts";
export type { FramedCounters } from "./framed_counters.ts";
export type { FramedOptions, PingOptions, RequestOptions, SendOptions } from "./framed_options.ts";
export { type Codec, inflate, type InflateOptions } from "./guard.ts";
export {
  ALPN,
  decodeHelloReply,
  decodeHelloRequest,
  DEFAULT_REPLY,
  encodeHelloReply,
  encodeHelloRequest,
  HELLO_BYTES,
  type HelloIds,
  type HelloReply,
  type HelloRequest,
  negotiate,
  type Negotiated,
} from "./hello.ts";
export { type WasmInfo, wasmInfo } from "./instance.ts";
export { type FrameLabel, frameLabel } from "./label.ts";
export { mayCompress } from "./may_compress.ts";
export type { StreamSource } from "./chunk_source.ts";
export type { StreamResult } from "./stream_send.ts";
export { type Direction, StreamTracker, type StreamVerdict } from "./streams.ts";
