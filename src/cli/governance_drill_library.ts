/**
 * The drill against the library that runs this: raise a limit by every way there is into a process.
 *
 * @module
 */

import type { AuditEvent } from "../audit/events.ts";
import { CAPS } from "../caps.ts";
import type { ReloadResult, TransportConfig } from "../config/config.ts";
import { type ConfigSources, loadConfig } from "../config/load.ts";
import { watchConfig } from "../config/watch.ts";
import { TransportError } from "../errors.ts";
import { rawModule } from "../governance/probe_module.ts";
import { CAP_REFUSED, GUARD, type HotExports, NO_IDS } from "../oap/abi.ts";
import { Artefact, CAP_NAMES } from "../oap/artefact.ts";
import { Decoder } from "../oap/decoder.ts";
import { inflate } from "../oap/guard.ts";
import { Hot } from "../oap/hot.ts";
import { WASM_BASE64, WASM_SHA256 } from "../oap/hot_wasm.ts";
import { hot } from "../oap/instance.ts";
import { join, writeText } from "../runtime/host_files.ts";
import { Transport } from "../transport.ts";
import { type Attempt, mustThrow, type Outcome, together } from "./governance_drill_attempt.ts";

const FRAME = CAPS.frameBytes + 1;
const CHUNK = CAPS.chunkBytes + 1;
const MOST = 2 ** 32 - 1;

/** What an insider would raise; the inbox has no key, so that any name for it is unknown. */
const RAISED: readonly {
  readonly what: string;
  readonly document: TransportConfig;
  readonly toml: string;
  readonly env: readonly [string, string];
  readonly flag: readonly [string, string];
}[] = [
  {
    what: "frame",
    document: { limits: { max_frame_bytes: FRAME } },
    toml: `[limits]\nmax_frame_bytes = ${FRAME}\n`,
    env: ["RON_TRANSPORT_MAX_FRAME_BYTES", String(FRAME)],
    flag: ["transport.max-frame", String(FRAME)],
  },
  {
    what: "chunk",
    document: { limits: { chunk_bytes: CHUNK } },
    toml: `[limits]\nchunk_bytes = ${CHUNK}\n`,
    env: ["RON_TRANSPORT_CHUNK_BYTES", String(CHUNK)],
    flag: ["transport.chunk", String(CHUNK)],
  },
  {
    what: "inbox",
    document: { limits: { inbox_items: CAPS.inboxItems + 1 } } as TransportConfig,
    toml: `[limits]\ninbox_items = ${CAPS.inboxItems + 1}\n`,
    env: ["RON_TRANSPORT_INBOX_ITEMS", String(CAPS.inboxItems + 1)],
    flag: ["transport.inbox-items", String(CAPS.inboxItems + 1)],
  },
];

/** A running server, and what its audit hook was told. */
interface Server {
  readonly transport: Transport;
  readonly events: AuditEvent[];
  /** A directory that is there as long as it. */
  readonly folder: string;
}

/**
 * Makes the attempts on a running transport.
 *
 * @param folder A temporary directory.
 */
export function libraryAttempts(
  folder: string,
): { attempts: readonly Attempt[]; close: () => Promise<void> } {
  const events: AuditEvent[] = [];
  const transport = new Transport({}, { onAudit: (event) => void events.push(event) });
  const server = { transport, events, folder };
  const attempts = [
    ...RAISED.flatMap(({ what, document, toml, env, flag }) => [
      raise(`${what} by file`, () => byFile(server, toml)),
      raise(`${what} by environment`, () => bySources(server, { env: { [env[0]]: env[1] } })),
      raise(`${what} by flag`, () => bySources(server, { env: {}, flags: { [flag[0]]: flag[1] } })),
      raise(`${what} by reload`, () => recorded(server, () => transport.reload(document))),
      raise(
        `${what} by constructor`,
        () => mustThrow("config_invalid", () => new Transport(document)),
      ),
    ]),
    { ...library("the frozen snapshot is written to", "TypeError"), run: () => mutate(server) },
    {
      ...library("Object.prototype is polluted", "limits as before, or config_invalid"),
      run: pollute,
    },
    {
      ...library(
        `WebAssembly is called with ceiling + 1 and ${MOST}`,
        "refused by its own constants",
      ),
      run: callModule,
    },
    {
      ...library(
        "the module's memory and globals are written to",
        "refused by its constants, or not taken",
      ),
      run: writeModule,
    },
    { ...library("the WebAssembly file is swapped", "internal: another digest"), run: swapModule },
  ];
  return { attempts, close: () => transport.close() };
}

function library(name: string, expects: string): Omit<Attempt, "run"> {
  return { name, against: "library", expects };
}

function raise(name: string, run: () => Promise<Outcome>): Attempt {
  return { ...library(name, "config_invalid"), run };
}

/** A reload of the running server: refused, on record, and nothing of what was in force has changed. */
async function recorded(
  { transport, events }: Server,
  reload: () => ReloadResult | Promise<ReloadResult>,
): Promise<Outcome> {
  const before = transport.config;
  const told = events.length;
  const { result, issues = [] } = await reload();
  await new Promise((resolve) => setTimeout(resolve));
  const event = events.slice(told).find((one) =>
    one.event === "TransportConfigReloaded" && one.result === "rejected"
  );
  const how = `config_invalid: ${[...new Set(issues.map(({ path }) => path))].join(", ")}`;
  if (result !== "rejected") return { refused: false, how: `the reload was ${result}` };
  if (transport.config !== before) return { refused: false, how: "the configuration has changed" };
  if (event === undefined) return { refused: false, how: "refused, and nobody was told" };
  return { refused: true, how, audit: JSON.stringify(event) };
}

async function byFile(server: Server, toml: string): Promise<Outcome> {
  const file = join(server.folder, "raised.toml");
  await writeText(file, toml);
  return together([
    await bySources(server, { file, env: {} }),
    await mustThrow("config_invalid", () => loadConfig({ file, env: {} })),
  ]);
}

/** As `serve` watches its sources: they are read anew, and are not what they were. */
function bySources(server: Server, sources: ConfigSources): Promise<Outcome> {
  return recorded(server, async () => {
    const quiet = { files: false, hangup: false };
    const good = await loadConfig({ env: {} });
    await using watch = await watchConfig(server.transport, good, sources, quiet);
    return await watch.reload();
  });
}

async function mutate({ transport }: Server): Promise<Outcome> {
  const { config } = transport;
  const value = FRAME;
  const writes: (() => unknown)[] = [
    () => Object.assign(config.limits, { max_frame_bytes: value }),
    () => Object.assign(config, { limits: { max_frame_bytes: value } }),
    () => Object.defineProperty(config.limits, "max_frame_bytes", { value }),
    () => Object.setPrototypeOf(config.limits, { max_frame_bytes: value }),
    () => Object.assign(CAPS, { frameBytes: value }),
  ];
  const outcomes = await Promise.all(writes.map((write) => mustThrow("TypeError", write)));
  if (config.limits.max_frame_bytes <= 1_048_576 && CAPS.frameBytes < FRAME) {
    return together(outcomes);
  }
  return { refused: false, how: "a limit has changed" };
}

/** Under every name that a limit has anywhere, for as long as it takes. */
async function pollute(): Promise<Outcome> {
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  const evil = {
    max_frame_bytes: FRAME,
    maxFrameBytes: FRAME,
    frameBytes: FRAME,
    maxOutputBytes: FRAME,
    maxRatio: 1_000,
    limits: { max_frame_bytes: FRAME },
  };
  for (const [name, value] of Object.entries(evil)) {
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
  }
  try {
    return together([
      await limitsHold(() => new Transport().config.limits.max_frame_bytes <= CAPS.frameBytes),
      await limitsHold(() => takesNoLargeFrame(new Decoder({}))),
      await limitsHold(() => takesNoLargeFrame(new Decoder())),
      await limitsHold(() => {
        inflate(new Uint8Array(8), { codec: "zstd" });
        return false;
      }),
    ]);
  } finally {
    for (const name of Object.keys(evil)) delete prototype[name];
  }
}

/** Either nothing is taken from the prototype, or it is refused with a kind. */
async function limitsHold(work: () => boolean): Promise<Outcome> {
  try {
    const held = await work();
    return {
      refused: held,
      how: held ? "the limits are as before" : "a limit is above its ceiling",
    };
  } catch (error) {
    if (!TransportError.is(error)) throw error;
    return { refused: true, how: error.kind };
  }
}

function takesNoLargeFrame(decoder: Decoder): boolean {
  const header = new Uint8Array(38);
  new DataView(header.buffer).setUint32(0, FRAME);
  header[5] = 1; // the version
  decoder.push(header);
  return decoder.error?.kind === "too_large";
}

function callModule(): Promise<Outcome> {
  const module = hot();
  const empty = new Uint8Array(1);
  const refused: Record<string, boolean> = {};
  for (const raised of [1, undefined]) {
    const above = (ceiling: number): number => raised === undefined ? MOST : ceiling + raised;
    const at = raised === undefined ? String(MOST) : "ceiling + 1";
    refused[`index with ${at}`] = module.index(0, above(CAPS.frameBytes)) === CAP_REFUSED;
    refused[`rows with ${at}`] = module.checkRows(0, above(CAPS.frameBytes)) === CAP_REFUSED;
    refused[`chunk with ${at}`] =
      module.chunk(1, 0, above(CAPS.chunkBytes), 1, 0, NO_IDS) === CAP_REFUSED;
    refused[`guard with ${at}`] =
      module.inflate(0, empty, above(CAPS.frameBytes), 0) === GUARD.REFUSED;
  }
  return Promise.resolve(allOf(refused));
}

function allOf(refused: Readonly<Record<string, boolean>>): Outcome {
  const through = Object.entries(refused).filter(([, yes]) => !yes).map(([name]) => name);
  const names = Object.keys(refused);
  return through.length === 0
    ? { refused: true, how: names.join(", ") }
    : { refused: false, how: `taken: ${through.join(", ")}` };
}

/** An instance of one's own, with its tables of ceilings and its globals overwritten. */
function writeModule(): Promise<Outcome> {
  const raw = rawModule();
  const self = raw["hot_new"]!();
  const refuses = (): boolean =>
    raw["hot_index"]!(self, 0, FRAME, 1) >>> 0 === CAP_REFUSED &&
    raw["hot_rows"]!(self, 0, FRAME) >>> 0 === CAP_REFUSED;
  const refused: Record<string, boolean> = {};
  const at = raw["hot_caps_ptr"]!(self) >>> 0;
  new Uint32Array(raw.memory.buffer, at, CAP_NAMES.length)[0] = 2 * CAPS.frameBytes;
  refused["its table overwritten"] = refuses();
  refused["every such table in its memory overwritten"] = overwriteTables(raw.memory) && refuses();
  for (const value of Object.values(raw) as unknown[]) {
    if (!(value instanceof WebAssembly.Global)) continue;
    try {
      value.value = 0x7fff_ffff;
    } catch {
      // it cannot be written to
    }
  }
  refused["its globals overwritten"] = refuses();
  refused["and the library takes it for no other"] = startsNotRaised(raw as unknown as HotExports);
  return Promise.resolve(allOf(refused));
}

/** Wherever two ceilings stand beside each other, as in the table that new objects are made from. */
function overwriteTables({ buffer }: WebAssembly.Memory): boolean {
  const words = new Uint32Array(buffer);
  let found = 0;
  for (let i = 0; i + 1 < words.length; i++) {
    if (words[i] !== CAPS.frameBytes && words[i] !== 2 * CAPS.frameBytes) continue;
    if (words[i + 1] !== CAPS.chunkBytes) continue;
    words[i] = 2 * CAPS.frameBytes;
    found++;
  }
  return found > 0;
}

/** An instance whose table says something else is not taken; one that is taken refuses as ever. */
function startsNotRaised(exports: HotExports): boolean {
  try {
    return new Hot(exports, () => {}).index(0, FRAME) === CAP_REFUSED;
  } catch (error) {
    return TransportError.is(error) && error.kind === "internal";
  }
}

async function swapModule(): Promise<Outcome> {
  const middle = WASM_BASE64.length >> 1;
  const other = WASM_BASE64[middle] === "A" ? "B" : "A";
  const swapped = `${WASM_BASE64.slice(0, middle)}${other}${WASM_BASE64.slice(middle + 1)}`;
  const outcome = await mustThrow("internal", () => new Artefact(swapped, WASM_SHA256).prove());
  return { ...outcome, how: outcome.how.replace(/[0-9a-f]{56}(?=[0-9a-f]{8})/g, "…") };
}
