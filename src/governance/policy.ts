/**
 * The policy: who may change what, and what it takes. Read from `governance/policy.json`, which code,
 * documents and checks share.
 *
 * @module
 */

import { z } from "zod";
import { faultsOf } from "./faults.ts";

/** The class of a change: 0 is the gravest. */
export type Level = 0 | 1 | 2 | 3;
/** The class of a change, or that no approval makes it legal. */
export type LevelOrNever = Level | "never";
/** What a release has to step by. */
export type Step = "major" | "minor" | "patch" | "none";
/** How many maintainers have to approve: so many, or a share of all, rounded up. */
export type Quorum = { readonly votes: number } | { readonly share: readonly [number, number] };
/** Who can approve, and who is asked. */
export type Role = "maintainers" | "security" | "service_owners" | "release_manager" | "auditors";

/** What a class asks for. */
export interface ClassRule {
  /** What it is for, in words. */
  readonly covers: string;
  readonly maintainers: Quorum;
  readonly security: "always" | "signed areas" | "never";
  /** Time for review, on the review clock. */
  readonly review_hours: number;
  /** The least step of the version. */
  readonly release: Step;
}

/** What changes of one family of identifiers come to. */
export interface Family {
  /** What such an identifier is, in words. */
  readonly is: string;
  /** Where they live: files, and folders that end in `/`. */
  readonly files: readonly string[];
  readonly added: LevelOrNever;
  /** The step, where it is not that of the class. */
  readonly added_release?: Step | undefined;
  /** Of a value that holds all it held before; that of `changed` where absent. */
  readonly widened?: LevelOrNever | undefined;
  readonly widened_release?: Step | undefined;
  readonly changed: LevelOrNever;
  readonly removed: LevelOrNever;
  /** The quorum, where it is not that of the class. */
  readonly maintainers?: Quorum | undefined;
  /** Days of the calendar for review, beside the hours of the class. */
  readonly review_days?: number | undefined;
}

/** Paths and identifiers that security signs for. */
export interface SignedArea {
  /** Beginnings of paths. */
  readonly paths: readonly string[];
  /** Beginnings of names of configuration keys. */
  readonly identifiers: readonly string[];
}

/** The figures that hold whatever the code says. */
export interface FrozenFigures {
  readonly caps: Readonly<Record<string, number>>;
  readonly reasons: readonly string[];
  readonly readiness: readonly string[];
  readonly readiness_reasons: readonly string[];
  readonly kinds: readonly string[];
  readonly edges: Readonly<Record<string, readonly number[]>>;
  /** Fields that each audit event has at least. */
  readonly audit: Readonly<Record<string, readonly string[]>>;
  /** Labels that each of these metrics has at least. */
  readonly metrics: Readonly<Record<string, readonly string[]>>;
}

/** The whole policy. */
export interface Policy {
  readonly roles: Readonly<Record<Role, { readonly owns: readonly string[] }>>;
  readonly authority: readonly {
    readonly who: string;
    readonly may: string;
    readonly only: string;
  }[];
  readonly classes: Readonly<Record<Level, ClassRule>>;
  readonly families: Readonly<Record<string, Family>>;
  readonly signed_areas: Readonly<Record<string, SignedArea>>;
  /** Files of the check itself, and the class of a change of them. */
  readonly the_check: { readonly paths: readonly string[]; readonly class: Level };
  readonly review_clock: "hours of weekdays, UTC";
  readonly emergency: {
    readonly may: readonly string[];
    readonly entry_hours: number;
    readonly proposal_hours: number;
  };
  readonly post_release_audit: { readonly minutes: number; readonly checks: readonly string[] };
  readonly canary: { readonly handshake_p95_worse: number; readonly error_ratio: number };
  readonly objectives: Readonly<Record<string, number>>;
  readonly nightly: Readonly<Record<string, number>>;
  readonly drill: { readonly every: string; readonly pass: string };
  readonly custody: {
    readonly key_mode: string;
    readonly certificate_days: number;
    readonly token_days: number;
  };
  readonly appeal: {
    readonly triggers: readonly string[];
    readonly tie_break_hours: number;
    readonly tie_break: readonly Role[];
  };
  readonly frozen: FrozenFigures;
  readonly risks: readonly {
    readonly risk: string;
    readonly class: LevelOrNever;
    readonly guard: string;
  }[];
}

/** The roles. */
export const ROLE_NAMES: readonly Role[] = Object.freeze(
  ["maintainers", "security", "service_owners", "release_manager", "auditors"] as const,
);
/** Steps, the least first. */
export const STEPS: readonly Step[] = Object.freeze(["none", "patch", "minor", "major"] as const);
/** Where the policy is, from the root of a checkout. */
export const POLICY_FILE = "governance/policy.json" as const;

const WORDS = z.array(z.string());
const LEVEL: z.ZodType<Level> = z.literal([0, 1, 2, 3]);
const LEVEL_OR_NEVER: z.ZodType<LevelOrNever> = z.union([LEVEL, z.literal("never")]);
const STEP: z.ZodType<Step> = z.enum(STEPS);
const ROLE = z.enum(ROLE_NAMES);
const QUORUM: z.ZodType<Quorum> = z.union([
  z.strictObject({ votes: z.int().min(0) }),
  z.strictObject({ share: z.tuple([z.int().min(1), z.int().min(1)]) }),
]);
const CLASS: z.ZodType<ClassRule> = z.strictObject({
  covers: z.string(),
  maintainers: QUORUM,
  security: z.enum(["always", "signed areas", "never"]),
  review_hours: z.int().min(0),
  release: STEP,
});
const FAMILY: z.ZodType<Family> = z.strictObject({
  is: z.string(),
  files: WORDS,
  added: LEVEL_OR_NEVER,
  added_release: STEP.optional(),
  widened: LEVEL_OR_NEVER.optional(),
  widened_release: STEP.optional(),
  changed: LEVEL_OR_NEVER,
  removed: LEVEL_OR_NEVER,
  maintainers: QUORUM.optional(),
  review_days: z.int().min(1).optional(),
});
const POLICY: z.ZodType<Policy> = z.strictObject({
  roles: z.record(ROLE, z.strictObject({ owns: WORDS })),
  authority: z.array(z.strictObject({ who: z.string(), may: z.string(), only: z.string() })),
  classes: z.strictObject({ "0": CLASS, "1": CLASS, "2": CLASS, "3": CLASS }),
  families: z.record(z.string(), FAMILY),
  signed_areas: z.record(z.string(), z.strictObject({ paths: WORDS, identifiers: WORDS })),
  the_check: z.strictObject({ paths: WORDS, class: LEVEL }),
  review_clock: z.literal("hours of weekdays, UTC"),
  emergency: z.strictObject({
    may: WORDS,
    entry_hours: z.int().min(1),
    proposal_hours: z.int().min(1),
  }),
  post_release_audit: z.strictObject({ minutes: z.int().min(1), checks: WORDS }),
  canary: z.strictObject({ handshake_p95_worse: z.number(), error_ratio: z.number() }),
  objectives: z.record(z.string(), z.number()),
  nightly: z.record(z.string(), z.number()),
  drill: z.strictObject({ every: z.string(), pass: z.string() }),
  custody: z.strictObject({
    key_mode: z.string(),
    certificate_days: z.int(),
    token_days: z.int(),
  }),
  appeal: z.strictObject({
    triggers: WORDS,
    tie_break_hours: z.int().min(1),
    tie_break: z.array(ROLE),
  }),
  frozen: z.strictObject({
    caps: z.record(z.string(), z.int()),
    reasons: WORDS,
    readiness: WORDS,
    readiness_reasons: WORDS,
    kinds: WORDS,
    edges: z.record(z.string(), z.array(z.number())),
    audit: z.record(z.string(), WORDS),
    metrics: z.record(z.string(), WORDS),
  }),
  risks: z.array(z.strictObject({ risk: z.string(), class: LEVEL_OR_NEVER, guard: z.string() })),
});

/**
 * Reads the policy.
 *
 * @param text What `governance/policy.json` holds.
 * @throws {TransportError} `config_invalid` with each fault and its place.
 */
export function parsePolicy(text: string): Policy {
  return faultsOf(POLICY_FILE, text, POLICY);
}

/**
 * The policy as identifiers, so that a change of a rule is seen like any other.
 *
 * @param text What `governance/policy.json` holds; one that is no JSON has none.
 */
export function policyIdentifiers(text: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const walk = (value: unknown, path: string): void => {
    const table = typeof value === "object" && value !== null && !Array.isArray(value);
    if (!table) found[`policy:${path}`] = value;
    else for (const [k, v] of Object.entries(value)) walk(v, path === "" ? k : `${path}.${k}`);
  };
  try {
    walk(JSON.parse(text), "");
  } catch {
    return {};
  }
  return found;
}
