/**
 * HELLO: what both ends can do; wire §7.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { CodecError } from "./codec_error.ts";
import { encodeFrame } from "./encoder.ts";
import { EMPTY, FLAGS, type Frame, HEADER_BYTES, VERSION } from "./frame.ts";
import { helloBody, readObject, readReply } from "./hello_json.ts";

/** The ALPN id of this wire. */
export const ALPN = "oap/1" as const;

/** Most bytes of a HELLO's body. */
export const HELLO_BYTES = 4096 as const;

/** What a HELLO request says. */
export interface HelloRequest {
  /** Name and version of the client's software; `null` if it does not tell. */
  readonly ua: string | null;
}

/** What a HELLO reply says. The names are those of the wire. */
export interface HelloReply {
  /** Largest frame, in bytes, at least 38. */
  readonly max_frame: number;
  /** Most unanswered requests, at least 1. */
  readonly max_inflight: number;
  /** The flags understood; without the bit of COMP, nothing compressed may be sent. */
  readonly flags_supported: number;
  /** Versions of the wire. */
  readonly versions: readonly number[];
  /** What the other end can be reached by, such as `tcp+tls`. */
  readonly transports: readonly string[];
}

/** What holds for a connection after HELLO. */
export interface Negotiated {
  /** Largest frame in both directions, in bytes. */
  readonly maxFrame: number;
  /** Most unanswered requests. */
  readonly maxInflight: number;
  /** Flags that both ends understand. */
  readonly flags: number;
  /** Version of the wire. */
  readonly version: number;
}

/** Which exchange a HELLO belongs to. */
export interface HelloIds {
  /** The tenant. @default {0n} */
  tenantId?: bigint;
  /** Matches the reply to the request. @default {1n} */
  corrId?: bigint;
}

/** The reply of an end that lowers nothing, frozen. */
export const DEFAULT_REPLY: HelloReply = Object.freeze({
  max_frame: CAPS.frameBytes,
  max_inflight: CAPS.inflightFrames,
  flags_supported: 255,
  versions: Object.freeze([VERSION]),
  transports: Object.freeze(["tcp+tls"]),
});

/**
 * Encodes a HELLO request.
 *
 * @param agent Name and version of the client's software, or `null`.
 * @param ids Tenant and correlation id.
 * @returns The whole frame.
 * @throws {CodecError} `BadHello` for a body above 4 KiB.
 *
 * @example
 * ```ts
 * import { decodeHelloRequest, encodeHelloRequest } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(decodeHelloRequest(encodeHelloRequest("sdk/0.1")), { ua: "sdk/0.1" });
 * ```
 */
export function encodeHelloRequest(agent: string | null = null, ids: HelloIds = {}): Uint8Array {
  return encodeFrame(helloFrame(FLAGS.REQ, 0, { ua: agent }, ids));
}

/**
 * Encodes a HELLO reply, keys in the order of the wire.
 *
 * @param reply What this end can do.
 * @param ids Tenant and correlation id of the request.
 * @returns The whole frame.
 * @throws {CodecError} `BadHello` for a body above 4 KiB.
 *
 * @example
 * ```ts
 * import { decodeHelloReply, DEFAULT_REPLY, encodeHelloReply } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(decodeHelloReply(encodeHelloReply(DEFAULT_REPLY)), DEFAULT_REPLY);
 * ```
 */
export function encodeHelloReply(
  reply: HelloReply = DEFAULT_REPLY,
  ids: HelloIds = {},
): Uint8Array {
  const { max_frame, max_inflight, flags_supported, versions, transports } = reply;
  return encodeFrame(
    helloFrame(
      FLAGS.RESP,
      200,
      { max_frame, max_inflight, flags_supported, versions, transports },
      ids,
    ),
  );
}

/** A HELLO as a frame. */
export function helloFrame(flags: number, code: number, body: object, ids: HelloIds): Frame {
  const payload = new TextEncoder().encode(JSON.stringify(body));
  if (payload.length > HELLO_BYTES) {
    throw badHello(`a body of ${payload.length} bytes: at most ${HELLO_BYTES} are legal`, "local");
  }
  return {
    flags,
    code,
    appProtoId: 0,
    tenantId: ids.tenantId ?? 0n,
    corrId: ids.corrId ?? 1n,
    payload,
  };
}

/**
 * Reads a HELLO request: REQ alone of the three kinds, code 0, protocol 0, and a body that is empty or one
 * JSON object. Unknown keys are ignored.
 *
 * @param frame The whole frame as bytes, or decoded.
 * @returns What it says.
 * @throws {CodecError} `BadHello`.
 *
 * @example
 * ```ts
 * import { decodeHelloRequest, FLAGS } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const frame = { flags: FLAGS.REQ, code: 0, appProtoId: 0, tenantId: 0n, corrId: 1n, payload: new Uint8Array() };
 * assert.deepEqual(decodeHelloRequest(frame), { ua: null });
 * ```
 */
export function decodeHelloRequest(frame: Uint8Array | Frame): HelloRequest {
  const body = bodyOf(frame, FLAGS.REQ, 0);
  if (body.length === 0) return { ua: null };
  const ua = readObject(body, badHello).get("ua") ?? null;
  if (ua !== null && typeof ua !== "string") throw badHello("ua that is neither a string nor null");
  return { ua };
}

/**
 * Reads a HELLO reply: RESP alone of the three kinds, code 200, protocol 0, all five keys, values in range.
 *
 * @param frame The whole frame as bytes, or decoded.
 * @returns What it says, ceilings not applied: see {@linkcode negotiate}.
 * @throws {CodecError} `BadHello`.
 *
 * @example
 * ```ts
 * import { CodecError, decodeHelloReply, encodeHelloRequest } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * assert.throws(() => decodeHelloReply(encodeHelloRequest()), CodecError);
 * ```
 */
export function decodeHelloReply(frame: Uint8Array | Frame): HelloReply {
  return readReply(readObject(bodyOf(frame, FLAGS.RESP, 200), badHello), badHello);
}

/**
 * What holds when both ends know each other's abilities: the lesser of each limit, the flags both know, the
 * highest common version. A value above a ceiling of this library never raises it.
 *
 * @param ours What this end can do.
 * @param theirs What the other end can do.
 * @returns What holds.
 * @throws {CodecError} `BadHello` without a common version.
 *
 * @example
 * ```ts
 * import { DEFAULT_REPLY, negotiate } from "@ron/transport/oap";
 * import assert from "node:assert/strict";
 *
 * const { maxFrame } = negotiate(DEFAULT_REPLY, { ...DEFAULT_REPLY, max_frame: 65_536 });
 * assert.equal(maxFrame, 65_536);
 * ```
 */
export function negotiate(ours: HelloReply, theirs: HelloReply): Negotiated {
  const common = ours.versions.filter((version) => theirs.versions.includes(version));
  if (common.length === 0) {
    throw badHello(
      `versions ${theirs.versions.join(", ") || "none"}: ${
        ours.versions.join(", ")
      } are known here`,
    );
  }
  return {
    maxFrame: Math.min(ours.max_frame, theirs.max_frame, CAPS.frameBytes),
    maxInflight: Math.min(ours.max_inflight, theirs.max_inflight, CAPS.inflightFrames),
    flags: ours.flags_supported & theirs.flags_supported & 0xff,
    version: Math.max(...common),
  };
}

const KINDS = FLAGS.REQ | FLAGS.RESP | FLAGS.EVENT;

function bodyOf(frame: Uint8Array | Frame, kind: number, code: number): Uint8Array {
  const hello = frame instanceof Uint8Array ? helloBody(frame, badHello) : frame;
  if ((hello.flags & KINDS) !== kind) {
    throw badHello(`flags ${hello.flags}: ${kind} alone is wanted`);
  }
  if (hello.code !== code) throw badHello(`code ${hello.code}: ${code} is wanted`);
  if (hello.appProtoId !== 0) throw badHello(`protocol ${hello.appProtoId}: 0 is wanted`);
  const payload = hello.payload ?? EMPTY;
  if (payload.length > HELLO_BYTES) {
    throw badHello(`a body of ${payload.length} bytes: at most ${HELLO_BYTES} are legal`);
  }
  return payload;
}

function badHello(what: string, origin: "local" | "remote" = "remote"): CodecError {
  return new CodecError("BadHello", `Cannot use a HELLO with ${what}`, "hello", origin);
}

/** Largest frame that can be a HELLO with the largest body and no capability. */
export const HELLO_FRAME_BYTES: number = HEADER_BYTES + HELLO_BYTES;
