/**
 * Limits that callers may lower.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { TransportError } from "../errors.ts";
import { HEADER_BYTES } from "./frame.ts";

/**
 * A limit as a caller gave it, or its ceiling.
 *
 * @param name What messages call it.
 * @param value What the caller gave.
 * @param low The least legal value.
 * @param cap The ceiling, which is also the default.
 * @returns The limit to use.
 * @throws {TransportError} `config_invalid` outside `low` to `cap`.
 */
export function limit(name: string, value: number | undefined, low: number, cap: number): number {
  if (value === undefined) return cap;
  if (Number.isInteger(value) && value >= low && value <= cap) return value;
  throw new TransportError(
    "config_invalid",
    `Cannot use ${name} ${value}: an integer from ${low} to ${cap} is wanted`,
    {
      op: "configure",
    },
  );
}

/** The frame limit as a caller gave it. */
export function frameLimit(value: number | undefined): number {
  return limit("maxFrameBytes", value, HEADER_BYTES, CAPS.frameBytes);
}
