import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  after,
  before,
  describe,
  it,
  type RuntimeName,
  runtimeName,
  spawnRuntime,
} from "../harness.ts";

const CLI = "src/cli/main.ts";
const RUNTIMES: readonly RuntimeName[] = ["deno", "bun", "node"];
/** The pairs do not depend on which runtime drives them. */
const ONLY_DENO = runtimeName() === "deno"
  ? false
  : "the matrix of all pairs is driven once, by Deno";
const FILE_BYTES = 3 * 1_048_576 + 12_345;

interface Sent {
  readonly intact: boolean;
  readonly bytes: number;
  readonly sha256: string;
  readonly runtime: string;
  readonly tls: string | null;
}

/** What Deno must be allowed for one Unix socket; not `--allow-ffi`, without which nobody is told apart. */
function unixFlags(path: string): string[] {
  const names = ["read", "write", "env", "sys", `net=unix:${path}`];
  return ["--no-prompt", ...names.map((name) => `--allow-${name}`)];
}

describe("cross-runtime matrix", () => {
  let directory = "";
  let file = "";
  let digest = "";

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "ron-matrix-"));
    file = join(directory, "file.bin");
    // Half of it random, half of it not: frames of both kinds, compressed and plain.
    const bytes = Buffer.concat([
      randomBytes(FILE_BYTES >> 1),
      Buffer.alloc(FILE_BYTES - (FILE_BYTES >> 1), "ab"),
    ]);
    await writeFile(file, bytes);
    digest = createHash("sha256").update(bytes).digest("hex");
  });
  after(() => rm(directory, { recursive: true }));

  for (const scheme of ["tcp", "tls", "unix"] as const) {
    for (const receiver of RUNTIMES) {
      for (const sender of RUNTIMES) {
        it(`${sender} sends to ${receiver} over ${scheme}`, { skip: ONLY_DENO }, async () => {
          const ca = join(directory, `${receiver}-${sender}.pem`);
          const into = join(directory, `${scheme}-${receiver}-${sender}`);
          const socket = join(directory, `${receiver}-${sender}.sock`);
          const address = scheme === "unix" ? `unix:${socket}` : `${scheme}://127.0.0.1:0`;
          const options = scheme === "unix" ? { denoFlags: unixFlags(socket) } : {};
          const certificate = scheme === "tls" ? ["--throwaway-cert", ca] : [];
          await using server = spawnRuntime(receiver, CLI, [
            ...["serve", "--addr", address, "--dir", into, "--json"],
            ...certificate,
          ], options);
          const { listening, runtime } = JSON.parse(await server.nextLine());
          assert.equal(runtime, receiver);
          const roots = scheme === "tls" ? ["--ca", ca] : [];
          await using client = spawnRuntime(sender, CLI, [
            ...["send", file, scheme === "unix" ? listening : `${scheme}://${listening}`, "--json"],
            ...roots,
          ], options);
          const sent = JSON.parse(await client.nextLine()) as Sent;
          assert.equal((await client.exit).code, 0, client.stderr());
          assert.deepEqual([sent.runtime, sent.bytes, sent.sha256], [sender, FILE_BYTES, digest]);
          assert.equal(sent.tls, scheme === "tls" ? "TLSv1.3" : null);
          assert.ok(sent.intact);

          let stored = JSON.parse(await server.nextLine());
          while (stored.event !== "stored") stored = JSON.parse(await server.nextLine());
          const bytes = await readFile(stored.file);
          assert.equal(createHash("sha256").update(bytes).digest("hex"), digest);
          server.kill();
          assert.equal((await server.exit).code, 0, server.stderr());
        });
      }
    }
  }
});
