/**
 * Documents of governance, read with every fault told by its place.
 *
 * @module
 */

import { z } from "zod";
import { TransportError } from "../errors.ts";

/**
 * Reads a JSON document.
 *
 * @param where Its path, for messages.
 * @param text What it holds.
 * @param schema What it must be.
 * @throws {TransportError} `config_invalid` with all faults.
 */
export function faultsOf<T>(where: string, text: string, schema: z.ZodType<T>): T {
  const read = readJson(text, schema);
  if (read.ok) return read.value;
  const faults = read.faults.map((fault) => `${where}: ${fault}`).join("; ");
  throw new TransportError("config_invalid", faults, { op: "governance" });
}

/** What became of a document. */
export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly string[] };

/** The same, without throwing. */
export function readJson<T>(text: string, schema: z.ZodType<T>): Read<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, faults: [`is not JSON: ${(error as Error).message}`] };
  }
  const checked = schema.safeParse(value);
  if (checked.success) return { ok: true, value: checked.data };
  const faults = checked.error.issues.map((issue) => {
    const at = z.core.toDotPath(issue.path);
    const what = issue.code === "invalid_key" ? issue.issues[0]?.message : undefined;
    return at === "" ? issue.message : `${at}: ${what ?? issue.message}`;
  });
  return { ok: false, faults };
}
