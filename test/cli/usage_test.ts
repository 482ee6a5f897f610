import assert from "node:assert/strict";
import { describe, it } from "../harness.ts";
import { parseFor } from "../../src/cli/args.ts";
import type { CommandSpec } from "../../src/cli/command.ts";
import { EXIT_CODES, exitCodeOf, failureOf } from "../../src/cli/exit_codes.ts";
import { nearest } from "../../src/suggest.ts";
import { KINDS, TransportError } from "../../src/errors.ts";
import { run } from "./terminal.ts";

const SPEC: CommandSpec = {
  name: "try",
  summary: "",
  examples: [],
  arguments: [{ name: "FILE" }, { name: "ADDR", optional: true }],
  flags: [
    { name: "dir", value: "DIR", help: "" },
    { name: "echo", help: "" },
    { name: "on", value: "RUNTIME", choices: ["deno", "bun"], help: "" },
  ],
};

const message = (...args: string[]): string => {
  try {
    parseFor(SPEC, args);
  } catch (error) {
    assert.ok(TransportError.is(error));
    assert.equal(error.kind, "misuse");
    return error.message;
  }
  return "accepted";
};

describe("cli arguments", () => {
  it("takes flags in any order, with and without =", () => {
    const parsed = parseFor(SPEC, ["--echo", "a", "--dir", "d", "b", "--on=bun"]);
    assert.deepEqual(parsed.positionals, ["a", "b"]);
    assert.equal(parsed.value("dir"), "d");
    assert.equal(parsed.value("on"), "bun");
    assert.ok(parsed.has("echo"));
    assert.ok(!parsed.has("json"));
  });

  it("takes a value that starts with dashes only after =", () => {
    assert.equal(parseFor(SPEC, ["f", "--dir=--odd"]).value("dir"), "--odd");
    assert.match(message("f", "--dir", "--echo"), /--dir needs a value: --dir DIR/);
  });

  it("takes what follows -- as it is", () => {
    assert.deepEqual(parseFor(SPEC, ["--", "--file"]).positionals, ["--file"]);
  });

  it("names what is wrong, and where to read more", () => {
    assert.match(message("f", "--ehco"), /unknown flag --ehco for try; did you mean --echo\?/);
    assert.match(message("f", "--xyzzy"), /unknown flag --xyzzy for try \(see: .* try --help\)/);
    assert.match(message("f", "-e"), /unknown flag -e/);
    assert.match(message("f", "--dir"), /--dir needs a value/);
    assert.match(message("f", "--dir="), /--dir needs a value/);
    assert.match(message("f", "--echo=yes"), /--echo takes no value, got "yes"/);
    assert.match(message("f", "--on", "node"), /--on must be one of deno, bun, got "node"/);
    assert.match(message(), /try needs FILE/);
    assert.match(message("a", "b", "c"), /unexpected argument "c"/);
  });

  it("suggests near names only", () => {
    assert.equal(nearest("serv", ["serve", "send"]), "serve");
    assert.equal(nearest("sned", ["serve", "send"]), "send");
    assert.equal(nearest("zzz", ["serve", "send"]), undefined);
    assert.equal(nearest("", ["serve", "send"]), undefined);
  });
});

describe("cli program", () => {
  it("says so when the command is missing, unknown or mistyped: one line, exit code 2", async () => {
    for (
      const [args, line] of [
        [
          [],
          /^ron-transport: name a command: demo, serve, send, top, config, governance, doctor, version .*\n$/,
        ],
        [["sevre"], /^ron-transport: unknown command sevre; did you mean serve\? .*\n$/],
        [["nonsense"], /^ron-transport: unknown command nonsense; there are demo, serve.*\n$/],
        [["--nonsense"], /^ron-transport: unknown flag --nonsense.*\n$/],
        [
          ["serve", "--adr", "x"],
          /^ron-transport serve: unknown flag --adr .*did you mean --addr.*\n$/,
        ],
        [["send", "only-one"], /^ron-transport send: send needs ADDR .*\n$/],
      ] as const
    ) {
      const { code, out, err } = await run(...args);
      assert.equal(code, 2, args.join(" "));
      assert.equal(out, "");
      assert.match(err, line);
    }
  });

  it("helps with examples first, on standard output", async () => {
    for (const args of [["--help"], ["-h"], ["help"], ["serve", "--help"], ["send", "-h"]]) {
      const { code, out, err } = await run(...args);
      assert.equal(code, 0);
      assert.equal(err, "");
      assert.match(out, /^Examples:\n {2}ron-transport /);
    }
    const { out } = await run("--help");
    for (const { code, means } of EXIT_CODES) assert.match(out, new RegExp(`${code} +${means}`));
  });

  it("tells its version as text and as JSON", async () => {
    const { code, out } = await run("version", "--json");
    assert.equal(code, 0);
    const data = JSON.parse(out);
    assert.match(data.version, /^\d+\.\d+\.\d+$/);
    assert.match(data.wasmSha256, /^[0-9a-f]{64}$/);
    assert.match((await run("--version")).out, new RegExp(`^ron-transport ${data.version} \\(`));
  });
});

describe("cli exit codes", () => {
  it("has a documented code for every kind", () => {
    const codes = EXIT_CODES.map(({ code }) => code);
    for (const kind of Object.keys(KINDS)) assert.ok(codes.includes(exitCodeOf(kind)), kind);
    assert.equal(exitCodeOf("config_invalid"), 3);
    assert.equal(exitCodeOf("peer_limit"), 5);
    assert.equal(exitCodeOf("bind_failed"), 1);
    assert.equal(exitCodeOf("toString"), 1);
  });

  it("makes one line of anything", () => {
    assert.deepEqual(failureOf(new Error("a\n  b")), { line: "a b [internal]", code: 1 });
    assert.deepEqual(failureOf("odd"), { line: "odd [internal]", code: 1 });
  });
});
