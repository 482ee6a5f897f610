/**
 * The one description of the configuration: types, ranges and defaults.
 *
 * @module
 */

import { z } from "zod";
import { CAPS } from "../caps.ts";
import { TransportError } from "../errors.ts";
import type { ConfigIssue, ConfigSnapshot, TransportConfig } from "./config.ts";
import { formatSize, parseDuration, parseSize } from "./units.ts";

/** `config_invalid`, with every fault that was found. */
export class ConfigError extends TransportError {
  /** All faults, in the order of the document. */
  readonly issues: readonly ConfigIssue[];

  /**
   * Makes one error of all faults.
   *
   * @param issues At least one fault.
   */
  constructor(issues: readonly ConfigIssue[]) {
    super("config_invalid", issues.map(line).join("; "), { op: "config" });
    this.name = "ConfigError";
    this.issues = issues;
  }
}

/**
 * Validates a configuration and fills in the defaults. Nothing is clamped: a value above a ceiling
 * is an error.
 *
 * @param input What a caller passed; only own properties count.
 * @returns A deep-frozen snapshot that shares nothing with the input.
 * @throws {ConfigError} `config_invalid` with all faults at once.
 */
export function parseConfig(input: TransportConfig = {}): ConfigSnapshot {
  const own = ownProperties(input, 3) as TransportConfig;
  const result = SCHEMA.safeParse(own, { reportInput: true });
  const issues = result.success ? [] : result.error.issues.flatMap(toIssues);
  issues.push(...crossChecks(own));
  if (!result.success || issues.length > 0) throw new ConfigError(issues);
  return deepFreeze(result.data);
}

type DurationType = z.ZodPipe<z.ZodPrefault<z.ZodString>, z.ZodTransform<number, string>>;
type SizeType = z.ZodPipe<
  z.ZodPrefault<z.ZodUnion<readonly [z.ZodString, z.ZodNumber]>>,
  z.ZodTransform<number, string | number>
>;

const duration = (least: number, otherwise: string): DurationType =>
  z.string("must be a duration such as 250ms, 5s or 2m").prefault(otherwise).transform(
    (text, context) => {
      const ms = parseDuration(text);
      if (ms !== undefined && ms >= least) return ms;
      const bound = least > 1 ? `of at least ${least / 1000}s` : "above 0";
      context.addIssue(`must be a duration ${bound}, written like 250ms, 5s or 2m`);
      return z.NEVER;
    },
  );

const size = (least: number, most: number, otherwise: string): SizeType =>
  z.union([z.string(), z.number()], "must be a size such as 64KiB or 65536").prefault(otherwise)
    .transform((value, context) => {
      const bytes = parseSize(value);
      if (bytes !== undefined && bytes >= least && bytes <= most) return bytes;
      const cap = most === CAPS.frameBytes || most === CAPS.chunkBytes
        ? " (the upper bound is built in: configuration can only lower it)"
        : "";
      context.addIssue(`must be ${formatSize(least)} to ${formatSize(most)}${cap}`);
      return z.NEVER;
    });

/** A rate per second; 0 is off. The largest number that counts exactly bounds it. */
const rate = (): z.ZodDefault<z.ZodInt> =>
  z.int("must be a whole number per second, 0 for none").min(0, "must be at least 0 (off)")
    .default(0);

const SCHEMA = z.strictObject({
  backend: z.enum(["tcp", "tls"], "must be tcp or tls").default("tcp"),
  bind_addr: z.string("must be ip:port, or null for a transport that only dials").regex(
    /^(\[[0-9a-fA-F:.]+\]|[0-9.]+):[0-9]{1,5}$/,
    "must be ip:port, such as 127.0.0.1:0 or [::1]:7000",
  ).nullable().default("127.0.0.1:0"),
  max_conns: z.int("must be a whole number").min(1, "must be at least 1")
    .max(4_294_967_295, "must fit 32 bits").default(1_024),
  read_timeout: duration(1, "5s"),
  write_timeout: duration(1, "5s"),
  idle_timeout: duration(1_000, "60s"),
  handshake_timeout: duration(1, "5s"),
  dial_timeout: duration(1, "5s"),
  limits: z.strictObject({
    max_frame_bytes: size(65_536, CAPS.frameBytes, "1MiB"),
    chunk_bytes: size(4_096, CAPS.chunkBytes, "64KiB"),
  }).prefault({}),
  rates: z.strictObject({
    per_conn_bytes_per_sec: rate(),
    per_peer_bytes_per_sec: rate(),
    global_egress_bytes_per_sec: rate(),
    global_ingress_bytes_per_sec: rate(),
    accepts_per_sec: rate(),
    per_peer_accepts_per_sec: rate(),
  }).prefault({}),
  per_peer: z.strictObject({
    max_conns: z.int("must be a whole number").min(0, "must be at least 0 (off)")
      .max(4_294_967_295, "must fit 32 bits").default(256),
  }).prefault({}),
  tls: z.strictObject({
    enabled: z.boolean("must be true or false").default(false),
  }).prefault({}),
  tls_client: z.strictObject({
    sni_override: z.string("must be a host name").default(""),
    alpn: z.array(
      z.string().min(1, "must name a protocol").max(255, "must be at most 255 bytes"),
      "must be a list of protocol names",
    ).max(16, "must name at most 16 protocols").default([]),
  }).prefault({}),
});

/** Rules between keys; run even when single keys fail, so that all faults show at once. */
function crossChecks(input: TransportConfig): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const backend = input?.backend ?? "tcp";
  const enabled = input?.tls?.enabled ?? false;
  if (backend === "tls" && enabled === false) {
    issues.push({
      path: "tls.enabled",
      rule: 'must be true with backend "tls"',
      got: "false",
    });
  }
  if (backend === "tcp" && enabled === true) {
    issues.push({
      path: "tls.enabled",
      rule: 'must be false with backend "tcp": set backend = "tls"',
      got: "true",
    });
  }
  const { max_frame_bytes = CAPS.frameBytes, chunk_bytes = CAPS.chunkBytes } = input?.limits ?? {};
  const frame = parseSize(max_frame_bytes);
  const chunk = parseSize(chunk_bytes);
  // Only between sizes that are legal alone: one fault is told once.
  const legal = frame !== undefined && chunk !== undefined && frame >= 65_536 &&
    chunk <= CAPS.chunkBytes;
  if (legal && chunk > frame) {
    issues.push({
      path: "limits.chunk_bytes",
      rule: `must be at most limits.max_frame_bytes (${formatSize(frame!)})`,
      got: formatSize(chunk!),
    });
  }
  return issues;
}

/** A copy by own enumerable properties, down to `depth` tables; what lies deeper is no legal value. */
function ownProperties(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth === 0) return value;
  if (Array.isArray(value)) return [...value];
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, ownProperties(part, depth - 1)]),
  );
}

function toIssues(issue: z.core.$ZodIssue): ConfigIssue[] {
  const path = z.core.toDotPath(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: path === "" ? key : `${path}.${key}`,
      rule: "is not a key of this version: remove it, or correct its name",
      got: show(Object.getOwnPropertyDescriptor(issue.input ?? {}, key)?.value),
    }));
  }
  return [{ path, rule: issue.message, got: show(issue.input) }];
}

function line(issue: ConfigIssue): string {
  return `${issue.path === "" ? "configuration" : issue.path} ${issue.rule}, got ${issue.got}`;
}

/** A given value in at most 64 characters. Material never passes here: it comes through callbacks. */
function show(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? "a list" : "a table";
  }
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 64 ? `${text.slice(0, 61)}...` : text;
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null) deepFreeze(part);
  }
  return Object.freeze(value);
}
