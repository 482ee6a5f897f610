/** auth.macaroon_path: the file is checked, what is in it is nobody's here. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, Transport } from "../../mod.ts";
import { loadConfig } from "../../src/config/mod.ts";
import { afterEach, beforeEach, describe, it } from "../harness.ts";

const CANARY = "canary-6f1d";

describe("the token that a configuration names", () => {
  let folder = "";
  let token = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ron-token-"));
    token = join(folder, "token");
    await writeFile(token, CANARY, { mode: 0o600 });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const load = () => loadConfig({ env: { RON_TRANSPORT_MACAROON_PATH: token } });

  it("is taken by a transport that was given the hooks of loadConfig, and by no other", async () => {
    const { config, document, hooks, warnings } = await load();
    assert.equal(config.auth.macaroon_path, token);
    assert.deepEqual(warnings, []);
    await new Transport(document, hooks).drain();
    await hooks.token(config);
    assert.throws(
      () => new Transport({ auth: { macaroon_path: token } }),
      (error: unknown) =>
        error instanceof ConfigError && error.issues[0]?.path === "auth.macaroon_path",
    );
  });

  it("is refused when it is missing, empty, or open to others; neither path nor content is told", async () => {
    const refused = async (): Promise<void> => {
      await assert.rejects(load, (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.issues.length, 1);
        assert.equal(error.issues[0]!.path, "auth.macaroon_path");
        assert.equal(error.issues[0]!.source, "RON_TRANSPORT_MACAROON_PATH");
        const told = `${error.message} ${JSON.stringify(error.issues)}`;
        assert.ok(!told.includes(CANARY) && !told.includes(folder), told);
        return true;
      });
    };
    for (const mode of [0o644, 0o640, 0o604, 0o601]) {
      await chmod(token, mode);
      await refused();
    }
    await chmod(token, 0o600);
    await writeFile(token, "");
    await refused();
    await rm(token);
    await refused();
  });

  it("is warned of after 30 days", async () => {
    const old = Date.now() / 1_000 - 31.5 * 86_400;
    await utimes(token, old, old);
    const { warnings } = await load();
    assert.match(warnings[0] ?? "", /^auth\.macaroon_path names a token of 31 days/);
    assert.equal(warnings.length, 1);
  });
});
