/**
 * What a checkout is: the identifiers of the library as it runs there, and the documents of governance.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { type Api, readApi } from "../governance/api.ts";
import type { Doc } from "../governance/doc_json.ts";
import { familyOf, type Identifiers } from "../governance/identifiers.ts";
import type { Json } from "../governance/log.ts";
import { POLICY_FILE } from "../governance/policy.ts";
import type { Found } from "../governance/found.ts";
import { fileUrl, join, readTextIfAny, sha256 } from "../runtime/host_files.ts";
import { findRuntime } from "../runtime/host_child.ts";
import { type Ran, runProgram } from "../runtime/host_run.ts";
import { processFacts } from "../runtime/host.ts";

/** What a checkout is. */
export interface Extract {
  /** What the snapshot holds. */
  readonly identifiers: Identifiers;
  /** Files that exports were found in. */
  readonly files: Api["files"];
  readonly ceilings: Found["ceilings"];
  readonly expectedSha256: string;
}

/** Programs and modules of the probe, which are copied into other revisions. */
export const PROBE_FILES: readonly string[] = Object.freeze(
  ["probe_main.ts", "probe.ts", "probe_guard.ts", "probe_module.ts", "found.ts"].map((name) =>
    `src/governance/${name}`
  ),
);

const DENO_VERSION = "deno@2.9.5";

/**
 * Runs the library of a checkout and reads its API. Both are done by Deno, which runs TypeScript as it is.
 *
 * @param root The checkout.
 * @param caps The ceilings that its policy fixes.
 * @throws {TransportError} `internal` when it cannot be run, with the first line of what it said.
 */
export async function extract(
  root: string,
  caps: Readonly<Record<string, number>>,
): Promise<Extract> {
  const manifest = JSON.parse(await readTextIfAny(join(root, "deno.json")) ?? "{}");
  const entries = manifest.exports as Record<string, string>;
  const permissions = [
    "--no-prompt",
    "--allow-read",
    "--allow-env",
    "--allow-sys",
    "--allow-net=127.0.0.1",
  ];
  const [probed, documented] = await Promise.all([
    // manual: another revision must never install into the node_modules it was lent
    deno(root, [
      "run",
      "--quiet",
      "--no-lock",
      "--node-modules-dir=manual",
      ...permissions,
      PROBE_FILES[0]!,
      JSON.stringify(caps),
    ]),
    deno(root, ["doc", "--json", "--quiet", ...Object.values(entries)]),
  ]);
  const found = JSON.parse(mustHave(probed, "the library does not run")) as Found;
  const doc = JSON.parse(mustHave(documented, "the API cannot be read")) as Doc;
  const api = readApi(doc, entries, `${fileUrl(root)}/`);
  const policy = await readTextIfAny(join(root, POLICY_FILE));
  return {
    identifiers: {
      ...found.identifiers as Record<string, Json>,
      ...api.identifiers,
      ...(policy === undefined ? {} : { "policy:digest": digestOf(policy) }),
    },
    files: api.files,
    ceilings: found.ceilings,
    expectedSha256: found.expectedSha256,
  };
}

/** The families that the snapshot holds, as they are read of a checkout. */
export function inSnapshot(identifier: string): boolean {
  return !["role", "invariant", "tested", "path"].includes(familyOf(identifier)) &&
    (familyOf(identifier) !== "policy" || identifier === "policy:digest");
}

function digestOf(text: string): string {
  const digest = sha256();
  digest.update(new TextEncoder().encode(text));
  return digest.hex();
}

function mustHave({ code, stdout, stderr }: Ran, what: string): string {
  if (code === 0) return stdout;
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const said = lines.find((line) => /error|cannot/i.test(line)) ?? lines[0] ?? `exit code ${code}`;
  throw new TransportError("internal", `${what}: ${said}`, { op: "governance" });
}

/** Deno: this program's own, one beside the package or on PATH, else by npx. */
function deno(cwd: string, args: readonly string[]): Promise<Ran> {
  const own = processFacts();
  const program = own.runtime === "deno" ? own.executable : findRuntime("deno");
  const options = { cwd, timeoutMs: 300_000, env: { DENO_NO_UPDATE_CHECK: "1" } };
  return program === undefined
    ? runProgram("npx", ["-y", DENO_VERSION, ...args], options)
    : runProgram(program, args, options);
}
