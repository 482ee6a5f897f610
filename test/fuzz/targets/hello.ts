/** HELLO: what is accepted is JSON that says the same, and nothing in it raises a ceiling. */
import assert from "node:assert/strict";
import { CAPS } from "../../../mod.ts";
import {
  CodecError,
  decodeHelloReply,
  decodeHelloRequest,
  DEFAULT_REPLY,
  encodeHelloReply,
  encodeHelloRequest,
  FLAGS,
  type Frame,
  negotiate,
} from "../../../src/oap/mod.ts";
import { chosen, type FuzzTarget, texts } from "../target.ts";

/** The first byte chooses a request or a reply, and whether the rest is its body or the whole frame. */
function run(input: Uint8Array): string {
  const choice = input[0] ?? 0;
  const rest = input.subarray(1);
  const reply = (choice & 1) !== 0;
  const head = { appProtoId: 0, tenantId: 0n, corrId: 1n };
  const frame: Frame | Uint8Array = (choice & 2) !== 0
    ? rest
    : { ...head, flags: reply ? FLAGS.RESP : FLAGS.REQ, code: reply ? 200 : 0, payload: rest };
  try {
    return reply ? readReply(frame) : readRequest(frame);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    assert.ok(error.message.length < 400, "a message of bounded length");
    return `${reply} ${error.fault} ${error.message.replace(/[\d"'].*$/, "").slice(0, 60)}`;
  }
}

function readRequest(frame: Frame | Uint8Array): string {
  const said = decodeHelloRequest(frame);
  agrees(frame, (json) => {
    const ua = json["ua"] ?? null;
    assert.deepEqual(said, { ua });
  });
  if (said.ua === null || said.ua.length < 600) {
    assert.deepEqual(decodeHelloRequest(encodeHelloRequest(said.ua)), said);
  }
  return `request ${said.ua === null}`;
}

function readReply(frame: Frame | Uint8Array): string {
  const said = decodeHelloReply(frame);
  agrees(frame, (json) => {
    for (const [key, value] of Object.entries(said)) assert.deepEqual(value, json[key], key);
  });
  assert.deepEqual(decodeHelloReply(encodeHelloReply(said)), said);
  let settled = "no version";
  try {
    const { maxFrame, maxInflight, flags } = negotiate(DEFAULT_REPLY, said);
    assert.ok(maxFrame <= CAPS.frameBytes && maxFrame >= 38, `a frame of ${maxFrame}`);
    assert.ok(maxInflight <= CAPS.inflightFrames && maxInflight >= 1);
    assert.ok(flags <= 255);
    settled = "settled";
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
  }
  return `reply ${settled} ${said.versions.length} ${Math.min(3, said.transports.length)}`;
}

/** A body that was accepted is one JSON object, and says the same to `JSON.parse`. */
function agrees(frame: Frame | Uint8Array, check: (json: Record<string, unknown>) => void): void {
  if (frame instanceof Uint8Array || (frame.payload?.length ?? 0) === 0) return;
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(frame.payload);
  check(JSON.parse(text) as Record<string, unknown>);
}

const reply = JSON.stringify(DEFAULT_REPLY);

export const hello: FuzzTarget = {
  name: "hello",
  most: 4_300,
  seeds: [
    ...texts('{"ua":"sdk/0.1"}', '{"ua":null}', "", "{}").map((one) => chosen(0, one)),
    ...texts(reply, '{"max_frame":38}').map((one) => chosen(1, one)),
    chosen(2, encodeHelloRequest("x")),
    chosen(3, encodeHelloReply()),
  ],
  tokens: texts(
    ...['"max_frame"', '"ua"', '"versions"', "[1,2]", "1e999", '"__proto__"', "{", "}", "[", "]"],
    ...["null", "-1", "65536", "1.5", '"\\u0000"', "\ufeff", ",", ":", '"max_frame":1048577,'],
  ),
  run,
};
