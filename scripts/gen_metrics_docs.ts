/**
 * Writes the table of metrics in `docs/METRICS.md` from the families that are exposed. With `--check` it
 * writes nothing and tells whether it differs.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { FAMILIES } from "../src/metrics/families.ts";
import type { Family } from "../src/metrics/family.ts";
import { ROOT } from "../test/runtimes.ts";
import { table, withSection } from "./lib/markdown.ts";

const DOCUMENT = "docs/METRICS.md";
const code = (text: string): string => "`" + text + "`";

/** Labels and all their values; those of `backend` are told below the table. */
function labelsOf({ labels }: Family): string {
  return Object.entries(labels).map(([label, values]) =>
    label === "backend" ? label : `${label} (${values.join(", ")})`
  ).join("; ");
}

function metricsTable(): string {
  const row = (family: Family): string[] => [
    code(family.name),
    family.type,
    labelsOf(family),
    family.help,
  ];
  return table([["name", "type", "labels", "what it is"], ...FAMILIES.map(row)]);
}

function edgesTable(): string {
  const rows = FAMILIES.flatMap((family) =>
    family.type === "histogram" ? [[code(family.name), family.edges.join(" ")]] : []
  );
  return table([["histogram", "upper edges"], ...rows]);
}

const file = join(ROOT, DOCUMENT);
const before = readFileSync(file, "utf8");
const made = `${metricsTable()}\n\n### Edges\n\n${edgesTable()}`;
const after = withSection(before, "metrics", made, DOCUMENT);
if (before === after) console.log(`metrics: ${DOCUMENT} agrees with what is exposed`);
else if (process.argv.includes("--check")) {
  console.log(`metrics: ${DOCUMENT} differs from src/metrics/families.ts`);
  process.exitCode = 1;
} else {
  writeFileSync(file, after);
  console.log(`metrics: wrote ${DOCUMENT}`);
}
