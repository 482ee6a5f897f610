/**
 * Keys of the nodes. Making them takes seconds of processor time, so they are kept for a month.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { cp, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { NodeFacts, Role } from "./files.ts";

/** The certificate of an authority is made for two months. */
const KEEP_MS = 30 * 86_400_000;

const STEP_TIMEOUT_MS = 60_000;

function cacheFolder(): string {
  const base = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return process.env["RON_TOR_KEYS"] ?? join(base, "ron-transport/tor-keys");
}

/** Runs a tool to its end. */
function tool(command: string, args: readonly string[], input = ""): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      stdio: ["pipe", "ignore", "pipe"],
      timeout: STEP_TIMEOUT_MS,
    });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.stdin.on("error", () => {}); // its exit tells
    child.stdin.end(input);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${signal ?? code}: ${errors.trim()}`));
    });
  });
}

async function makeKeys(dir: string, role: Role): Promise<void> {
  await mkdir(join(dir, "keys"), { recursive: true, mode: 0o700 });
  const keys = join(dir, "keys");
  if (role === "authority") {
    const files = [
      ...["-i", join(keys, "authority_identity_key")],
      ...["-s", join(keys, "authority_signing_key")],
      ...["-c", join(keys, "authority_certificate")],
    ];
    const how = ["--create-identity-key", "--passphrase-fd", "0", "-m", "2"];
    await tool("tor-gencert", [...how, ...files], "none\n");
  }
  await tool("tor", [
    ...["--list-fingerprint", "--ignore-missing-torrc", "-f", join(dir, "none"), "--quiet"],
    ...["--orport", "1", "--datadirectory", dir],
    ...["--dirserver", `x 127.0.0.1:1 ${"f".repeat(40)}`],
  ]);
}

async function isFresh(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs < KEEP_MS;
  } catch {
    return false;
  }
}

/**
 * Fills a node's data directory with its keys.
 *
 * @param name Of the node.
 * @param role Of the node.
 * @param dir Its data directory; must not exist.
 * @returns What others need to know of them.
 */
export async function provideKeys(
  name: string,
  role: Role,
  dir: string,
): Promise<Pick<NodeFacts, "rsa" | "ed25519" | "v3ident">> {
  const kept = join(cacheFolder(), name);
  if (!await isFresh(join(kept, "complete"))) {
    // Beside it and then renamed: two runs at once do not read halves of each other.
    const made = `${kept}.${process.pid}`;
    await rm(made, { recursive: true, force: true });
    await mkdir(made, { recursive: true, mode: 0o700 });
    await makeKeys(made, role);
    await writeFile(join(made, "complete"), "");
    await rm(kept, { recursive: true, force: true });
    await rename(made, kept);
  }
  await cp(kept, dir, { recursive: true, preserveTimestamps: true });
  const word = async (file: string, pattern: RegExp): Promise<string> => {
    const found = pattern.exec(await readFile(join(dir, file), "utf8"))?.[1];
    if (found === undefined) throw new Error(`${name}: ${file} has no ${pattern}`);
    return found;
  };
  return {
    rsa: await word("fingerprint", /^\S+ (\w{40})$/m),
    ed25519: await word("fingerprint-ed25519", /^\S+ (\S+)$/m),
    v3ident: role === "authority"
      ? await word("keys/authority_certificate", /^fingerprint (\w{40})$/m)
      : "",
  };
}
