/**
 * One node as a process. It is known by its id and its torrc together: an id alone may be another's
 * by now.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { type NodeFacts, NODES } from "./files.ts";

/** tor 0.4.9 sometimes hangs after "exiting cleanly". */
const TERM_MS = 3_000;
const KILL_MS = 3_000;
const EXEC_MS = 5_000;
const POLL_MS = 25;

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Starts the node; its process id, or 0. */
export async function launch(node: NodeFacts): Promise<number> {
  const { dir } = node;
  const args = ["-f", join(dir, "torrc"), "--quiet"];
  const child = spawn("tor", args, { stdio: "ignore", detached: true });
  child.on("error", () => {}); // seen by who waits for it
  child.unref();
  const pid = child.pid ?? 0;
  // Until it has become tor it has the command line of this process, and would not pass for the node.
  for (
    let waited = 0;
    waited < EXEC_MS && exists(pid) && !isRunning(node, pid);
    waited += POLL_MS
  ) {
    await delay(POLL_MS);
  }
  return pid;
}

function exists(pid: number): boolean {
  const stat = text(`/proc/${pid}/stat`);
  return stat !== "" && !stat.includes(") Z ");
}

/** Whether the process is this node. */
export function isRunning({ dir }: NodeFacts, pid: number): boolean {
  return pid > 0 && text(`/proc/${pid}/cmdline`).split("\0").includes(join(dir, "torrc"));
}

/** Sends a signal, if the process is this node. */
export function signal(node: NodeFacts, pid: number, name: NodeJS.Signals): void {
  if (isRunning(node, pid)) process.kill(pid, name);
}

async function gone(
  nodes: ReadonlyMap<NodeFacts, number>,
  within: number,
): Promise<boolean> {
  const running = (): boolean => [...nodes].some(([node, pid]) => isRunning(node, pid));
  for (let waited = 0; running() && waited < within; waited += POLL_MS) await delay(POLL_MS);
  return !running();
}

/**
 * Ends nodes: asks them to, and after 3 s does not ask.
 *
 * @param nodes With their process ids.
 */
export async function end(nodes: ReadonlyMap<NodeFacts, number>): Promise<void> {
  for (const [name, within] of [["SIGTERM", TERM_MS], ["SIGKILL", KILL_MS]] as const) {
    for (const [node, pid] of nodes) {
      signal(node, pid, name);
      signal(node, pid, "SIGCONT"); // one that was paused takes no other
    }
    if (await gone(nodes, within)) return;
  }
  throw new Error("tor processes do not end");
}

/** Whether it holds a consensus that names all nodes, with the flags they need, and is connected. */
export function isUsable({ dir }: NodeFacts): boolean {
  const exits = NODES.filter(({ role }) => role === "exit").length;
  const named = ["cached-microdesc-consensus", "cached-consensus"].some((file) => {
    const flags = [...text(join(dir, file)).matchAll(/^s (.*)$/gm)].map(([, f = ""]) =>
      f.split(" ")
    );
    return flags.length === NODES.length &&
      flags.every((f) => f.includes("Running") && f.includes("HSDir")) &&
      flags.filter((f) => f.includes("Exit")).length === exits;
  });
  return named && text(join(dir, "notice.log")).includes("Bootstrapped 100%");
}

/** Whether the process has the local end of a TCP connection at this port of 127.0.0.1. */
export function holdsPort(pid: number, port: number): boolean {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = text("/proc/net/tcp").split("\n").map((line) => line.trim().split(/\s+/));
  // local address, remote address, state (01: connected) … inode
  const inode = rows.find((row) => row[1] === local && row[3] === "01")?.[9];
  if (inode === undefined) return false;
  try {
    const fds = readdirSync(`/proc/${pid}/fd`);
    return fds.some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`);
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // closed meanwhile
  }
}
