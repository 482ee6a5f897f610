/**
 * The conformance vectors: reading them, making their bytes, and comparing frames with what they expect.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Frame } from "../src/oap/mod.ts";

/** How a vector writes bytes. */
export type Gen =
  | { hex: string }
  | { repeat: [string, number] }
  | { prng: [number, number] }
  | { concat: Gen[] }
  | { take: [Gen, number] }
  | { gen: Gen };

/** Bytes as expected in a frame. */
export type Expected = string | { len: number; sha256: string } | null;

/** A frame as expected. */
export interface ExpectedFrame {
  len: number;
  flags: number;
  code: number;
  appProtoId: number;
  tenantId: string;
  corrId: string;
  capability: Expected;
  payload: Expected;
}

/** A fault as expected. */
export interface ExpectedError {
  name: string;
  reason: string;
  status: number;
}

/** All cases of a file. */
export function vectors<T>(file: string): T[] {
  const text = readFileSync(new URL(`./vectors/${file}.jsonl`, import.meta.url), "utf8");
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as T);
}

/** The bytes of a case, or of one of its fields. */
export function bytes(source: Gen | { hex?: string; gen?: Gen }): Uint8Array {
  if ("hex" in source && source.hex !== undefined) return fromHex(source.hex);
  if ("gen" in source && source.gen !== undefined) return bytes(source.gen);
  if ("repeat" in source) return repeat(fromHex(source.repeat[0]), source.repeat[1]);
  if ("prng" in source) return xorshift(source.prng[0], source.prng[1]);
  if ("concat" in source) return concat(source.concat.map(bytes));
  if ("take" in source) return bytes(source.take[0]).subarray(0, source.take[1]);
  throw new Error(`unknown generator ${JSON.stringify(source)}`);
}

/** Hexadecimal digits to bytes. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(
    { length: hex.length / 2 },
    (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Bytes to hexadecimal digits. */
export function toHex(value: Uint8Array): string {
  return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The SHA-256 of bytes. */
export function digest(value: Uint8Array): string {
  return createHash("sha256").update(value).digest("hex");
}

/** One after the other. */
export function concat(parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Pseudo-random bytes of the vectors; also the source of seeded splits. */
export function xorshift(seed: number, n: number): Uint8Array {
  const out = new Uint8Array(n);
  const next = random(seed);
  for (let i = 0; i < n; i++) out[i] = next();
  return out;
}

/** Pseudo-random 32-bit numbers. */
export function random(seed: number): () => number {
  let x = seed | 0;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

function repeat(part: Uint8Array, n: number): Uint8Array {
  const out = new Uint8Array(part.length * n);
  for (let i = 0; i < n; i++) out.set(part, i * part.length);
  return out;
}

/** Compares bytes with what a vector expects; `null` is none. */
export function assertBytes(
  actual: Uint8Array | undefined,
  expected: Expected,
  what: string,
): void {
  const value = actual ?? new Uint8Array(0);
  if (expected === null) return assert.equal(value.length, 0, what);
  if (typeof expected === "string") return assert.equal(toHex(value), expected, what);
  assert.equal(value.length, expected.len, what);
  assert.equal(digest(value), expected.sha256, what);
}

/** Compares a frame with what a vector expects. */
export function assertFrame(
  actual: Frame & { len: number },
  expected: ExpectedFrame,
  what: string,
): void {
  const { len, flags, code, appProtoId, tenantId, corrId } = actual;
  assert.deepEqual(
    {
      len,
      flags,
      code,
      appProtoId,
      tenantId: tenantId.toString(16).padStart(32, "0"),
      corrId: String(corrId),
    },
    {
      len: expected.len,
      flags: expected.flags,
      code: expected.code,
      appProtoId: expected.appProtoId,
      tenantId: expected.tenantId,
      corrId: expected.corrId,
    },
    what,
  );
  assertBytes(actual.capability, expected.capability, `${what}: capability`);
  assertBytes(actual.payload, expected.payload, `${what}: payload`);
  assert.equal(
    actual.capability === undefined,
    expected.capability === null,
    `${what}: an absent capability is undefined`,
  );
}
