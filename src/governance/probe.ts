/**
 * What the library that runs here is: its ceilings, names and edges, asked of it and not read from its
 * sources, and what it refuses, tried out.
 *
 * `governance check` copies this file into other revisions, so it imports modules of the library only.
 *
 * @module
 */

import { KINDS, Transport } from "../../mod.ts";
import { type AuditEvent, policyChanged } from "../audit/mod.ts";
import { KEY_LIST } from "../config/keys.ts";
import { Histogram } from "../histogram.ts";
import { FAMILIES } from "../metrics/families.ts";
import { createMetrics } from "../metrics/mod.ts";
import { ALPN, encodeFrame, FAULTS, FLAGS, HEADER_BYTES, HELLO_BYTES } from "../oap/mod.ts";
import { VERSION } from "../oap/frame.ts";
import type { Found, ProbeJson as Json } from "./found.ts";
import { type GuardFigures, guardOutcomes, outcome } from "./probe_guard.ts";
import { moduleFacts } from "./probe_module.ts";

/**
 * Asks the library.
 *
 * @param figures The ceilings that the policy fixes: what is above them must be refused.
 */
export async function probe(figures: GuardFigures): Promise<Found> {
  const facts = await moduleFacts();
  const found: Record<string, Json> = {};
  for (const [name, value] of Object.entries(facts.module)) found[`cap:${name}`] = value;
  found["artefact:sha256"] = facts.sha256;
  const guards = await guardOutcomes(figures);
  for (const [name, outcome] of Object.entries(guards)) found[`guard:${name}`] = outcome;
  for (const [kind, { reason = null, retry }] of Object.entries(KINDS)) {
    found[`kind:${kind}`] = { reason, retry };
  }
  for (const [fault, { kind, reason, status }] of Object.entries(FAULTS)) {
    found[`fault:${fault}`] = { kind, reason, status };
  }
  Object.assign(found, await wire(), configuration(), await exposition(), await auditFields());
  return {
    identifiers: found,
    ceilings: { module: facts.module, library: facts.library },
    expectedSha256: facts.expectedSha256,
  };
}

async function wire(): Promise<Record<string, Json>> {
  const frame = await outcome(() =>
    hex(encodeFrame({
      flags: FLAGS.REQ | FLAGS.START | FLAGS.END,
      code: 0x1234,
      appProtoId: 0x5678,
      tenantId: 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10n,
      corrId: 0x1112_1314_1516_1718n,
      capability: new Uint8Array([0xca]),
      payload: new Uint8Array([0xfe]),
    }))
  );
  const flags = Object.entries(FLAGS).map(([name, bit]): [string, Json] => [
    `wire:flags.${name}`,
    bit,
  ]);
  return {
    ...Object.fromEntries(flags),
    "wire:version": VERSION,
    "wire:header_bytes": HEADER_BYTES,
    "wire:hello_bytes": HELLO_BYTES,
    "wire:alpn": ALPN,
    // All fields with bytes of their own: a field that moves is seen.
    "wire:frame": frame,
  };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function configuration(): Record<string, Json> {
  const found: Record<string, Json> = {};
  for (const { path, type, default: otherwise, reload, env, flag = null } of KEY_LIST) {
    found[`default:${path}`] = otherwise as Json;
    found[`range:${path}`] = type.legal;
    found[`setting:${path}`] = { env, flag };
    found[`reload:${path}`] = reload;
  }
  return found;
}

const TYPE = /^# TYPE (\w+) (\w+)$/;
const SAMPLE = /^(\w+?)(_bucket)?(?:\{(.*)\})? \S+$/;

/**
 * Metrics as a scrape shows them once all that can be counted was: series come with what they count. The
 * values of labels are those and the closed sets that the registry declares.
 */
async function exposition(): Promise<Record<string, Json>> {
  const metrics = createMetrics();
  const transports = [new Transport(), new Transport({ backend: "tls", tls: { enabled: true } })];
  try {
    for (const transport of transports) {
      const { counters } = metrics.watch(transport) && transport.stats();
      for (const backend of ["tcp", "tls", "arti"]) countOnce(counters.of(backend));
    }
    const found: Record<string, Json> = {};
    const seen = new Map<string, Set<string>>();
    const see = (key: string, value: string): void => {
      seen.set(key, (seen.get(key) ?? new Set()).add(value));
    };
    let family = "";
    for (const line of (await metrics.text()).split("\n")) {
      const [, name, type = ""] = TYPE.exec(line) ?? [];
      if (name !== undefined) found[`metric:${family = name}`] = type;
      const sample = line.startsWith("#") ? null : SAMPLE.exec(line);
      if (sample === null) continue;
      for (const [, label = "", value = ""] of (sample[3] ?? "").matchAll(/(\w+)="([^"]*)"/g)) {
        see(label === "le" ? `edges:${family}` : `label:${family}.${label}`, value);
      }
    }
    for (const family of FAMILIES) {
      const { name } = family;
      // One that is not shown with so much in use is frozen as well.
      if (family.type === "histogram") found[`edges:${name}`] = [...family.edges];
      for (const [label, values] of Object.entries(family.labels)) {
        for (const value of values) see(`label:${name}.${label}`, value);
      }
    }
    for (const [key, values] of seen) {
      found[key] = key.startsWith("edges:")
        ? [...values].filter((edge) => edge !== "+Inf").map(Number)
        : [...values].sort();
    }
    for (const reason of seen.get("label:rejected_total.reason") ?? []) {
      found[`reason:${reason}`] = true;
    }
    return found;
  } finally {
    await Promise.all(transports.map((transport) => transport.close()));
  }
}

/** Adds one to every figure, and one observation to every histogram. */
function countOnce(figures: object): void {
  for (const [name, value] of Object.entries(figures)) {
    if (typeof value === "number") Object.assign(figures, { [name]: value + 1 });
    else if (value instanceof Histogram) value.observe(1);
    else countOnce(value);
  }
}

/** The fields that events have when they come. */
async function auditFields(): Promise<Record<string, Json>> {
  const events: AuditEvent[] = [
    policyChanged({
      class: 2,
      old: "a",
      new: "b",
      actor: "probe",
      pr: "none",
      commit: "none",
      ts: "2026-01-05T10:00:00Z",
    }),
  ];
  const transport = new Transport({}, { onAudit: (event) => void events.push(event) });
  transport.reload({ max_conns: 7 });
  await transport.close();
  await new Promise((resolve) => setTimeout(resolve));
  const fields = events.flatMap((event) =>
    Object.keys(event).filter((field) => field !== "event").map((field) =>
      `${event.event}.${field}`
    )
  );
  return Object.fromEntries(fields.map((field) => [`audit:${field}`, true]));
}
