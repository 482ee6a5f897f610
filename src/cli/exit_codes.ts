/**
 * Exit codes, and which error ends in which.
 *
 * @module
 */

import { type ErrorKind, TransportError } from "../errors.ts";

/** What a run can come to. */
export type Ending = "ok" | "failure" | "usage" | "config" | "notReady" | "refused" | "interrupted";

/** The codes this program ends with. */
export const EXIT: Readonly<Record<Ending, number>> = Object.freeze({
  ok: 0,
  failure: 1,
  usage: 2,
  config: 3,
  notReady: 4,
  refused: 5,
  interrupted: 130,
});

/** The codes with what they mean, for help texts. */
export const EXIT_CODES: readonly { readonly code: number; readonly means: string }[] = Object
  .freeze([
    { code: EXIT.ok, means: "done" },
    { code: EXIT.failure, means: "failed" },
    { code: EXIT.usage, means: "the command line is wrong" },
    { code: EXIT.config, means: "the configuration is not valid" },
    { code: EXIT.notReady, means: "not ready" },
    { code: EXIT.refused, means: "refused by a limit" },
    { code: EXIT.interrupted, means: "interrupted while work was under way" },
  ]);

const BY_KIND: Readonly<Record<string, number>> = Object.freeze({
  misuse: EXIT.usage,
  config_invalid: EXIT.config,
  arti_bootstrap: EXIT.notReady,
  peer_limit: EXIT.refused,
  rate_limited: EXIT.refused,
  too_large: EXIT.refused,
  busy: EXIT.refused,
});

/**
 * The exit code for a kind of error.
 *
 * @param kind The kind.
 */
export function exitCodeOf(kind: ErrorKind): number {
  return Object.hasOwn(BY_KIND, kind) ? BY_KIND[kind] ?? EXIT.failure : EXIT.failure;
}

/** An error as the program ends with it. */
export interface Failure {
  /** One line: what, where and what to do. */
  readonly line: string;
  /** The exit code. */
  readonly code: number;
}

/**
 * Turns anything caught into one line and an exit code.
 *
 * @param error Anything caught.
 */
export function failureOf(error: unknown): Failure {
  const known = TransportError.from(error, "internal", { op: "command", origin: "library" });
  const line = known.message.replace(/\s+/g, " ").trim();
  return { line: `${line} [${known.kind}]`, code: exitCodeOf(known.kind) };
}
