import assert from "node:assert/strict";
import { describe, it } from "../harness.ts";
import { parseFor } from "../../src/cli/args.ts";
import { bootstrapText, bootstrapView } from "../../src/cli/bootstrap_progress.ts";
import { addTor, allowTorDial, TOR_FLAGS } from "../../src/cli/tor.ts";
import { flagsGiven, TRANSPORT_FLAGS } from "../../src/cli/transport_flags.ts";
import { run } from "./terminal.ts";

const SPEC = {
  name: "try",
  summary: "",
  examples: [],
  arguments: [],
  flags: [...TOR_FLAGS, ...TRANSPORT_FLAGS],
};

/** The flags of the configuration that a command line comes to. */
function flags(args: readonly string[], address?: string, file = false): Record<string, string> {
  const parsed = parseFor(SPEC, args);
  const given = flagsGiven(parsed);
  addTor(given, parsed, address, file);
  allowTorDial(given);
  return given;
}

describe("cli, tor", () => {
  it("is meant by its name, and by an address that only it reaches", () => {
    const onion = `${"a".repeat(56)}.onion:7000`;
    const tor = {
      "transport.backend": "arti",
      "transport.amnesia": "true",
      "transport.dial-timeout": "60s",
    };
    for (const address of [onion, `tls://${onion}`, "arti://example.org:80"]) {
      assert.deepEqual(flags([], address), tor, address);
    }
    assert.deepEqual(flags(["--backend", "arti"], "example.org:80"), tor);
    assert.deepEqual(flags([], "example.org:80"), {});
    assert.throws(() => flags(["--backend", "quic"]), /--backend must be one of tcp, tls, arti/);
  });

  it("keeps nothing unless somebody says where, and waits as long as it is told", () => {
    const args = ["--backend=arti", "--transport.arti-state=tor", "--transport.dial-timeout=9s"];
    assert.deepEqual(flags(args), {
      "transport.backend": "arti",
      "transport.arti-state": "tor",
      "transport.dial-timeout": "9s",
    });
    const withFile = flags(["--backend", "arti"], undefined, true);
    assert.equal(withFile["transport.amnesia"], undefined);
  });

  it("shows a bootstrap as a bar, or a line a step", () => {
    const half = { fraction: 0.5, ready: false, summary: "50%: fetching" };
    assert.equal(bootstrapText(half, 80), `Tor ${"█".repeat(10)}${"░".repeat(10)} 50%: fetching`);
    assert.equal(bootstrapText(half, 10).length, 9);
    const lines: string[] = [];
    const write = (text: string): Promise<void> => {
      lines.push(text);
      return Promise.resolve();
    };
    const view = bootstrapView({ terminal: false, columns: 80, write });
    view.at(half);
    view.at({ ...half, fraction: 0.55 });
    view.at({ ...half, fraction: 0.55, blocked: "no directory answers" });
    view.at({ ...half, fraction: 0.9, summary: "90%" });
    view.end();
    view.at({ ...half, fraction: 1 });
    assert.deepEqual(lines, [
      "Tor bootstraps: 50%: fetching\n",
      "Tor bootstraps: held up: no directory answers\n",
      "Tor bootstraps: 90%\n",
    ]);
  });

  it("doctor tells what is not there from what is broken", async () => {
    const healthy = await run("doctor", "--json");
    const { findings } = JSON.parse(healthy.out);
    const states = findings.map(({ name, state }: Record<string, string>) => `${name} ${state}`);
    assert.deepEqual(states.slice(0, 2), ["runtime ok", "codec ok"]);
    assert.match(states[2], /^arti (?:ok|absent)$/);
    assert.equal(healthy.code, 0);
    const broken = await run("doctor", "--arti-addon", "/nowhere/addon.node");
    assert.equal(broken.code, 1);
    assert.match(broken.out, /^broken arti .*install @ron\/transport-arti/m);
  });

  it("serve says what is missing, with the code of a configuration", async () => {
    const { code, err } = await run("serve", "--backend", "arti", "--arti-addon", "/nowhere.node");
    assert.equal(code, 3);
    assert.match(err, /\/nowhere\.node: it is not there; install @ron\/transport-arti/);
  });
});
