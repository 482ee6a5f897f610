/** Files that change, are replaced, cut off or taken away; and a hang-up signal. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type AuditEvent, type ReloadResult, Transport, TransportError } from "../../mod.ts";
import { type ConfigWatch, loadConfig, watchConfig } from "../../src/config/mod.ts";
import { throwAwayCertificate } from "../../src/testing/certificate.ts";
import { afterEach, beforeEach, describe, it, runtimeName, spawnRuntime } from "../harness.ts";

interface Watched {
  readonly transport: Transport;
  readonly outcomes: ReloadResult[];
  readonly events: AuditEvent[];
  readonly faults: TransportError[];
  readonly watch: ConfigWatch;
}

describe("watchConfig", () => {
  let directory = "";
  let file = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ron-watch-"));
    file = join(directory, "ron.toml");
    await writeFile(file, "max_conns = 10\n");
  });
  afterEach(() => rm(directory, { recursive: true }));

  const watching = async (use: (w: Watched) => Promise<void>, hangup = false): Promise<void> => {
    const sources = { file, env: {} };
    const loaded = await loadConfig(sources);
    const events: AuditEvent[] = [];
    const onAudit = (event: AuditEvent): void => void events.push(event);
    await using transport = new Transport(loaded.document, { ...loaded.hooks, onAudit });
    const [outcomes, faults]: [ReloadResult[], TransportError[]] = [[], []];
    await using watch = await watchConfig(transport, loaded, sources, {
      hangup,
      onReload: (outcome) => void outcomes.push(outcome),
      onFault: (error) => void faults.push(error),
    });
    await use({ transport, outcomes, events, faults, watch });
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const quiet = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  it("a file written anew: one reload, half a second after the last write", async () => {
    await watching(async ({ transport, outcomes, events }) => {
      const start = performance.now();
      for (let n = 11; n <= 15; n++) await writeFile(file, `max_conns = ${n}\n`);
      await until(() => outcomes.length === 1);
      assert.ok(performance.now() - start >= 490, "it waits until the file is quiet");
      assert.equal(outcomes[0]?.result, "applied");
      assert.equal(transport.config.max_conns, 15);
      await quiet(700);
      assert.equal(outcomes.length, 1);
      assert.equal(events.filter(({ event }) => event === "TransportConfigReloaded").length, 1);
    });
  });

  it("a file put in place by rename, and a swapped link", async () => {
    await watching(async ({ transport, outcomes }) => {
      await writeFile(join(directory, "next"), "max_conns = 20\n");
      await rename(join(directory, "next"), file);
      await until(() => outcomes.length === 1);
      assert.equal(transport.config.max_conns, 20);
      const other = join(directory, "v2");
      await mkdir(other);
      await writeFile(join(other, "ron.toml"), "max_conns = 30\n");
      await symlink(join(other, "ron.toml"), join(directory, "link"));
      await rename(join(directory, "link"), file);
      await until(() => outcomes.length === 2);
      assert.equal(transport.config.max_conns, 30);
      await writeFile(join(other, "ron.toml"), "max_conns = 31\n");
      await until(() => outcomes.length === 3);
      assert.equal(transport.config.max_conns, 31, "the folder that the link leads to is watched");
    });
  });

  it("I-G8: a broken file is refused, once, and the last good one stays; so is one that is gone", async () => {
    await watching(async ({ transport, outcomes, watch }) => {
      await writeFile(file, "max_conns = 4\n[limits]\nmax_frame_bytes = '2M");
      await until(() => outcomes.length === 1);
      assert.equal(outcomes[0]?.result, "rejected");
      assert.equal(transport.config.max_conns, 10);
      await writeFile(join(directory, "unrelated"), "x");
      await quiet(800);
      assert.equal(outcomes.length, 1, "nothing new about it");
      await rm(file);
      await until(() => outcomes.length === 2);
      assert.equal(outcomes[1]?.result, "rejected");
      assert.match(outcomes[1].issues![0]!.rule, /must be there/);
      assert.equal(transport.config.max_conns, 10);
      await writeFile(file, "max_conns = 5\n");
      await until(() => outcomes.length === 3);
      assert.equal(outcomes[2]?.result, "applied");
      assert.equal((await watch.reload()).version, 3, "a direct reload is at once");
    });
  });

  it("other files in the folder are no change", async () => {
    await watching(async ({ outcomes }) => {
      await writeFile(join(directory, "other.toml"), "max_conns = 1\n");
      await quiet(800);
      assert.deepEqual(outcomes, []);
    });
  });

  it("a new certificate is served after the files have changed; one that does not fit is refused", async () => {
    const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
    const put = async (pair: { cert: string; key: string }): Promise<void> => {
      await writeFile(key, pair.key, { mode: 0o600 });
      await writeFile(cert, pair.cert);
    };
    const [first, second] = [await throwAwayCertificate(), await throwAwayCertificate()];
    await put(first);
    await writeFile(
      file,
      `backend = "tls"\n[tls]\nenabled = true\ncert_path = "${cert}"\nkey_path = "${key}"\n`,
    );
    await watching(async ({ transport, outcomes, faults }) => {
      const listener = await transport.listen({ onConnection: (c) => c.closed.then(() => {}) });
      const dial = async (ca: string): Promise<boolean> => {
        await using client = new Transport();
        try {
          const connection = await client.dial(listener.address, { tls: { ca } });
          connection.abort();
          return true;
        } catch (error) {
          assert.ok(TransportError.is(error) && error.kind === "tls", String(error));
          return false;
        }
      };
      assert.deepEqual([await dial(first.cert), await dial(second.cert)], [true, false]);
      await put(second);
      await until(() => outcomes.length === 1);
      assert.equal(outcomes[0]?.result, "applied");
      assert.deepEqual(outcomes[0].diff, []);
      assert.deepEqual([await dial(first.cert), await dial(second.cert)], [false, true]);
      await writeFile(key, first.key);
      await until(() => outcomes.length === 2);
      assert.equal(outcomes[1]?.result, "rejected");
      await writeFile(key, second.key);
      await until(() => outcomes.length === 3);
      await chmod(key, 0o644);
      await until(() => outcomes.length === 4);
      assert.match(outcomes[3]!.issues![0]!.rule, /only its owner/);
      assert.deepEqual([await dial(first.cert), await dial(second.cert)], [false, true]);
      assert.deepEqual(faults, []);
      await transport.close();
    });
  });

  it("SIGHUP reloads, also when nothing has changed", async () => {
    await watching(async ({ outcomes }) => {
      process.kill(process.pid, "SIGHUP");
      process.kill(process.pid, "SIGHUP");
      await until(() => outcomes.length === 1);
      assert.deepEqual([outcomes[0]?.result, outcomes[0]?.version], ["applied", 2]);
    }, true);
  });

  it("serve --config reloads on SIGHUP and by itself, and moves when it must", async () => {
    await writeFile(file, 'bind_addr = "127.0.0.1:0"\nmax_conns = 10\n');
    await using server = spawnRuntime(runtimeName(), "src/cli/main.ts", [
      "serve",
      "--config",
      file,
      "--json",
    ]);
    const next = async (event: string): Promise<Record<string, unknown>> => {
      for (;;) {
        const data = JSON.parse(await server.nextLine()) as Record<string, unknown>;
        if (event in data || data["event"] === event) return data;
      }
    };
    await next("listening");
    await writeFile(file, "max_conns = 0\n");
    assert.equal((await next("reloaded"))["result"], "rejected");
    await writeFile(file, 'bind_addr = "127.0.0.1:0"\nmax_conns = 20\n');
    const applied = await next("reloaded");
    assert.deepEqual([applied["result"], applied["version"]], ["applied", 2]);
    server.kill("SIGHUP");
    const again = await next("reloaded");
    assert.deepEqual([again["result"], again["version"], again["diff"]], ["applied", 3, []]);
    await writeFile(file, 'bind_addr = "[::1]:0"\nmax_conns = 20\n');
    const moved = await next("reloaded");
    assert.deepEqual([moved["result"], moved["version"]], ["applied", 4]);
    server.kill();
    await next("drained");
    assert.equal((await server.exit).code, 0);
  });
});
