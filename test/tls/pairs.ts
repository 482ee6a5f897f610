/**
 * What each pair of runtimes negotiates, read off the wire, as the table of `docs/TLS.md`.
 *
 * `deno run -A test/tls/pairs.ts` writes the table into the document, from the runtimes that are there;
 * further ones are named as `NAME=PROGRAM`, such as `node24=/opt/node24/bin/node`.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { BUILD, findRuntime, ROOT, type RuntimeName } from "../runtimes.ts";
import { X25519MLKEM768 } from "./hello.ts";
import { sniff } from "./sniffer.ts";

/** A runtime in a mode. */
export interface End {
  readonly name: string;
  readonly runtime: RuntimeName;
  readonly program: string;
  readonly mode: "off" | "hybrid";
}

/** What one pair negotiated. */
export interface PairSeen {
  readonly server: End;
  readonly client: End;
  readonly kind: "off" | "hybrid";
  /** Whether it took another round. */
  readonly retried: boolean;
  /** What each side says of it. */
  readonly said: { readonly server: string; readonly client: string };
}

const ENTRY = "test/tls/fixtures/pair_end.ts";

function start({ runtime, program }: End, ...args: string[]): {
  next(): Promise<Record<string, unknown>>;
  kill(): void;
} {
  const path = runtime === "node" ? join(BUILD, ENTRY.replace(/\.ts$/, ".js")) : join(ROOT, ENTRY);
  const flags = runtime === "deno" ? ["run", "--no-check", "--quiet", "--allow-all"] : [];
  const child = spawn(program, [...flags, path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async next() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${program} ${args[0]} ended without an answer`);
      return JSON.parse(value) as Record<string, unknown>;
    },
    kill: () => void child.kill(),
  };
}

/** Has every client meet every server, one at a time. */
export async function meet(servers: readonly End[], clients: readonly End[]): Promise<PairSeen[]> {
  const seen: PairSeen[] = [];
  for (const server of servers) {
    const listening = start(server, "server", server.mode);
    try {
      const { port, cert } = await listening.next();
      for (const client of clients) {
        await using sniffer = await sniff(port as number);
        const dialling = start(client, "client", client.mode, String(sniffer.port), cert as string);
        const [near, far] = await Promise.all([dialling.next(), listening.next()]);
        const wire = sniffer.seen()[0]!;
        seen.push({
          server,
          client,
          kind: wire.chosen === X25519MLKEM768 ? "hybrid" : "off",
          retried: wire.retried,
          said: { server: String(far["pq"]), client: String(near["pq"]) },
        });
      }
    } finally {
      listening.kill();
    }
  }
  return seen;
}

/** The ends that can be had, each in the modes that its runtime can do. */
export function endsHere(more: Readonly<Record<string, string>> = {}): End[] {
  const ends: End[] = [];
  const add = (name: string, runtime: RuntimeName, program: string, hybrid: boolean): void => {
    ends.push({ name, runtime, program, mode: "off" });
    if (hybrid) ends.push({ name, runtime, program, mode: "hybrid" });
  };
  for (const runtime of ["deno", "bun", "node"] as const) {
    const program = findRuntime(runtime);
    if (program !== undefined) add(TITLES[runtime], runtime, program, runtime === "bun");
  }
  for (const [name, program] of Object.entries(more)) add(name, "node", program, true);
  return ends;
}

const TITLES: Readonly<Record<RuntimeName, string>> = { deno: "Deno", bun: "Bun", node: "Node 20" };
const DOCUMENT = join(ROOT, "docs/TLS.md");
const BEGIN = "<!-- made by test/tls/pairs.ts -->";
const END = "<!-- end -->";

function table(ends: readonly End[], seen: readonly PairSeen[]): string {
  const title = ({ name, mode }: End): string => `${name}, ${mode}`;
  const cell = (server: End, client: End): string => {
    const pair = seen.find((one) => one.server === server && one.client === client);
    if (pair === undefined) return "";
    return `${pair.kind}${pair.retried ? "*" : ""} (${pair.said.server}/${pair.said.client})`;
  };
  const rows = [
    ["server \\ client", ...ends.map(title)],
    ends.map(() => "---").concat("---"),
    ...ends.map((server) => [title(server), ...ends.map((client) => cell(server, client))]),
  ];
  return rows.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

if (import.meta.main) {
  const more = Object.fromEntries(process.argv.slice(2).map((arg) => arg.split("=", 2)));
  const ends = endsHere(more as Record<string, string>).filter(({ runtime }) =>
    runtime !== "node" || existsSync(join(BUILD, "mod.js"))
  );
  const seen = await meet(ends, ends);
  const made = `${BEGIN}\n\n${table(ends, seen)}\n\n${END}`;
  console.log(made);
  const text = readFileSync(DOCUMENT, "utf8");
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  writeFileSync(DOCUMENT, text.slice(0, from) + made + text.slice(to + END.length));
}
