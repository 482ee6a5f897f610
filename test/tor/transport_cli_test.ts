/** A real file by `send` to a `serve` on Tor, across the runtimes. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertMatch } from "../_std.ts";
import { describe, it, runtimeName, type Spawned, spawnRuntime } from "../harness.ts";
import { ADDON, NETWORK, noTor, pattern } from "./transports.ts";

const CLI = "src/cli/main.ts";
const denoFlags = ["--no-prompt", "--allow-all"];
const tor = ["--arti-addon", ADDON, "--transport.arti-config", NETWORK];

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function listening(server: Spawned): Promise<string> {
  for (;;) {
    const line = JSON.parse(await server.nextLine()) as { listening?: string };
    if (line.listening !== undefined) return line.listening;
  }
}

describe("cli on tor", () => {
  const options = { skip: noTor, leaks: false as const, timeout: 180_000 };

  it("serve tells an onion address, send sends there, and the address stays", options, async () => {
    const directory = mkdtempSync(join(tmpdir(), "ron-tor-cli-"));
    try {
      const file = join(directory, "file.bin");
      const bytes = pattern(700_001);
      writeFileSync(file, bytes);
      const state = join(directory, "state");
      const args = [
        "serve",
        "--backend",
        "arti",
        ...tor,
        "--json",
        "--transport.arti-state",
        state,
      ];
      const received = join(directory, "received");
      const own = runtimeName();
      let first = "";
      {
        await using server = spawnRuntime(own, CLI, [...args, "--dir", received], { denoFlags });
        first = await listening(server);
        assertMatch(first, /^[a-z2-7]{56}\.onion:7000$/);
        const other = own === "deno" ? "bun" : own === "bun" ? "node" : "deno";
        await using sender = spawnRuntime(other, CLI, ["send", file, first, ...tor, "--json"], {
          denoFlags,
        });
        const report = JSON.parse(await sender.nextLine());
        assertEquals([report.intact, report.bytes], [true, bytes.length]);
        assertEquals((await sender.exit).code, 0, sender.stderr());
        server.kill("SIGINT");
        assertEquals((await server.exit).code, 0, server.stderr());
      }
      const stored = readdirSync(received).map((name) => readFileSync(join(received, name)));
      assertEquals(stored.map(sha256), [sha256(bytes)]);
      await using again = spawnRuntime(own, CLI, args, { denoFlags });
      assertEquals(await listening(again), first);
      again.kill("SIGINT");
      await again.exit;
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("what is interrupted in its bootstrap leaves nothing in memory", options, async () => {
    const place = mkdtempSync("/dev/shm/ron-cli-");
    await using server = spawnRuntime(
      runtimeName(),
      CLI,
      [
        ...["serve", "--backend", "arti", ...tor, "--json"],
        ...["--transport.amnesia", "--transport.arti-state", place],
      ],
      { denoFlags },
    );
    await server.nextLine(); // the first step of the bootstrap
    server.kill("SIGINT");
    const { code } = await server.exit;
    assert(code === 130 || code === 0, `${code}: ${server.stderr()}`);
    assertEquals(readdirSync(place), []);
    rmdirSync(place);
  });

  it("doctor tells the version of the addon, and where it is", options, async () => {
    await using doctor = spawnRuntime(
      runtimeName(),
      CLI,
      ["doctor", "--json", "--arti-addon", ADDON],
      { denoFlags },
    );
    const { findings } = JSON.parse(await doctor.nextLine());
    const { state, version, path } = findings.find(({ name }: { name: string }) => name === "arti");
    assertEquals([state, path], ["ok", ADDON]);
    assertMatch(version, /arti-client 0\.47/);
    assertEquals((await doctor.exit).code, 0);
  });
});
