/**
 * The figures that the policy fixes, held against every place that has them.
 *
 * @module
 */

import type { Found } from "./found.ts";
import type { Identifiers } from "./identifiers.ts";
import type { Json } from "./log.ts";
import { type FrozenFigures, POLICY_FILE } from "./policy.ts";
import type { Refusal } from "./refusal.ts";

/** Where the ceilings stand in Rust, from the root of a checkout. */
export const RUST_CAPS = "wasm/core/src/caps.rs" as const;

/** Every place that has the ceilings. */
export interface Ceilings {
  readonly found: Pick<Found, "ceilings" | "expectedSha256">;
  /** SHA-256 of the module's bytes. */
  readonly sha256: Json | undefined;
  /** The text of {@linkcode RUST_CAPS}. */
  readonly rust: string;
}

const RUST = /^pub const ([A-Z_]+): usize = ([\d_]+);$/gm;

/** The ceilings in the Rust source, by their names in TypeScript. */
export function rustCaps(source: string): Record<string, number> {
  return Object.fromEntries(
    [...source.matchAll(RUST)].map(([, name = "", value = ""]) => [
      name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      Number(value.replaceAll("_", "")),
    ]),
  );
}

/**
 * Ceilings that are not what the policy fixes, by the file that has another figure, and a module that is
 * not the one the library expects. They fail at once.
 */
export function* ceilingFaults(frozen: FrozenFigures, ceilings: Ceilings): Iterable<Refusal> {
  const { found, sha256, rust } = ceilings;
  const places: [string, Readonly<Record<string, number>>][] = [
    [RUST_CAPS, rustCaps(rust)],
    ["src/oap/hot_wasm.ts", found.ceilings.module],
    ["src/caps.ts", found.ceilings.library],
  ];
  for (const [file, has] of places) {
    for (const name of new Set([...Object.keys(frozen.caps), ...Object.keys(has)])) {
      const [want, got] = [frozen.caps[name], has[name]];
      if (want === got) continue;
      const raised = want !== undefined && (got === undefined || got > want);
      yield {
        file,
        identifier: `cap:${name}`,
        old: want,
        new: got,
        class: 0,
        missing: `${raised ? "a ceiling is raised: " : ""}it is not what ${POLICY_FILE} fixes`,
        remedy:
          "put it back; another figure is a change of class 0 with a major release, made in " +
          "Rust, in the module, in TypeScript and in the policy together",
        immediate: true,
      };
    }
  }
  if (sha256 === found.expectedSha256) return;
  yield {
    file: "src/oap/hot_wasm.ts",
    identifier: "artefact:sha256",
    old: found.expectedSha256,
    new: sha256,
    class: 0,
    missing: "the module is not the one whose digest stands beside it",
    remedy: "build it with `deno task wasm`",
    immediate: true,
  };
}

/** Names and edges that are not what the policy fixes. They fail at once. */
export function* frozenFaults(frozen: FrozenFigures, identifiers: Identifiers): Iterable<Refusal> {
  const fault = (identifier: string, old: Json | undefined, now: Json | undefined): Refusal => ({
    file: POLICY_FILE,
    identifier,
    old,
    new: now,
    class: 0,
    missing: `the library is not what ${POLICY_FILE} fixes`,
    remedy: "put it back; another one is a change of class 0, made in both together",
    immediate: true,
  });
  const sets: [string, readonly string[]][] = [
    ["reason", frozen.reasons],
    ["readiness", frozen.readiness],
    ["readiness_reason", frozen.readiness_reasons],
  ];
  for (const [family, names] of sets) {
    const has = Object.keys(identifiers).filter((name) => name.startsWith(`${family}:`));
    const want = names.map((name) => `${family}:${name}`);
    for (const name of want) if (!has.includes(name)) yield fault(name, true, undefined);
    for (const name of has) if (!want.includes(name)) yield fault(name, undefined, true);
  }
  const least = [
    ...frozen.kinds.map((kind) => `kind:${kind}`),
    ...Object.entries(frozen.audit).flatMap(([event, fields]) =>
      fields.map((field) => `audit:${event}.${field}`)
    ),
    ...Object.entries(frozen.metrics).flatMap(([metric, labels]) =>
      labels.map((label) => `label:${metric}.${label}`)
    ),
  ];
  for (const name of least) if (!(name in identifiers)) yield fault(name, true, undefined);
  for (const [metric, edges] of Object.entries(frozen.edges)) {
    const has = identifiers[`edges:${metric}`];
    if (JSON.stringify(has) !== JSON.stringify(edges)) {
      yield fault(`edges:${metric}`, [...edges], has);
    }
  }
}

/** Attempts that got through: no snapshot and no policy makes that legal. */
export function* guardFaults(identifiers: Identifiers): Iterable<Refusal> {
  for (const [identifier, outcome] of Object.entries(identifiers)) {
    if (!identifier.startsWith("guard:") || identifier === ALLOWED) continue;
    const text = String(outcome);
    const refused = identifier.endsWith("name the guard or a ceiling")
      ? text === "none"
      : !/came out|allowed|answered/.test(text);
    if (refused) continue;
    yield {
      file: "src/oap/guard.ts",
      identifier,
      old: "refused",
      new: outcome,
      class: "never",
      missing: "the guard lets it through, and no approval makes that legal",
      remedy: "put the refusal back",
      immediate: true,
    };
  }
}

/** The one attempt that must succeed: a guard that refuses everything guards nothing of use. */
const ALLOWED = "guard:inflate: as much as the ratio allows";
