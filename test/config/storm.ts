/**
 * A storm of reloads under connections that exchange frames: most are broken, each is recorded, each that
 * is applied is seen to bite, and no frame is lost.
 *
 * @module
 */

import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Address,
  type AuditEvent,
  type Connection,
  type ConnectionClosed,
  Transport,
} from "../../mod.ts";
import { loadConfig, watchConfig } from "../../src/config/mod.ts";
import { corrIds, encodeFrame, FLAGS, framed } from "../../src/oap/mod.ts";
import { throwAwayCertificate } from "../../src/testing/certificate.ts";
import { random } from "../../src/testing/random.ts";

/** How much of a storm. */
export interface StormOptions {
  readonly reloads: number;
  readonly connections: number;
  readonly seed: number;
  /** Told now and then. */
  readonly onProgress?: (done: number) => void;
}

/** What came of one way to offer a document. */
export interface StormRow {
  readonly offered: number;
  /** How many came to what they must. */
  readonly held: number;
}

/** What a storm came to. */
export interface StormReport {
  readonly reloads: number;
  readonly applied: number;
  readonly rejected: number;
  readonly connections: number;
  /** By the way a document was broken. */
  readonly broken: Readonly<Record<string, StormRow>>;
  /** By the limit that was changed: `held` is how often a probe saw the new value at work. */
  readonly probes: Readonly<Record<string, StormRow>>;
  readonly requests: number;
  /** Requests without an answer, or with another than they must have. */
  readonly lost: number;
  /** Connections of the load that closed before the end. */
  readonly closed: number;
  /** Events that are missing, too many, out of order, or of another result. */
  readonly wrongEvents: number;
  /** Times that what was in force before a refused document was not in force after it. */
  readonly notKept: number;
  readonly seconds: number;
  /** What did not hold, the first few. */
  readonly notes: readonly string[];
}

const turn = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs a storm against a server of this process. */
export async function runStorm(options: StormOptions): Promise<StormReport> {
  const storm = new Storm(options, await Files.create());
  try {
    return await storm.run();
  } finally {
    await storm.files.remove();
  }
}

/** The file of the configuration is a link, as orchestrators make it; a version is another target. */
class Files {
  readonly directory: string;
  readonly file: string;
  readonly cert: string;
  readonly key: string;
  readonly pair: { readonly cert: string; readonly key: string };
  readonly other: { readonly cert: string; readonly key: string };
  #version = 0;

  private constructor(directory: string, pair: Files["pair"], other: Files["pair"]) {
    this.directory = directory;
    this.file = join(directory, "ron.toml");
    this.cert = join(directory, "cert.pem");
    this.key = join(directory, "key.pem");
    this.pair = pair;
    this.other = other;
  }

  static async create(): Promise<Files> {
    const directory = await mkdtemp(join(tmpdir(), "ron-storm-"));
    const files = new Files(directory, await throwAwayCertificate(), await throwAwayCertificate());
    await mkdir(join(directory, "versions"));
    await files.restore();
    return files;
  }

  /** The certificate and the key as they must be. */
  async restore(): Promise<void> {
    await writeFile(this.cert, this.pair.cert);
    await writeFile(this.key, this.pair.key);
    await chmod(this.key, 0o600);
  }

  /** Writes a new version and swaps the link to it. */
  async swap(text: string | undefined): Promise<void> {
    const target = join(this.directory, "versions", `${++this.#version}.toml`);
    if (text !== undefined) await writeFile(target, text);
    const link = join(this.directory, "next");
    await symlink(target, link);
    await rename(link, this.file);
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true });
  }
}

/** A limit that is changed, and how it is seen that the new value holds. */
interface Probe {
  /** Lines of TOML, top keys first. */
  readonly top: string;
  readonly tables: string;
  /** What must be in force, for the record. */
  bites(): Promise<boolean>;
}

class Storm {
  readonly files: Files;
  readonly #options: StormOptions;
  readonly #draw: () => number;
  readonly #events: AuditEvent[] = [];
  readonly #closings: ConnectionClosed[] = [];
  readonly #notes: string[] = [];
  readonly #broken: Record<string, { offered: number; held: number }> = {};
  readonly #probes: Record<string, { offered: number; held: number }> = {};
  readonly #load = { requests: 0, lost: 0, closed: 0 };
  readonly #client = new Transport({
    bind_addr: null,
    max_conns: 5_000,
    per_peer: { max_conns: 0 },
  });
  #server!: Transport;
  #address!: Address;
  #over = false;

  constructor(options: StormOptions, files: Files) {
    this.#options = options;
    this.files = files;
    this.#draw = random(options.seed);
  }

  async run(): Promise<StormReport> {
    const { reloads, connections } = this.#options;
    const start = performance.now();
    await this.files.swap(this.#document("", ""));
    const sources = { file: this.files.file, env: {} };
    const loaded = await loadConfig(sources);
    this.#server = new Transport(loaded.document, {
      ...loaded.hooks,
      onAudit: (event) => void this.#events.push(event),
      onConnectionClosed: (event) => void this.#closings.push(event),
    });
    const listener = await this.#server.listen({
      onConnection: (connection) => answer(connection),
    });
    this.#address = listener.address;
    const watch = await watchConfig(this.#server, loaded, sources, { files: false, hangup: false });
    const load: Promise<void>[] = [];
    for (let n = 0; n < connections; n++) load.push(this.#exchange(n, await this.#dial()));
    const expected: string[] = [];
    let notKept = 0;
    for (let n = 0; n < reloads; n++) {
      const before = this.#server.config;
      const valid = n % 10 >= 7; // 70 % are broken
      const [name, probe] = valid ? await this.#offerValid() : [await this.#offerBroken()];
      const outcome = await watch.reload();
      expected.push(`${outcome.result} ${outcome.version}`);
      if (probe === undefined) {
        const held = outcome.result === "rejected";
        this.#count(this.#broken, name, held, `${name}: ${outcome.result}`);
        if (this.#server.config !== before) notKept++;
        await this.files.restore();
      } else {
        let why = JSON.stringify(outcome.issues ?? outcome.diff);
        const held = outcome.result === "applied" && await probe.bites().catch((error: unknown) => {
          why = String(error);
          return false;
        });
        this.#count(this.#probes, name, held, `${name}: ${outcome.result} ${why}`);
      }
      if (n % 50 === 49) this.#options.onProgress?.(n + 1);
    }
    this.#over = true;
    await Promise.all(load);
    await watch.close();
    await this.#client.close();
    await this.#server.close();
    await turn(10);
    const applied = expected.filter((text) => text.startsWith("applied")).length;
    return {
      reloads,
      applied,
      rejected: expected.length - applied,
      connections,
      broken: this.#broken,
      probes: this.#probes,
      ...this.#load,
      wrongEvents: this.#wrongEvents(expected),
      notKept,
      seconds: (performance.now() - start) / 1_000,
      notes: this.#notes.slice(0, 10),
    };
  }

  #count(
    rows: Record<string, { offered: number; held: number }>,
    name: string,
    held: boolean,
    note: string,
  ): void {
    const row = rows[name] ??= { offered: 0, held: 0 };
    row.offered++;
    if (held) row.held++;
    else this.#notes.push(note);
  }

  #wrongEvents(expected: readonly string[]): number {
    const told = this.#events.flatMap((event) => {
      return event.event === "TransportConfigReloaded" ? [`${event.result} ${event.version}`] : [];
    });
    let wrong = Math.abs(told.length - expected.length);
    for (let n = 0; n < expected.length; n++) if (told[n] !== expected[n]) wrong++;
    return wrong;
  }

  // ---- documents

  #document(top: string, tables: string): string {
    const room = this.#options.connections + 60;
    const { cert, key } = this.files;
    const perPeer = tables.includes("[per_peer]") ? "" : "[per_peer]\nmax_conns = 0\n";
    return `backend = "tls"
${top.includes("max_conns") ? "" : `max_conns = ${room}\n`}${top}
${perPeer}${tables}
[tls]
enabled = true
cert_path = ${JSON.stringify(cert)}
key_path = ${JSON.stringify(key)}
`;
  }

  async #offerBroken(): Promise<string> {
    const { files } = this;
    const whole = this.#document("", "");
    const ways: Readonly<Record<string, () => Promise<void>>> = {
      "frame cap raised": () =>
        files.swap(this.#document("", '[limits]\nmax_frame_bytes = "2MiB"\n')),
      "chunk cap raised": () => files.swap(this.#document("", "[limits]\nchunk_bytes = 65537\n")),
      "cut off in the middle": () => {
        return files.swap(whole.slice(0, 40 + Math.floor(this.#draw() * (whole.length - 60))));
      },
      "unknown key": () => files.swap(`surprise = 1\n${whole}`),
      "no unit": () => files.swap(this.#document("read_timeout = 5", "")),
      "no connections": () => files.swap(this.#document("max_conns = 0", "")),
      "not UTF-8": async () => {
        await files.swap("");
        await writeFile(files.file, Uint8Array.of(0x61, 0xff, 0x0a));
      },
      "link to nothing": () => files.swap(undefined),
      "key readable by others": async () => {
        await files.swap(whole);
        await chmod(files.key, [0o644, 0o640, 0o604, 0o666][Math.floor(this.#draw() * 4)]!);
      },
      "key of another pair": async () => {
        await files.swap(whole);
        await writeFile(files.key, files.other.key);
      },
      "certificate cut off": async () => {
        await files.swap(whole);
        await writeFile(files.cert, files.pair.cert.slice(0, 200));
      },
    };
    const names = Object.keys(ways);
    const name = names[Math.floor(this.#draw() * names.length)]!;
    await ways[name]!();
    return name;
  }

  async #offerValid(): Promise<[string, Probe]> {
    const probes = this.#allProbes();
    const names = Object.keys(probes);
    const name = names[Math.floor(this.#draw() * names.length)]!;
    const probe = probes[name]!;
    await this.files.swap(this.#document(probe.top, probe.tables));
    return [name, probe];
  }

  // ---- probes

  #allProbes(): Readonly<Record<string, Probe>> {
    const spare = 2 + Math.floor(this.#draw() * 5);
    const limit = this.#options.connections + spare;
    const frame = 65_536 + Math.floor(this.#draw() * 900_000);
    return {
      "limits.max_frame_bytes": {
        top: "",
        tables: `[limits]\nmax_frame_bytes = ${frame}\n`,
        bites: async () => {
          const one = await this.#closedBy(header(frame + 1));
          return one === "too_large";
        },
      },
      max_conns: { top: `max_conns = ${limit}`, tables: "", bites: () => this.#full(spare) },
      "per_peer.max_conns": {
        top: "",
        tables: `[per_peer]\nmax_conns = ${limit}\n`,
        bites: () => this.#full(spare),
      },
      read_timeout: {
        top: 'read_timeout = "900ms"',
        tables: "",
        bites: async () => await this.#closedBy(header(100).subarray(0, 20)) === "timeout read",
      },
      handshake_timeout: {
        top: 'handshake_timeout = "700ms"',
        tables: "",
        bites: () => this.#silentHandshake(),
      },
      "rates.per_conn_bytes_per_sec": {
        top: "",
        tables: '[rates]\nper_conn_bytes_per_sec = "64KiB"\n',
        bites: () => this.#paced(),
      },
      "rates.per_peer_accepts_per_sec": {
        top: "",
        tables: "[rates]\nper_peer_accepts_per_sec = 2\n",
        bites: () => this.#burst(),
      },
    };
  }

  async #dial(): Promise<Connection> {
    return await this.#client.dial(this.#address, { tls: { ca: this.files.pair.cert } });
  }

  /** Sends bytes, and tells why the server closed that connection. */
  async #closedBy(bytes: Uint8Array): Promise<string> {
    const connection = await this.#dial();
    const seen = this.#closings.length;
    await connection.write(bytes);
    const found = await this.#until(() => {
      return this.#closings.slice(seen).find(({ reason }) => reason.kind !== "closed");
    });
    connection.abort();
    const { kind, error } = found?.reason ?? { kind: "nothing" };
    return kind === "timeout" ? `timeout ${error?.op}` : kind;
  }

  /** Takes every slot that is left; the next must be refused. */
  async #full(spare: number): Promise<boolean> {
    const settled = (): number => this.#server.counters().inflight;
    await this.#until(() => settled() === this.#options.connections || undefined);
    const held: Connection[] = [];
    for (let n = 0; n < spare; n++) held.push(await this.#dial());
    const before = this.#server.counters().rejected.peer_limit;
    const more = await this.#dial().then((connection) => connection, () => undefined);
    const refused = await this.#until(() => {
      return this.#server.counters().rejected.peer_limit > before || undefined;
    });
    for (const connection of held) connection.abort();
    more?.abort();
    return refused === true && more === undefined;
  }

  async #silentHandshake(): Promise<boolean> {
    const before = this.#server.counters().timeouts["handshake"] ?? 0;
    const socket = connectTcp(this.#address.port!, this.#address.hostname!);
    socket.on("error", () => undefined);
    const bitten = await this.#until(() => {
      return (this.#server.counters().timeouts["handshake"] ?? 0) > before || undefined;
    });
    socket.destroy();
    return bitten === true;
  }

  /** More than half a second's worth must be made to wait, and must come all the same. */
  async #paced(): Promise<boolean> {
    const connection = await this.#dial();
    const before = this.#server.counters().readPauses.conn;
    const link = framed(connection);
    const payload = new Uint8Array(60_000).fill(3);
    const reply = await link.request(request(payload, 1n));
    connection.abort();
    return reply.payload.length === payload.length &&
      this.#server.counters().readPauses.conn > before;
  }

  async #burst(): Promise<boolean> {
    const before = this.#server.counters().rejected.rate_limited;
    const dials = await Promise.allSettled([1, 2, 3, 4].map(() => this.#dial()));
    for (const dial of dials) if (dial.status === "fulfilled") dial.value.abort();
    return this.#server.counters().rejected.rate_limited > before;
  }

  /** What is looked for, within 10 s. */
  async #until<T>(look: () => T | undefined): Promise<T | undefined> {
    for (let n = 0; n < 2_000; n++) {
      const found = look();
      if (found !== undefined) return found;
      await turn(5);
    }
    return undefined;
  }

  // ---- load

  /** Requests one after the other, each answered by its own payload. */
  async #exchange(n: number, connection: Connection): Promise<void> {
    const draw = random(this.#options.seed + n + 1);
    const link = framed(connection);
    const ids = corrIds();
    let open = true;
    void connection.closed.then(({ error, kind }) => {
      open = false;
      if (this.#over) return;
      this.#load.closed++;
      this.#notes.push(`load ${n}: ${error?.message ?? kind}`);
    });
    while (!this.#over && open) {
      const payload = new Uint8Array(100 + Math.floor(draw() * 8_000));
      for (let at = 0; at < payload.length; at += 64) payload[at] = draw() * 256;
      const sum = checksum(payload);
      this.#load.requests++;
      try {
        const reply = await link.request(request(payload, ids.next()));
        if (reply.payload.length !== payload.length || checksum(reply.payload) !== sum) {
          this.#load.lost++;
        }
      } catch (error) {
        this.#load.lost++;
        this.#notes.push(`load ${n}: ${String(error)}`);
      }
      await turn(100 + draw() * 300);
    }
    connection.abort();
  }
}

/** The server: each request is answered by its own payload. */
async function answer(connection: Connection): Promise<void> {
  const link = framed(connection);
  try {
    for await (const batch of link.batches()) {
      for (const { appProtoId, tenantId, corrId, payload } of batch) {
        await link.send({ flags: FLAGS.RESP, code: 200, appProtoId, tenantId, corrId, payload });
      }
    }
  } catch {
    // Closed under way; the close reason tells.
  }
}

function request(payload: Uint8Array, corrId: bigint) {
  return { flags: FLAGS.REQ, code: 0, appProtoId: 1, tenantId: 0n, corrId, payload };
}

/** A frame's header alone, that declares `length` bytes in all. */
function header(length: number): Uint8Array {
  const bytes = encodeFrame(request(new Uint8Array(), 1n));
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, length);
  return bytes;
}

/** FNV-1a, 32 bits. */
function checksum(bytes: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193);
  return sum >>> 0;
}
