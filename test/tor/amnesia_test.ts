import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { BUILD, describe, it, ROOT, runtimeName } from "../harness.ts";
import { assert, assertEquals } from "../_std.ts";
import { addon, codeOf, figure, network, noTor, tcpServer, tempDir } from "./addon.ts";
import { readTrace, straceArgs } from "./trace.ts";

const SHM = "/dev/shm";
const PROGRAM = "test/tor/programs/client.ts";

function swapIsActive(): boolean {
  return readFileSync("/proc/swaps", "utf8").trim().split("\n").length > 1;
}

function noAmnesia(): string | false {
  if (noTor !== false) return noTor;
  if (!existsSync(SHM)) return "no /dev/shm";
  return swapIsActive() && "swap is active: amnesia is refused, as it should";
}

function noStrace(): string | false {
  const works = spawnSync("strace", ["-o", "/dev/null", "true"], { stdio: "ignore" }).status === 0;
  return !works && "strace cannot trace here: scripts/setup_tor_tools.sh installs it";
}

/** Files that the runtimes themselves write, wherever they run a program. */
function isOfRuntime(path: string, cache: string): boolean {
  return path.startsWith(`${cache}/`) || path === cache || // DENO_DIR, and Bun's cache of modules
    path.startsWith("/dev/") && !path.startsWith(`${SHM}/`) || // null, tty, urandom
    /^(\/proc\/(self|\d+)\/|pipe:|socket:|anon_inode:)/.test(path); // oom_score_adj, descriptors
}

interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  /** The next line that begins with `word`. */
  line(word: string): Promise<string>;
  say(line: string): void;
  /** Lets it close, and waits for its end. */
  close(): Promise<void>;
  readonly exit: Promise<void>;
}

/** The client program under this runtime, below `prefix`; its caches go to a folder of their own. */
function client(folder: string, cache: string, kind = "memory", prefix: string[] = []): Child {
  const flags = { deno: ["run", "--no-check", "-A"], bun: [], node: [] }[runtimeName()];
  const entry = runtimeName() === "node"
    ? join(BUILD, PROGRAM.replace(/ts$/, "js"))
    : join(ROOT, PROGRAM);
  const [command = "", ...args] = [...prefix, process.execPath, ...flags, entry, kind, folder];
  const env = {
    ...process.env,
    DENO_NO_UPDATE_CHECK: "1",
    ...(prefix.length > 0 ? { DENO_DIR: cache, BUN_INSTALL_CACHE_DIR: cache, TMPDIR: cache } : {}),
  };
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout as Readable })[Symbol.asyncIterator]();
  const exit = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdin?.on("error", () => {}); // it may be gone
  const line = async (word: string): Promise<string> => {
    for (;;) {
      const { done, value } = await lines.next();
      if (done === true) throw new Error(`the client ended without "${word}"`);
      if (value.startsWith(word)) return value;
    }
  };
  return {
    process: child,
    line,
    say: (line) => void child.stdin?.write(`${line}\n`),
    async close(): Promise<void> {
      child.stdin?.end();
      await line("closed");
      await exit;
    },
    exit,
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

describe("arti amnesia", () => {
  const skip = noAmnesia();
  const timeout = 120_000;

  it("is refused where a folder is not in RAM", { skip: noTor, leaks: false }, async () => {
    for (const memoryDir of [ROOT, "/proc", "/nowhere/at/all"]) {
      const started = addon().start({ config: network().toml(), memoryDir });
      assertEquals(await codeOf(started), "NotTmpfs");
    }
  });

  it("writes nothing outside its folder, starts nothing, listens on nothing, leaves nothing", {
    skip: skip !== false ? skip : noStrace(),
    timeout,
    leaks: false,
  }, async () => {
    using parent = tempDir(SHM);
    using files = tempDir();
    const cache = join(files.path, "cache");
    mkdirSync(cache);
    const record = join(files.path, "record");
    await using server = await tcpServer();
    {
      await using child = client(parent.path, cache, "memory", ["strace", ...straceArgs(record)]);
      await child.line("ready");
      assertEquals(readdirSync(parent.path).length, 1);
      child.say(`work ${server.port}`);
      await child.line("worked");
      await child.close();
    }
    assertEquals(readdirSync(parent.path), []);
    const trace = readTrace(readFileSync(record, "utf8"), ROOT);
    const inside = (path: string): boolean => path.startsWith(`${parent.path}/ron-transport-arti-`);
    assert(trace.written.some(inside), "the record shows its state being written");
    const outside = trace.written.filter((path) => !inside(path) && !isOfRuntime(path, cache));
    assertEquals([...new Set(outside)], []);
    const lost = trace.removed.filter((path) => !inside(path) && !isOfRuntime(path, cache));
    assertEquals([...new Set(lost)], []);
    assertEquals([trace.started, trace.listened], [[], []]);
  });

  it("goes with an exit, and after SIGKILL with the next start", {
    skip,
    timeout,
    leaks: false,
  }, async () => {
    using parent = tempDir(SHM);
    using files = tempDir();
    {
      await using child = client(parent.path, files.path);
      await child.line("ready");
      child.say("exit");
      await child.exit;
    }
    assertEquals(readdirSync(parent.path), []);
    {
      await using child = client(parent.path, files.path);
      await child.line("ready");
      child.process.kill("SIGKILL");
      await child.exit;
    }
    const left = readdirSync(parent.path);
    assertEquals(left.length, 1);
    {
      await using living = client(parent.path, files.path);
      await living.line("ready");
      const now = readdirSync(parent.path);
      assertEquals([now.length, now.includes(left[0] ?? "")], [1, false]);
      await using beside = client(parent.path, files.path);
      await beside.line("ready");
      assertEquals(readdirSync(parent.path).length, 2, "what is in use stays");
      await Promise.all([living.close(), beside.close()]);
    }
    assertEquals(readdirSync(parent.path), []);
  });

  it("takes at most 130 MiB when idle", { skip: noTor, timeout, leaks: false }, async () => {
    using files = tempDir();
    await using child = client(join(files.path, "state"), files.path, "state");
    const rss = Number((await child.line("ready")).split(" ")[1]) / 1_048_576;
    figure("idle MiB", rss);
    assert(rss <= 130, `${rss.toFixed(0)} MiB`);
    await child.close();
  });
});
