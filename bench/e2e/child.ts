/**
 * A child process of this runtime that takes one line of JSON and answers it by one.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../test/runtimes.ts";

/** Most milliseconds for one answer. */
const PATIENCE = 60_000;

/** See the module. */
export class Child implements AsyncDisposable {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #gone: Promise<number | null>;

  /**
   * @param script The program, as a URL.
   * @param args Its arguments.
   */
  constructor(script: URL, args: readonly string[]) {
    this.#name = `${runtimeName()} ${args.join(" ")}`;
    const flags = runtimeName() === "deno"
      ? ["run", "--quiet", "--no-check", "--allow-all", "--v8-flags=--expose-gc"]
      : [];
    this.#process = spawn(process.execPath, [...flags, fileURLToPath(script), ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#gone = new Promise((resolve, reject) => {
      this.#process.once("error", reject);
      this.#process.once("close", resolve);
    });
    this.#gone.catch(() => {}); // told by the next answer that does not come
    const { stdin, stdout } = this.#process;
    if (stdin === null || stdout === null) throw new Error(`${this.#name} has no pipes`);
    stdin.on("error", () => {}); // a child that is gone is told by its missing answer
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** Number of the process. */
  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** Sends a line, and waits for the one that answers it. */
  async ask<T>(question: unknown): Promise<T> {
    this.#process.stdin?.write(`${JSON.stringify(question)}\n`);
    return await this.answer<T>();
  }

  /** Waits for the next line. */
  async answer<T>(): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const what = `${this.#name}: no answer within ${PATIENCE} ms`;
      timer = setTimeout(() => reject(new Error(what)), PATIENCE);
    });
    try {
      const { done, value } = await Promise.race([this.#lines.next(), late]);
      if (done !== true) return JSON.parse(value) as T;
      throw new Error(`${this.#name}: ended with code ${await this.#gone} and no answer`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it now, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode === null && signalCode === null) this.#process.kill("SIGKILL");
    await this.#gone.catch(() => {});
  }
}
