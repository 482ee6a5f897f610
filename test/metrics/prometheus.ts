/**
 * A real Prometheus on loopback: Debian's package, as a process of the test.
 *
 * @module
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

function find(program: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin"];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

const SERVER: string | undefined = find("prometheus");
const TOOL: string | undefined = find("promtool");

/** What tests with it lack, or `false`. */
export const MISSING: false | string = (SERVER === undefined || TOOL === undefined) &&
  "prometheus is not installed: run scripts/setup_real_parts.sh";

/** What a program said. */
export interface Said {
  readonly code: number;
  readonly output: string;
}

/** Runs promtool. @param input What it reads on standard input. */
export function promtool(args: readonly string[], input: string = ""): Said {
  const { status, stdout, stderr } = spawnSync(TOOL!, args, { input, encoding: "utf8" });
  return { code: status ?? -1, output: stdout + stderr };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** One series of an answer: its labels, and its value. */
export interface Answer {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A server; its store outlives {@linkcode Prometheus.kill}. */
export class Prometheus implements AsyncDisposable {
  readonly #folder: string;
  readonly #port: number;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  /** Starts one with a configuration. */
  static async start(config: string): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), "ron-prometheus-"));
    await writeFile(join(folder, "prometheus.yml"), config);
    const server = new Prometheus(folder, await freePort());
    await server.restart();
    return server;
  }

  /** Where it is. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it again on the same port and store. */
  async restart(): Promise<void> {
    const child = spawn(SERVER!, [
      `--config.file=${join(this.#folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(this.#folder, "data")}`,
      `--web.listen-address=127.0.0.1:${this.#port}`,
      "--web.enable-remote-write-receiver",
      "--log.level=warn",
    ], { stdio: ["ignore", "ignore", "pipe"] });
    let text = "";
    child.stderr!.on("data", (bytes) => text += String(bytes));
    this.#child = child;
    for (let i = 0; i < 600; i++) {
      if (child.exitCode !== null) throw new Error(`prometheus ended: ${text}`);
      const ready = await fetch(`${this.url}/-/ready`).then(async (response) => {
        await response.body?.cancel();
        return response.status === 200;
      }, () => false);
      if (ready) return;
      await delay(50);
    }
    throw new Error(`prometheus is not ready: ${text}`);
  }

  /** Ends it at once, without a chance to write anything more. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = new Promise((done) => child.once("exit", done));
    process.kill(child.pid!, "SIGKILL");
    await gone;
  }

  /** Evaluates an expression now. Throws what is wrong with it. */
  async query(expression: string): Promise<Answer[]> {
    const response = await fetch(`${this.url}/api/v1/query`, {
      method: "POST",
      body: new URLSearchParams({ query: expression }),
    });
    const { data, error } = await response.json() as {
      readonly error?: string;
      readonly data?: {
        readonly resultType: string;
        readonly result: {
          readonly metric: Record<string, string>;
          readonly value: readonly [number, string];
        }[];
      };
    };
    if (data === undefined) throw new Error(`${expression}: ${error}`);
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** The one value of an expression; `undefined` of none. */
  async value(expression: string): Promise<number | undefined> {
    const answers = await this.query(expression);
    if (answers.length > 1) throw new Error(`${expression}: ${answers.length} series`);
    return answers[0]?.value;
  }

  /** Waits until an expression has a value that will do. */
  async until(
    expression: string,
    met: (value: number | undefined) => boolean,
    seconds: number = 30,
  ): Promise<void> {
    const end = performance.now() + seconds * 1_000;
    for (;;) {
      const value = await this.value(expression);
      if (met(value)) return;
      if (performance.now() > end) throw new Error(`${expression} is ${value} after ${seconds} s`);
      await delay(100);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A configuration that scrapes `/metrics` of these jobs every second. */
export function scraping(jobs: Readonly<Record<string, number>>): string {
  const lines = Object.entries(jobs).map(([job, port]) =>
    `  - job_name: ${job}\n    static_configs: [{ targets: ["127.0.0.1:${port}"] }]\n`
  );
  const scrapes = lines.length === 0 ? "" : `scrape_configs:\n${lines.join("")}`;
  return `global: { scrape_interval: 1s, scrape_timeout: 1s }\n${scrapes}`;
}
