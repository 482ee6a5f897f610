/**
 * The parent's end of the control channel, and what can be seen of a child from outside.
 *
 * @module
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { findRuntime, type RuntimeName, runtimeName } from "../../runtimes.ts";
import { type Spawned, type SpawnOptions, spawnRuntime } from "../../spawn.ts";
import type { Answer } from "./program.ts";

const GC: SpawnOptions = {
  // Deno lets nothing less read /proc, where descriptors are counted
  denoFlags: ["--no-prompt", "--quiet", "--no-check", "--allow-all", "--v8-flags=--expose-gc"],
  nodeFlags: ["--expose-gc"],
};

/** Most milliseconds a command may take. */
const PATIENCE_MS = 300_000;

/** A program of the rig in a process of its own. */
export class Child implements AsyncDisposable {
  readonly #spawned: Spawned;
  readonly #name: string;

  /**
   * Starts a program that takes commands.
   *
   * @param runtime Which runtime runs it.
   * @param name The program's file in `test/attack/rig`, or its path from the root, without its ending.
   * @param options See {@linkcode SpawnOptions}.
   */
  constructor(runtime: RuntimeName, name: string, options: SpawnOptions = {}) {
    this.#name = `${name} (${runtime})`;
    const entry = name.includes("/") ? `${name}.ts` : `test/attack/rig/${name}.ts`;
    this.#spawned = spawnRuntime(runtime, entry, [], { ...GC, ...options, input: true });
  }

  /** Its process id. */
  get pid(): number {
    return this.#spawned.pid;
  }

  /** What it wrote to stderr. */
  get stderr(): string {
    return this.#spawned.stderr();
  }

  /** How it ended. */
  get exit(): Spawned["exit"] {
    return this.#spawned.exit;
  }

  /**
   * Has it do something, and waits for the answer. One command at a time.
   *
   * @param command Its name.
   * @param argument What it is to work with; sent as JSON.
   * @throws What the command threw, or that the child is gone.
   */
  async tell<T>(command: string, argument: unknown = null): Promise<T> {
    this.#spawned.write(JSON.stringify({ command, argument }));
    return await this.next<T>(command);
  }

  /** Waits for the next answer; after a signal, a child may give one by itself. */
  async next<T>(command: string): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.kill("SIGKILL");
        reject(new Error(`${this.#name}: no answer to ${command} in ${PATIENCE_MS / 1000} s`));
      }, PATIENCE_MS);
    });
    try {
      const answer = JSON.parse(await Promise.race([this.#spawned.nextLine(), late])) as Answer;
      if ("ok" in answer) return answer.ok as T;
      throw new Error(`${this.#name}: ${command}: ${answer.error}`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal. */
  kill(signal: NodeJS.Signals): void {
    this.#spawned.kill(signal);
  }

  /** Open descriptors; 0 once it is gone. */
  descriptors(): number {
    try {
      return readdirSync(`/proc/${this.pid}/fd`).length;
    } catch {
      return 0;
    }
  }

  /** Starts measuring {@linkcode Child.peakBytes} anew. */
  resetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, "5");
  }

  /** Largest resident memory since {@linkcode Child.resetPeak}, in bytes; 0 once it is gone. */
  peakBytes(): number {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024;
    } catch {
      return 0;
    }
  }

  /** Kills it if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spawned[Symbol.asyncDispose]();
  }
}

/** The runtime for attackers and honest clients: Node, whose sockets start fastest, where it is there. */
export function helperRuntime(): RuntimeName {
  return findRuntime("node") === undefined ? runtimeName() : "node";
}
