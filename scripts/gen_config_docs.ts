/**
 * Writes what follows from the table of configuration keys: the tables in `docs/CONFIG.md`, the JSON
 * Schema and the sample file. With `--check` it writes nothing and tells what differs.
 *
 * @module
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { configJsonSchema } from "../src/config/json_schema.ts";
import { type AnyKey, ENV_PREFIX, FLAG_PREFIX } from "../src/config/key.ts";
import { KEY_LIST } from "../src/config/keys.ts";
import { sampleToml, toml } from "../src/config/sample.ts";
import { ROOT } from "../test/runtimes.ts";
import { table, withSection } from "./lib/markdown.ts";

const DOCUMENT = "docs/CONFIG.md";

const code = (text: string): string => "`" + text + "`";

function valuesTable(): string {
  const row = ({ path, type, default: otherwise, reload, doc }: AnyKey): string[] => {
    return [code(path), code(toml(otherwise)), type.legal, reload, doc];
  };
  return table([["key", "default", "legal", "reload", "what it is"], ...KEY_LIST.map(row)]);
}

function namesTable(): string {
  const row = ({ path, env, flag, type }: AnyKey): string[] => {
    const value = type.placeholder === "" ? "" : ` ${type.placeholder}`;
    const named = flag === undefined ? "none" : code(`--${FLAG_PREFIX}${flag}${value}`);
    return [code(path), code(ENV_PREFIX + env), named];
  };
  return table([["key", "environment", "flag"], ...KEY_LIST.map(row)]);
}

function withTables(document: string): string {
  const made = `${valuesTable()}\n\n### Names\n\n${namesTable()}`;
  return withSection(document, "keys", made, DOCUMENT);
}

/** Each generated file with what it must hold. */
function generated(): [path: string, text: string][] {
  return [
    [DOCUMENT, withTables(readFileSync(join(ROOT, DOCUMENT), "utf8"))],
    ["docs/schema/config.schema.json", JSON.stringify(configJsonSchema(), null, 2) + "\n"],
    ["docs/schema/ron-transport.toml", sampleToml()],
  ];
}

const check = process.argv.includes("--check");
let differing = 0;
for (const [path, text] of generated()) {
  const file = join(ROOT, path);
  if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
  differing++;
  if (check) console.log(`config: ${path} differs from src/config/keys.ts`);
  else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`config: wrote ${path}`);
  }
}
if (differing === 0) console.log("config: documents agree with the table of keys");
process.exitCode = check && differing > 0 ? 1 : 0;
