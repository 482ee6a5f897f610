/**
 * `config`: files checked, shown and compared before a server takes them.
 *
 * @module
 */

import type { ConfigIssue } from "../config/config.ts";
import { diffConfigs, HIDDEN } from "../config/diff.ts";
import { ConfigError, issueText } from "../config/issues.ts";
import { configJsonSchema } from "../config/json_schema.ts";
import { KEY_LIST } from "../config/keys.ts";
import { type ConfigSources, loadConfig, type LoadedConfig } from "../config/load.ts";
import { valueAt } from "../config/own.ts";
import { toml } from "../config/sample.ts";
import { usageError } from "./args.ts";
import type { Command, Parsed, Terminal } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { tableLines } from "./table.ts";
import { flagsGiven, TRANSPORT_FLAGS } from "./transport_flags.ts";

type Action = (files: readonly string[], parsed: Parsed, terminal: Terminal) => Promise<number>;

/** What can be done, and how many files it takes: at least and at most. */
const ACTIONS: Readonly<Record<string, { takes: [number, number]; run: Action }>> = Object.freeze({
  check: { takes: [1, 1], run: check },
  show: { takes: [0, 1], run: show },
  schema: { takes: [0, 0], run: schema },
  diff: { takes: [2, 2], run: diff },
});

/** The command. */
export const config: Command = {
  spec: {
    name: "config",
    summary:
      "Check, show and compare configurations: check FILE, show [FILE], schema, diff OLD NEW",
    examples: [
      {
        line: "config check ron-transport.toml",
        says: "every fault of a file; exit code 3 if any",
      },
      {
        line: "config show ron-transport.toml --transport.max-conns 50",
        says: "the values in force and where each comes from; environment and flags count",
      },
      { line: "config diff old.toml new.toml", says: "what a reload would do with each change" },
      { line: "config schema > schema.json", says: "the JSON Schema for an editor" },
    ],
    arguments: [
      { name: "ACTION" },
      { name: "FILE", optional: true },
      { name: "NEW", optional: true },
    ],
    flags: TRANSPORT_FLAGS,
  },
  run: async (parsed, terminal) => {
    const [name = "", ...files] = parsed.positionals;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined) {
      const wanted = Object.keys(ACTIONS).join(", ");
      throw usageError(`config can ${wanted}, got "${name}"`, "config");
    }
    const [least, most] = action.takes;
    if (files.length < least || files.length > most) {
      const wanted = least === most ? String(least) : `${least} to ${most}`;
      throw usageError(`config ${name} takes ${wanted} files, got ${files.length}`, "config");
    }
    return await action.run(files, parsed, terminal);
  },
};

/** The file alone: what a check finds must not hang on the environment it ran in. */
async function check([file = ""]: readonly string[], parsed: Parsed, terminal: Terminal) {
  const found = await load({ file, env: {}, mustExist: true });
  if ("issues" in found) return await tellFaults(file, found.issues, parsed, terminal);
  const { warnings } = found;
  if (parsed.has("json")) {
    await terminal.out.write(JSON.stringify({ file, valid: true, issues: [], warnings }) + "\n");
  } else {
    const noted = warnings.map((text) => `warning: ${text}\n`).join("");
    await terminal.out.write(`${noted}${file}: valid\n`);
  }
  return EXIT.ok;
}

async function show([file]: readonly string[], parsed: Parsed, terminal: Terminal) {
  const sources = { ...(file === undefined ? {} : { file }), flags: flagsGiven(parsed) };
  const found = await load({ ...sources, ownMaterial: true });
  if ("issues" in found) return await tellFaults(file ?? "", found.issues, parsed, terminal);
  const rows = KEY_LIST.map(({ path, type, hidden }) => {
    const value = type.toDocument(valueAt(found.config, path));
    const kept = hidden === true && value !== "" ? HIDDEN : value;
    return { key: path, value: kept, source: found.sources[path] ?? "default" };
  });
  const { warnings } = found;
  if (parsed.has("json")) {
    await terminal.out.write(JSON.stringify({ keys: rows, warnings }, null, 2) + "\n");
    return EXIT.ok;
  }
  const lines = tableLines(rows.map(({ key, value, source }) => [key, toml(value), source]));
  await terminal.out.write(lines.join("\n") + "\n");
  for (const text of warnings) await terminal.err.write(`warning: ${text}\n`);
  return EXIT.ok;
}

async function schema(_: readonly string[], _parsed: Parsed, { out }: Terminal) {
  await out.write(JSON.stringify(configJsonSchema(), null, 2) + "\n");
  return EXIT.ok;
}

async function diff(files: readonly string[], parsed: Parsed, terminal: Terminal) {
  const loaded: LoadedConfig[] = [];
  for (const file of files) {
    const found = await load({ file, env: {}, mustExist: true, ownMaterial: true });
    if ("issues" in found) return await tellFaults(file, found.issues, parsed, terminal);
    loaded.push(found);
  }
  const [from, to] = loaded;
  const changes = diffConfigs(from!.config, to!.config);
  const result = changes.some(({ reload }) => reload === "rebind") ? "rebind_required" : "applied";
  if (parsed.has("json")) {
    await terminal.out.write(JSON.stringify({ result, changes }, null, 2) + "\n");
    return EXIT.ok;
  }
  const rows = changes.map(({ path, from, to, reload, widened }) => {
    return [path, `${toml(from)} -> ${toml(to)}`, reload, widened ? "bounds less" : ""];
  });
  const said = changes.length === 0 ? "no difference" : `a reload would be: ${result}`;
  await terminal.out.write([...tableLines(rows), said, ""].join("\n"));
  return EXIT.ok;
}

async function load(
  sources: ConfigSources,
): Promise<LoadedConfig | { readonly issues: readonly ConfigIssue[] }> {
  try {
    return await loadConfig(sources);
  } catch (error) {
    if (error instanceof ConfigError) return { issues: error.issues };
    throw error;
  }
}

/** The faults are what was asked for, so they are data. */
async function tellFaults(
  file: string,
  issues: readonly ConfigIssue[],
  parsed: Parsed,
  { out }: Terminal,
): Promise<number> {
  if (parsed.has("json")) {
    await out.write(JSON.stringify({ file, valid: false, issues, warnings: [] }) + "\n");
  } else {
    const count = `${issues.length} ${issues.length === 1 ? "fault" : "faults"}`;
    await out.write([...issues.map(issueText), `${file}: not valid: ${count}`, ""].join("\n"));
  }
  return EXIT.config;
}
