/**
 * The index of a run: JSON for programs, Markdown and HTML for people.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StageResult } from "./stage.ts";

/** Everything about a run. */
export interface Report {
  readonly started: string;
  readonly ended: string;
  readonly hours: number;
  readonly command: string;
  readonly commit: string;
  /** Files that differ from the commit. */
  readonly changed: number;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly load: { readonly before: string; readonly after: string };
  readonly seed: number;
  readonly passed: boolean;
  readonly stages: readonly StageResult[];
  /** Folders of older runs that were removed. */
  readonly pruned: readonly string[];
}

const WORDS = { passed: "passed", failed: "FAILED", left_out: "left out" } as const;

/** Writes `index.json`, `index.md` and `index.html`. */
export function writeIndex(folder: string, report: Report): void {
  writeFileSync(join(folder, "index.json"), `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(join(folder, "index.md"), markdown(report));
  writeFileSync(join(folder, "index.html"), html(report));
}

/** The facts, as name and value. */
function facts(report: Report): (readonly [string, string])[] {
  const { started, ended, hours, command, commit, changed, machine, versions, load } = report;
  const dirty = changed === 0 ? "" : `, ${changed} files changed since`;
  return [
    ["result", report.passed ? "passed" : "FAILED"],
    ["time", `${started} to ${ended}, asked for ${hours} h`],
    ["command", command],
    ["commit", `${commit}${dirty}`],
    ["machine", machine],
    ["versions", Object.entries(versions).map(([name, value]) => `${name} ${value}`).join(", ")],
    ["load", `${load.before} before, ${load.after} after`],
    ["seed", String(report.seed)],
    ...(report.pruned.length === 0 ? [] : [["removed", report.pruned.join(", ")] as const]),
  ];
}

/** The index as Markdown. */
export function markdown(report: Report): string {
  const lines = ["# Nightly", "", ...facts(report).map(([name, value]) => `- ${name}: ${value}`)];
  lines.push("", "| stage | result | seconds |", "| ----- | ------ | ------- |");
  for (const { name, verdict, seconds } of report.stages) {
    lines.push(`| ${name} | ${WORDS[verdict]} | ${seconds} |`);
  }
  for (const { name, verdict, figures, faults, files } of report.stages) {
    lines.push("", `## ${name}: ${WORDS[verdict]}`, "");
    for (const fault of faults) lines.push(`- **${escape(fault)}**`);
    for (const [key, value] of Object.entries(figures)) {
      lines.push(`- ${key}: ${escape(String(value))}`);
    }
    if (files.length > 0) {
      lines.push(`- files: ${files.map((one) => `[${one}](${one})`).join(", ")}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function escape(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[*_`<|]/g, "\\$&");
}

function html(report: Report): string {
  const rows = facts(report).map(([name, value]) => `<tr><th>${safe(name)}<td>${safe(value)}`);
  const stages = report.stages.map(({ name, verdict, seconds, figures, faults, files }) => {
    const lines = [
      ...faults.map((fault) => `<li><b>${safe(fault)}</b>`),
      ...Object.entries(figures).map(([key, value]) => `<li>${safe(key)}: ${safe(String(value))}`),
      ...files.map((file) => `<li><a href="${encodeURI(file)}">${safe(file)}</a>`),
    ];
    return `<h2 class="${verdict}">${safe(name)}: ${WORDS[verdict]}, ${seconds} s</h2>` +
      `<ul>${lines.join("")}</ul>`;
  });
  const style = "body{font:14px sans-serif;max-width:70em;margin:2em auto}th{text-align:left;" +
    "padding-right:1em;vertical-align:top}.failed{color:#b00}.left_out{color:#777}";
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Nightly</title>` +
    `<style>${style}</style><h1>Nightly</h1><table>${rows.join("")}</table>${
      stages.join("")
    }</html>\n`;
}

function safe(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
}
