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

const DOCUMENT = "docs/CONFIG.md";
const BEGIN = "<!-- generated: keys -->";
const END = "<!-- end of generated -->";

/** A Markdown table, laid out as the formatter lays it out. */
function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const [head = [], ...body] = cells;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

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
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`${DOCUMENT}: has no ${BEGIN} and ${END}`);
  const made = `${BEGIN}\n\n${valuesTable()}\n\n### Names\n\n${namesTable()}\n\n`;
  return document.slice(0, begin) + made + document.slice(end);
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
