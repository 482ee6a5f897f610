/**
 * Reading the JSON of a HELLO strictly.
 *
 * @module
 */

import { Decoder } from "./decoder.ts";
import type { Frame } from "./frame.ts";
import type { HelloReply } from "./hello.ts";

/** Makes the error to throw. */
type Fail = (what: string) => Error;

/** The one frame that some bytes are. */
export function helloBody(bytes: Uint8Array, fail: Fail): Frame {
  const decoder = new Decoder();
  const batch = decoder.push(bytes);
  const frame = batch.at(0);
  if (decoder.end() !== undefined || batch.length !== 1 || frame === undefined) {
    throw decoder.error ?? fail(`${batch.length} frames: exactly one is wanted`);
  }
  return frame;
}

/** The members of one JSON object. A map, so that no key can reach a prototype. */
export function readObject(body: Uint8Array, fail: Fail): Map<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw fail("a body that is not JSON in UTF-8");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fail("a body that is not one JSON object");
  }
  return new Map(Object.entries(value));
}

/** The five members of a reply, each in its range. */
export function readReply(members: Map<string, unknown>, fail: Fail): HelloReply {
  return {
    max_frame: integer(members, "max_frame", 38, 0xffff_ffff, fail),
    max_inflight: integer(members, "max_inflight", 1, 0xffff, fail),
    flags_supported: integer(members, "flags_supported", 0, 0xffff, fail),
    versions: list(members, "versions", (item): item is number => isInteger(item, 0, 0xffff), fail),
    transports: list(members, "transports", (item) => typeof item === "string", fail),
  };
}

function integer(
  members: Map<string, unknown>,
  key: string,
  low: number,
  high: number,
  fail: Fail,
): number {
  const value = members.get(key);
  if (!isInteger(value, low, high)) {
    throw fail(`${key} that is not an integer from ${low} to ${high}`);
  }
  return value;
}

function isInteger(value: unknown, low: number, high: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= low && value <= high;
}

function list<T>(
  members: Map<string, unknown>,
  key: string,
  fits: (item: unknown) => item is T,
  fail: Fail,
): T[] {
  const value = members.get(key);
  if (!Array.isArray(value) || !value.every(fits)) {
    throw fail(`${key} that is not a list of legal values`);
  }
  return value;
}
