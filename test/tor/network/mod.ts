/**
 * A private Tor network on loopback: seven processes of Debian's `tor`, with everything that a
 * public one has.
 *
 * `scripts/setup_tor.ts` starts and stops one from the command line; tests open the one that is
 * named by `RON_TOR_NETWORK`.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { artiToml, type NodeFacts, NODES, torrc } from "./files.ts";
import { provideKeys } from "./keys.ts";
import { end, holdsPort, isRunning, isUsable, launch, signal } from "./node.ts";

export type { NodeFacts, Role } from "./files.ts";

const FACTS = "network.json";
const POLL_MS = 100;

/** How to start a network. */
export interface StartOptions {
  /** Process whose end ends all nodes within some 15 s, however it ends. @default none */
  readonly owner?: number;
  /** Milliseconds until every node must be usable. @default {120000} */
  readonly timeout?: number;
}

interface Facts {
  readonly owner: number;
  readonly nodes: readonly NodeFacts[];
  readonly pids: Readonly<Record<string, number>>;
}

/** Why no network can be started here, or `undefined` when one can. */
export function missing(): string | undefined {
  for (const program of ["tor", "tor-gencert"]) {
    if (spawnSync(program, ["--version"], { stdio: "ignore" }).error !== undefined) {
      return `no \`${program}\` on PATH; scripts/setup_tor_tools.sh installs Debian's \`tor\``;
    }
  }
  return existsSync("/proc/self/cmdline") ? undefined : "no /proc: Linux only";
}

/** Below the ports that the system gives to outgoing connections: a node that is started again finds its own free. */
const PORTS = { from: 20_000, count: 12_000 } as const;

/** Ports that nobody uses. */
async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = PORTS.from + Math.floor(Math.random() * PORTS.count);
    if (!found.has(port) && await isFree(port)) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((done) => {
    server.once("error", () => done(false));
    server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
  });
}

async function prepare(root: string): Promise<NodeFacts[]> {
  const ports = await freePorts(2 * NODES.length);
  return Promise.all(NODES.map(async ({ name, role }, i): Promise<NodeFacts> => {
    const dir = join(root, name);
    const keys = await provideKeys(name, role, dir);
    await writeFile(join(dir, "resolv.conf"), "nameserver 127.0.0.1\n");
    const dirPort = role === "authority" ? ports[NODES.length + i] ?? 0 : 0;
    return { name, role, dir, orPort: ports[i] ?? 0, dirPort, ...keys };
  }));
}

/** A network that was started. */
export class TorNetwork {
  readonly #root: string;
  readonly #facts: Facts;
  readonly #pids: Map<string, number>;

  private constructor(root: string, facts: Facts) {
    this.#root = root;
    this.#facts = facts;
    this.#pids = new Map(Object.entries(facts.pids));
  }

  /**
   * Starts a network, and resolves when every node can be used.
   *
   * @param folder For everything it writes; what is in it is removed.
   * @param options Owner and patience.
   */
  static async start(folder: string, options: StartOptions = {}): Promise<TorNetwork> {
    const root = resolve(folder);
    const { owner = 0, timeout = 120_000 } = options;
    if (existsSync(join(root, FACTS))) await TorNetwork.open(root).stop();
    await rm(root, { recursive: true, force: true });
    await mkdir(root, { recursive: true, mode: 0o700 });
    const nodes = await prepare(root);
    const network = new TorNetwork(root, { owner, nodes, pids: {} });
    try {
      for (const node of nodes) {
        await writeFile(join(node.dir, "torrc"), torrc(node, nodes, owner));
        network.#pids.set(node.name, await launch(node));
      }
      await network.#save();
      await network.#usable(nodes, timeout);
    } catch (error) {
      await network.stop();
      throw error;
    }
    return network;
  }

  /** The network that was started in this folder. */
  static open(folder: string): TorNetwork {
    const root = resolve(folder);
    return new TorNetwork(root, JSON.parse(readFileSync(join(root, FACTS), "utf8")) as Facts);
  }

  /** All nodes. */
  get nodes(): readonly NodeFacts[] {
    return this.#facts.nodes;
  }

  /** Arti's configuration, with which every node can be asked for the directory. */
  toml(): string {
    return artiToml(this.nodes, this.nodes);
  }

  /** The same, with which only the authorities can be asked. */
  tomlOfAuthorities(): string {
    return artiToml(this.nodes, this.authorities());
  }

  /** The nodes that vote. */
  authorities(): readonly NodeFacts[] {
    return this.nodes.filter(({ role }) => role === "authority");
  }

  /** What each node does: `usable`, `starting` or `gone`. */
  status(): ReadonlyMap<string, "usable" | "starting" | "gone"> {
    return new Map(this.nodes.map((node) => {
      if (!isRunning(node, this.#pid(node))) return [node.name, "gone"];
      return [node.name, isUsable(node) ? "usable" : "starting"];
    }));
  }

  /** Makes nodes deaf: who connects gets no answer, until {@linkcode resume}. */
  pause(nodes: readonly NodeFacts[]): void {
    for (const node of nodes) signal(node, this.#pid(node), "SIGSTOP");
  }

  /** Lets paused nodes go on. */
  resume(nodes: readonly NodeFacts[]): void {
    for (const node of nodes) signal(node, this.#pid(node), "SIGCONT");
  }

  /** Kills a node at once. */
  async kill(node: NodeFacts): Promise<void> {
    const pid = this.#pid(node);
    signal(node, pid, "SIGKILL");
    while (isRunning(node, pid)) await delay(POLL_MS);
  }

  /** Starts a node that was killed, and waits until it can be used. */
  async restart(node: NodeFacts, timeout = 60_000): Promise<void> {
    // what it logged and cached before would pass for news
    for (const file of ["notice.log", "cached-microdesc-consensus", "cached-consensus"]) {
      await rm(join(node.dir, file), { force: true });
    }
    for (let tries = 1;; tries++) {
      this.#pids.set(node.name, await launch(node));
      await this.#save();
      try {
        return await this.#usable([node], timeout);
      } catch (error) {
        // A process that seems gone may hold its port and the lock of its folder for a moment more.
        if (tries === 3 || isRunning(node, this.#pid(node))) throw error;
        await delay(500);
      }
    }
  }

  /** The exit whose end of a TCP connection has this port of 127.0.0.1. */
  exitAt(port: number): NodeFacts | undefined {
    return this.nodes.find((node) => node.role === "exit" && holdsPort(this.#pid(node), port));
  }

  /** Ends all nodes; what they wrote stays. */
  async stop(): Promise<void> {
    await end(new Map(this.nodes.map((node) => [node, this.#pid(node)])));
  }

  #pid({ name }: NodeFacts): number {
    return this.#pids.get(name) ?? 0;
  }

  async #save(): Promise<void> {
    const facts: Facts = { ...this.#facts, pids: Object.fromEntries(this.#pids) };
    await writeFile(join(this.#root, FACTS), JSON.stringify(facts, null, 2));
  }

  async #usable(nodes: readonly NodeFacts[], timeout: number): Promise<void> {
    const until = performance.now() + timeout;
    for (;;) {
      const lost = nodes.find((node) => !isRunning(node, this.#pid(node)));
      if (lost !== undefined) throw new Error(`${lost.name} has ended; see ${lost.dir}/notice.log`);
      const waiting = nodes.filter((node) => !isUsable(node));
      if (waiting.length === 0) return;
      if (performance.now() > until) {
        const names = waiting.map(({ name }) => name).join(", ");
        throw new Error(`not usable after ${timeout / 1000} s: ${names}; see ${this.#root}`);
      }
      await delay(POLL_MS);
    }
  }
}
