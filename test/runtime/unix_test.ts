/** Unix sockets: who can reach them, what may be in their way, and who is at the other end. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import {
  ConfigError,
  type Connection,
  Transport,
  type TransportConfig,
  TransportError,
} from "../../mod.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { after, BUILD, describe, it, ROOT, runtimeName, spawnRuntime } from "../harness.ts";

const ROOT_USER = process.getuid?.() === 0;
const NOBODY = 65_534;
const AS_ROOT = ROOT_USER ? false : "only root can act as another user";
/** Which runtimes can tell who is at the other end. */
const TELLS = runtimeName() !== "node" && process.platform === "linux";
const TOP = mkdtempSync(join(tmpdir(), "ron-unix-"));
after(() => rmSync(TOP, { recursive: true }));

let directories = 0;
function directory(mode = 0o700): string {
  const path = join(TOP, `d${++directories}`);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

async function echo(connection: Connection): Promise<void> {
  const buffer = new Uint8Array(16);
  const n = await connection.read(buffer).catch(() => null);
  if (n !== null) await connection.write(buffer.subarray(0, n));
}

async function listening(
  path: string,
  config: TransportConfig = {},
): Promise<{ server: Transport; infos: Connection["info"][] }> {
  const infos: Connection["info"][] = [];
  const server = new Transport(config);
  await server.listen({
    address: `unix:${path}`,
    onConnection(connection) {
      infos.push(connection.info);
      return echo(connection);
    },
  });
  return { server, infos };
}

async function refusal(path: string, config: TransportConfig = {}): Promise<TransportError> {
  const transport = new Transport(config);
  try {
    await transport.listen({ address: `unix:${path}` });
  } catch (error) {
    assert.ok(TransportError.is(error));
    assert.deepEqual(transport.readiness, { state: "NotReady", reason: "bind_failed" });
    return error;
  } finally {
    await transport.close();
  }
  throw new Error(`${path} was bound`);
}

async function roundTrip(path: string): Promise<Connection["info"]> {
  const client = new Transport();
  const connection = await client.dial(`unix:${path}`);
  await connection.write(new Uint8Array([7]));
  const buffer = new Uint8Array(4);
  assert.equal(await connection.read(buffer), 1);
  await client.close();
  return connection.info;
}

/** Leaves a socket that nobody listens on: its server is killed, and cannot remove it. */
async function deadSocket(path: string): Promise<void> {
  const options = { denoFlags: ["--allow-all"], input: true };
  const entry = "test/runtime/echo_server.ts";
  await using server = spawnRuntime(runtimeName(), entry, [`unix:${path}`], options);
  await server.nextLine();
  server.kill("SIGKILL");
  await server.exit;
  assert.ok(lstatSync(path).isSocket());
}

/** What a server asks of the kernel until it listens. */
async function traced(file: string, address: string): Promise<string> {
  const entry = "test/runtime/echo_server.ts";
  const command = {
    deno: ["run", "--allow-all", join(ROOT, entry)],
    bun: [join(ROOT, entry)],
    node: [join(BUILD, entry.replace(/\.ts$/, ".js"))],
  }[runtimeName()];
  const calls = "trace=umask,bind,chmod,fchmod,fchmodat";
  const child = spawn("strace", [
    ...["-f", "-o", file, "-e", calls, process.execPath, ...command, address],
  ], { stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  child.stdout.resume();
  await once(child.stdout, "data");
  child.stdin.end(); // the end of its input ends it
  await closed;
  return readFileSync(file, "utf8");
}

describe("a Unix socket", () => {
  it("has mode 0600 as soon as it is there, and is gone after the close", async () => {
    const home = directory();
    const path = join(home, "a.sock");
    const before = process.umask();
    const modes: number[] = [];
    const watcher = watch(home, () => {
      if (existsSync(path)) modes.push(lstatSync(path).mode & 0o777);
    });
    const { server, infos } = await listening(path);
    assert.equal(lstatSync(path).mode & 0o777, 0o600);
    assert.equal(process.umask(), before);
    const near = await roundTrip(path);
    const uid = TELLS ? process.getuid!() : undefined;
    assert.equal(near.peerUid, uid);
    assert.equal(infos[0]?.peerUid, uid);
    assert.deepEqual([near.remote, near.local, near.backend], [undefined, undefined, "tcp"]);
    await server.close();
    assert.ok(!existsSync(path));
    watcher.close();
    assert.ok(modes.every((mode) => mode === 0o600), `modes seen: ${modes}`);
  });

  it("is bound with the mask set, so that there is no moment of another mode", {
    needs: spawnSync("strace", ["-V"]).status !== 0 && "strace is not installed",
  }, async () => {
    const home = directory();
    const trace = await traced(join(home, "trace"), `unix:${join(home, "a.sock")}`);
    assert.match(trace, /umask\(0177\) [^]*bind\([^]*a\.sock[^]*umask\(0\d*\) += 0177/);
    assert.doesNotMatch(trace, /chmod\w*\([^]*a\.sock/);
  });

  it("is bound where the configuration says", async () => {
    const path = join(directory(), "a.sock");
    const server = new Transport({ uds: { path } });
    const listener = await server.listen({ onConnection: echo });
    assert.deepEqual(listener.address, { transport: "tcp", path });
    await roundTrip(path);
    await server.close();
    for (const config of [{ path: "a.sock" }, { path: `/${"x".repeat(107)}` }]) {
      assert.throws(() => new Transport({ uds: config }), ConfigError);
    }
    assert.throws(
      () => new Transport({ uds: { path }, bind_addr: "127.0.0.1:0" }),
      /uds.path must not be given with bind_addr/,
    );
  });

  it("is not bound in a directory that others can reach", async () => {
    const home = directory(0o755);
    const error = await refusal(join(home, "a.sock"));
    assert.equal(error.kind, "bind_failed");
    assert.match(error.message, /has mode 0755 and must have 0700.*chmod 700/);
    assert.deepEqual(readdirSync(home), []);

    assert.match((await refusal(join(TOP, "none/a.sock"))).message, /none does not exist: make it/);
    writeFileSync(join(TOP, "file"), "");
    assert.match((await refusal(join(TOP, "file/a.sock"))).message, /file is no directory/);
    symlinkSync(directory(), join(TOP, "link"));
    assert.match((await refusal(join(TOP, "link/a.sock"))).message, /link is a symbolic link/);
  });

  it("is not bound in the directory of another user", { skip: AS_ROOT }, async () => {
    const home = directory();
    chownSync(home, NOBODY, NOBODY);
    assert.match((await refusal(join(home, "a.sock"))).message, /belongs to user 65534/);
  });

  it("takes the place of a dead one of ours", async () => {
    const path = join(directory(), "a.sock");
    await deadSocket(path);
    const { server } = await listening(path);
    await roundTrip(path);
    await server.close();
    assert.ok(!existsSync(path));
  });

  it("leaves alone what is no dead socket of ours", async () => {
    const home = directory();
    const path = join(home, "a.sock");
    writeFileSync(path, "kept");
    assert.match((await refusal(path)).message, /a.sock exists and is no socket/);
    rmSync(path);
    symlinkSync("/dev/null", path);
    assert.match((await refusal(path)).message, /a.sock exists and is no socket/);
    rmSync(path);

    const { server } = await listening(path);
    assert.match((await refusal(path)).message, /a.sock is in use by another server/);
    await roundTrip(path);
    await server.close();
    assert.deepEqual(readdirSync(home), []);
  });

  it("leaves alone a dead socket of another user", { skip: AS_ROOT }, async () => {
    const path = join(directory(), "a.sock");
    await deadSocket(path);
    chownSync(path, NOBODY, NOBODY);
    assert.match((await refusal(path)).message, /a.sock is a socket of user 65534/);
    assert.ok(existsSync(path));
  });

  it("leaves alone the live socket of another program", async () => {
    const path = join(directory(), "a.sock");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ path }, resolve));
    const { ino } = lstatSync(path);
    assert.match((await refusal(path)).message, /in use by another server/);
    assert.equal(lstatSync(path).ino, ino);
    await new Promise((resolve) => server.close(resolve));
  });

  it("tells a dial that nobody listens", async () => {
    const home = directory();
    const client = new Transport();
    for (const path of [join(home, "none.sock"), join(home, "dead.sock")]) {
      if (path.endsWith("dead.sock")) await deadSocket(path);
      const error = await client.dial(`unix:${path}`).catch((error: unknown) => error);
      assert.ok(TransportError.is(error));
      assert.equal(error.kind, "io_closed");
      assert.match(error.message, /Nothing listens there/);
    }
    await client.close();
  });
});

/** Has a client try the socket as the user `uid`: Python, as the runtimes may lie in root's home. */
async function as(uid: number, path: string): Promise<string> {
  const program = [
    "import socket,sys",
    "s=socket.socket(socket.AF_UNIX)",
    "s.settimeout(5)",
    "s.connect(sys.argv[1])",
    "try:",
    " s.send(b'x')",
    " print('got' if s.recv(9)==b'x' else 'end')",
    "except OSError: print('end')",
  ].join("\n");
  const child = spawn("setpriv", [
    `--reuid=${uid}`,
    "--clear-groups",
    ...["/usr/bin/python3", "-c", program, path],
  ], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (bytes) => text += String(bytes));
  await new Promise((resolve) => child.once("close", resolve));
  return text.trim();
}

describe("users of a Unix socket", () => {
  it("are refused unless allowed, and counted", {
    skip: TELLS ? AS_ROOT : "this runtime cannot tell users",
  }, async () => {
    const home = directory();
    const path = join(home, "a.sock");
    const { server, infos } = await listening(path, { uds: { allow_uids: [NOBODY] } });
    // As if someone had opened it up since.
    chmodSync(path, 0o666);
    chmodSync(home, 0o755);
    chmodSync(TOP, 0o755);
    assert.equal(await as(NOBODY, path), "got");
    assert.equal(infos[0]?.peerUid, NOBODY);
    assert.equal(await as(1_234, path), "end");
    assert.equal(await as(0, path), "end");
    assert.equal(infos.length, 1);
    assert.equal(server.counters().rejected.peer_limit, 2);
    await server.close();
  });

  it("cannot be told on this runtime: allow_uids is refused before anything is bound", {
    skip: TELLS ? "this runtime can tell users" : false,
  }, async () => {
    const home = directory();
    const error = await refusal(join(home, "a.sock"), { uds: { allow_uids: [0] } });
    assert.equal(error.kind, "config_invalid");
    assert.match(error.message, /uds.allow_uids needs .* node .* Node has no call for SO_PEERCRED/);
    assert.deepEqual(readdirSync(home), []);
  });

  it("cannot be told: allow_uids is refused by a reload, and the listener serves on", async () => {
    const path = join(directory(), "a.sock");
    const runtime = await detectRuntime();
    const server = new Transport({}, {
      runtime: {
        name: runtime.name,
        version: runtime.version,
        connect: (...all) => runtime.connect(...all),
        listen: (...all) => runtime.listen(...all),
        peerUidLack: () => Promise.resolve("it is a test"),
      },
    });
    const document = { uds: { allow_uids: [0] } };
    // Nothing listens yet that it could close to everyone.
    assert.equal(server.reload(document).result, "applied");
    assert.equal(server.reload({}).result, "applied");
    const listener = await server.listen({ address: `unix:${path}`, onConnection: echo });
    const outcome = server.reload(document);
    assert.equal(outcome.result, "rejected");
    assert.equal(outcome.issues?.[0]?.path, "uds.allow_uids");
    assert.match(
      outcome.issues[0].rule,
      new RegExp(`${runtime.name} .* cannot tell.*it is a test`),
    );
    const client = new Transport();
    const connection = await client.dial(`unix:${path}`);
    await connection.write(new Uint8Array([7]));
    assert.equal(await connection.read(new Uint8Array(1)), 1);
    await client.close();
    await listener.close();
    assert.equal(server.reload(document).result, "applied");
    await server.close();
  });

  it("cannot be told without --allow-ffi: allow_uids is refused", {
    skip: runtimeName() === "deno" ? false : "only Deno has permissions",
  }, async () => {
    const home = directory();
    const denoFlags = ["read", "write", "env", "sys", "net"].map((name) => `--allow-${name}`);
    await using server = spawnRuntime("deno", "test/runtime/uid_server.ts", [
      join(home, "a.sock"),
    ], { denoFlags: ["--no-prompt", ...denoFlags] });
    assert.match(await server.nextLine(), /^config_invalid .*permission --allow-ffi is not given/);
    assert.deepEqual(readdirSync(home), []);
  });

  it("that cannot be told apart this once are refused", async () => {
    const path = join(directory(), "a.sock");
    for (const uid of [null, undefined, 7]) {
      const runtime = await detectRuntime();
      const server = new Transport({ uds: { allow_uids: uid === null ? [] : [8] } }, {
        runtime: {
          name: runtime.name,
          version: runtime.version,
          connect: (...all) => runtime.connect(...all),
          peerUidLack: () => Promise.resolve(undefined),
          listen: (address, tls, onAccept, onFault) =>
            runtime.listen(
              address,
              tls,
              ({ remote, destroy }) => onAccept({ remote, destroy, uid }),
              onFault,
            ),
        },
      });
      await server.listen({ address: `unix:${path}`, onConnection: echo });
      const client = new Transport();
      const connection = await client.dial(`unix:${path}`);
      assert.equal(await connection.read(new Uint8Array(1)).catch(() => null), null);
      assert.equal(server.counters().rejected.peer_limit, 1);
      await client.close();
      await server.close();
    }
  });
});
