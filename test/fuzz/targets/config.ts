/** Configuration files, addresses and units: a value within its bounds or typed faults, each with its place. */
import assert from "node:assert/strict";
import { CAPS, formatAddress, parseAddress, TransportError } from "../../../mod.ts";
import { readDocument } from "../../../src/config/document.ts";
import { KEY_LIST } from "../../../src/config/keys.ts";
import { checkConfig } from "../../../src/config/schema.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../../src/config/units.ts";
import { chosen, type FuzzTarget, texts } from "../target.ts";

/** The first byte chooses JSON or TOML. */
function run(input: Uint8Array): string {
  const json = ((input[0] ?? 0) & 1) !== 0;
  const bytes = input.subarray(1);
  const { document, issues, where } = readDocument(json ? "a.json" : "a.toml", bytes);
  for (const { rule, got, source } of issues) {
    assert.ok(rule.length > 0 && rule.length <= 250 && got.length <= 300);
    assert.match(source ?? "", /^a\.(?:json|toml)(?::\d+:\d+)?$/);
  }
  if (json && issues.length === 0) {
    const text = new TextDecoder().decode(bytes);
    assert.deepEqual(plain(document), plain(JSON.parse(text)));
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  const checked = checkConfig(document);
  if (checked.snapshot !== undefined) {
    const { limits, max_conns } = checked.snapshot;
    assert.ok(limits.max_frame_bytes <= CAPS.frameBytes);
    assert.ok(limits.chunk_bytes <= Math.min(CAPS.chunkBytes, limits.max_frame_bytes));
    assert.ok(Number.isSafeInteger(max_conns) && max_conns >= 1);
    assert.ok(Object.isFrozen(checked.snapshot.limits));
  }
  for (const { path, rule, got } of checked.issues) {
    assert.ok(path.length <= 200 && rule.length <= 250 && got.length <= 300, `${path} ${rule}`);
    assert.match(where(path), /^a\.(?:json|toml)/);
  }
  const first = checked.issues[0];
  return `${json} ${issues[0]?.rule.slice(0, 40)} ${first?.path.slice(0, 30)} ${
    first?.rule.slice(0, 20)
  }`;
}

/** Without prototypes, which a document has not. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Addresses and units: what is read is written the same, and all else is refused as such. */
function runText(input: Uint8Array): string {
  const text = new TextDecoder().decode(input);
  const duration = parseDuration(text);
  if (duration !== undefined) assert.equal(parseDuration(formatDuration(duration)), duration);
  const size = parseSize(text);
  if (size !== undefined) assert.equal(parseSize(formatSize(size)), size);
  try {
    const address = parseAddress(text);
    assert.deepEqual(parseAddress(formatAddress(address)), address);
    if (address.path === undefined) assert.ok(address.port <= 65_535 && address.port >= 0);
    return `${address.transport} ${address.path === undefined} ${duration} `.slice(0, 40);
  } catch (error) {
    assert.ok(TransportError.is(error) && error.kind === "config_invalid", String(error));
    assert.ok(error.message.length < 700); // 80 characters, each perhaps escaped
    return `${duration === undefined} ${size === undefined} ${error.message.slice(0, 30)}`;
  }
}

const SAMPLES = texts(
  '[limits]\nmax_frame_bytes = 65536\nchunk_bytes = "64KiB"\n',
  'backend = "tls"\n[tls]\nenabled = true\n',
  '{"limits":{"max_frame_bytes":"64KiB"},"max_conns":7}',
  '{"tls_client":{"alpn":["a","b"]},"rates":{}}',
);

export const config: FuzzTarget = {
  name: "config",
  most: 4_096,
  seeds: SAMPLES.flatMap((one) => [chosen(0, one), chosen(1, one)]),
  tokens: texts(
    ...KEY_LIST.map(({ path }) => path),
    ...['"__proto__"', "[", "]", "{", "}", "=", ":", "\n", "#", "'''", '"""', "\\u0041", "1e999"],
    ...["nan", "true", "1979-05-27T07:32:00Z", "\ufeff", "\u0000", "64KiB", "5s", "none"],
  ),
  run,
};

export const text: FuzzTarget = {
  name: "text",
  most: 300,
  seeds: texts("tcp://127.0.0.1:1", "tls://[::1]:7443", "unix:/run/a.sock", "5s", "64KiB", "250ms"),
  tokens: texts(
    "tcp://",
    "tls://",
    "unix:",
    "[",
    "]",
    ":",
    "65535",
    "65536",
    "\u0000",
    "/../",
    "KiB",
  ),
  run: runText,
};
