/**
 * Binds a Unix socket so that nobody else can reach it at any time.
 *
 * Its directory must be ours alone, the socket has mode 0600 from its first instant, and only a dead
 * socket of ours is removed to make room. Windows has no such modes and is refused.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { UnixSocketError } from "./runtime.ts";

/** What is used of `node:`; the adapter loads it when it first binds a path. */
interface Modules {
  readonly fs: typeof import("node:fs");
  readonly net: typeof import("node:net");
  readonly process: typeof import("node:process");
}

/** How long a server that is there may take to answer before it counts as alive, in milliseconds. */
const PROBE_MS = 1_000;

/** Everything but reading and writing by the owner is masked out. */
const PRIVATE = 0o177;

/**
 * Binds by `bind`, once nothing is in the way.
 *
 * @param path Where.
 * @param bind Binds before it first waits for anything.
 * @returns What `bind` returned.
 * @throws {UnixSocketError} When the directory or what is at the path cannot be trusted.
 */
export async function bindPrivately<B>(path: string, bind: () => Promise<B>): Promise<B> {
  const modules = await load();
  checkDirectory(modules, path.slice(0, path.lastIndexOf("/")) || "/");
  await makeRoom(modules, path);
  return await bindMasked(modules, bind);
}

/**
 * What keeps a socket from being made at a path, as far as its directory is concerned.
 *
 * @param path Absolute.
 * @returns The fault, or `undefined`.
 */
export function socketDirectoryFault(path: string): Promise<string | undefined> {
  return privateDirectoryFault(path.slice(0, path.lastIndexOf("/")) || "/");
}

/**
 * What lets others into a directory, or keeps us out.
 *
 * @param directory Absolute.
 * @returns The fault, or `undefined`.
 */
export async function privateDirectoryFault(directory: string): Promise<string | undefined> {
  try {
    checkDirectory(await load(), directory);
    return undefined;
  } catch (error) {
    if (error instanceof UnixSocketError) return error.message;
    throw error;
  }
}

async function load(): Promise<Modules> {
  const [fs, net, process] = await Promise.all([
    import("node:fs"),
    import("node:net"),
    import("node:process"),
  ]);
  return { fs, net, process: process.default };
}

function checkDirectory({ fs, process }: Modules, directory: string): void {
  const user = process.geteuid?.();
  if (user === undefined) {
    throw new UnixSocketError("this system has no users to keep others out by");
  }
  const at = `the directory ${directory}`;
  const stats = lstat(fs, directory);
  if (stats === undefined) {
    throw new UnixSocketError(`${at} does not exist: make it with mode 0700, as by mkdir -m 700`);
  }
  if (stats.isSymbolicLink()) {
    throw new UnixSocketError(`${at} is a symbolic link: name the directory it leads to`);
  }
  if (!stats.isDirectory()) throw new UnixSocketError(`${directory} is no directory`);
  if (stats.uid !== user) {
    throw new UnixSocketError(
      `${at} belongs to user ${stats.uid}, and this process is user ${user}: name one of its own`,
    );
  }
  const mode = stats.mode & 0o7777;
  if ((mode & 0o777) === 0o700) return;
  throw new UnixSocketError(
    `${at} has mode ${
      octal(mode)
    } and must have 0700, so that nobody else can reach what is in it: chmod 700`,
  );
}

/** Removes a dead socket of ours; whatever else is there is left and told. */
async function makeRoom(modules: Modules, path: string): Promise<void> {
  const { fs, process } = modules;
  const found = lstat(fs, path);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new UnixSocketError(`${path} exists and is no socket: name another path, or remove it`);
  }
  if (found.uid !== process.geteuid!()) {
    throw new UnixSocketError(`${path} is a socket of user ${found.uid}: name another path`);
  }
  if (await isAlive(modules, path)) {
    throw new UnixSocketError(`${path} is in use by another server: stop it, or name another path`);
  }
  removeDead(fs, path, found);
}

/** Only a refused connection tells that nobody listens; silence, or any other failure, does not. */
function isAlive({ net }: Modules, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    const end = (alive: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(alive);
    };
    const timer = setTimeout(() => end(true), PROBE_MS);
    socket.on("connect", () => end(true));
    socket.on("error", (error: Error & { code?: string }) => end(error.code !== "ECONNREFUSED"));
  });
}

/**
 * Another server may have taken the dead one's place since it was asked. So the socket is moved
 * aside first, which cannot fail half-way; if it turns out to be another one, it is moved back.
 */
function removeDead(fs: Modules["fs"], path: string, dead: Stats): void {
  const aside = `${path}.${crypto.randomUUID().slice(0, 8)}`;
  try {
    fs.renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  const moved = lstat(fs, aside);
  if (moved?.ino === dead.ino && moved.mtimeMs === dead.mtimeMs) return fs.unlinkSync(aside);
  fs.renameSync(aside, path);
  throw new UnixSocketError(`${path} was taken by another server just now`);
}

/** The mask is the whole process's: it is set back before anything else can run. */
function bindMasked<B>({ process }: Modules, bind: () => Promise<B>): Promise<B> {
  let before: number;
  try {
    before = process.umask(PRIVATE);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnixSocketError(
      `the file mode mask, which keeps the socket private, cannot be set: ${why}`,
    );
  }
  try {
    return bind();
  } finally {
    process.umask(before);
  }
}

function lstat(fs: Modules["fs"], path: string): Stats | undefined {
  try {
    return fs.lstatSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

function octal(mode: number): string {
  return `0${mode.toString(8).padStart(3, "0")}`;
}
