/**
 * Checks that the two manifests describe one package: entries, dependencies, version, licence.
 *
 * @module
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "../test/runtimes.ts";

interface DenoJson {
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

interface PackageJson {
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string | { types: string; default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly bin: Readonly<Record<string, string>>;
}

function json<T>(root: string, path: string): T {
  return JSON.parse(readFileSync(join(root, path), "utf8")) as T;
}

function* entries(root: string, deno: DenoJson, npm: PackageJson): Iterable<string> {
  for (const [entry, source] of Object.entries(deno.exports)) {
    if (!existsSync(join(root, source))) {
      yield `deno.json: "${entry}" is ${source}, which does not exist`;
    }
    const compiled = source.replace(/^\.\//, "./dist/").replace(/\.ts$/, "");
    const want = { types: `${compiled}.d.ts`, default: `${compiled}.js` };
    const have = npm.exports[entry];
    if (JSON.stringify(have) !== JSON.stringify(want)) {
      yield `package.json: "${entry}" is ${JSON.stringify(have)}, and must be ${
        JSON.stringify(want)
      } as deno.json has ${source}`;
    }
  }
  for (const entry of Object.keys(npm.exports)) {
    if (entry === "./package.json" || entry in deno.exports) continue;
    yield `package.json: "${entry}" is not an entry of deno.json`;
  }
  for (const [name, target] of Object.entries(npm.bin)) {
    const source = target.replace(/^\.\/dist\//, "").replace(/\.js$/, ".ts");
    if (!existsSync(join(root, source))) {
      yield `package.json: bin ${name} needs ${source}: not there`;
    } else if (!readFileSync(join(root, source), "utf8").startsWith("#!/usr/bin/env node\n")) {
      yield `${source}: must start with "#!/usr/bin/env node", as bin ${name} runs it`;
    }
  }
}

function* dependencies(deno: DenoJson, npm: PackageJson): Iterable<string> {
  const ours = new Map<string, string>();
  for (const [name, target] of Object.entries(deno.imports)) {
    const match = /^npm:((?:@[^/@]+\/)?[^/@]+)@([^/]+)$/.exec(target);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    if (match[1] !== name) yield `deno.json: import "${name}" is another package, ${target}`;
    ours.set(name, match[2]);
  }
  for (const [name, version] of ours) {
    const optional = npm.peerDependenciesMeta[name]?.optional === true;
    const theirs = optional ? npm.devDependencies[name] : npm.dependencies[name];
    if (theirs !== version) {
      yield `package.json: dependency ${name} is ${theirs ?? "missing"}, deno.json has ${version}`;
    }
  }
  for (const name of Object.keys(npm.dependencies)) {
    if (!ours.has(name)) yield `package.json: dependency ${name} is not in deno.json's imports`;
  }
}

/** Other files that repeat the version, and how to find it there. */
const VERSIONS: readonly (readonly [string, RegExp])[] = [
  ["package.json", /"version": "([^"]+)"/],
  ["src/cli/version.ts", /VERSION: string = "([^"]+)"/],
  ["wasm/Cargo.toml", /^version = "([^"]+)"/m],
];

function* versions(root: string, deno: DenoJson): Iterable<string> {
  for (const [path, pattern] of VERSIONS) {
    if (!existsSync(join(root, path))) {
      yield `${path}: does not exist`;
      continue;
    }
    const found = pattern.exec(readFileSync(join(root, path), "utf8"))?.[1];
    if (found !== deno.version) {
      yield `${path}: version is ${found ?? "not found"}, deno.json has ${deno.version}`;
    }
  }
}

/**
 * Checks a tree.
 *
 * @param root The checkout, or a copy of it.
 * @returns One line for each difference.
 */
export function checkExports(root: string): string[] {
  const deno = json<DenoJson>(root, "deno.json");
  const npm = json<PackageJson>(root, "package.json");
  const problems = [
    ...entries(root, deno, npm),
    ...dependencies(deno, npm),
    ...versions(root, deno),
  ];
  if (deno.license !== npm.license) {
    problems.push(`package.json: license is ${npm.license}, deno.json has ${deno.license}`);
  }
  return problems;
}

if (import.meta.main) {
  const problems = checkExports(process.argv[2] ?? ROOT);
  for (const problem of problems) console.log(`exports: ${problem}`);
  if (problems.length === 0) console.log("exports: the manifests agree");
  process.exitCode = problems.length === 0 ? 0 : 1;
}
