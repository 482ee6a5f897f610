/**
 * One attempt of the drill, and what came of it.
 *
 * @module
 */

import { ConfigError } from "../config/issues.ts";
import { TransportError } from "../errors.ts";

/** What came of an attempt. */
export interface Outcome {
  /** Whether it was refused, in the way that is expected. */
  readonly refused: boolean;
  /** What was said, in one line. */
  readonly how: string;
  /** What is on record of it, beside the drill's own record. */
  readonly audit?: string;
}

/** One attempt. */
export interface Attempt {
  readonly name: string;
  /** What must refuse it: the built library, or the check that merges pass. */
  readonly against: "library" | "check";
  readonly expects: string;
  run(): Promise<Outcome>;
}

/** An attempt with its outcome. */
export interface Tried extends Omit<Attempt, "run"> {
  readonly outcome: Outcome;
  /** ISO 8601. */
  readonly at: string;
}

/** Makes an attempt; one that ends in any other way than a refusal got through. */
export async function attempt({ run, ...about }: Attempt): Promise<Tried> {
  const at = new Date().toISOString();
  try {
    return { ...about, outcome: await run(), at };
  } catch (error) {
    const how = `ended otherwise: ${error instanceof Error ? error.message : String(error)}`;
    return { ...about, outcome: { refused: false, how: oneLine(how) }, at };
  }
}

/** The outcome of something that must throw an error of this kind. */
export async function mustThrow(kind: string, work: () => unknown): Promise<Outcome> {
  try {
    await work();
    return { refused: false, how: "it was taken" };
  } catch (error) {
    if (!TransportError.is(error)) {
      const name = error instanceof Error ? error.name : String(error);
      return { refused: kind === name, how: name };
    }
    const paths = error instanceof ConfigError
      ? [...new Set(error.issues.map(({ path }) => path))].join(", ")
      : oneLine(error.message);
    return { refused: error.kind === kind, how: `${error.kind}: ${paths}` };
  }
}

/** All of several outcomes: refused when each is. */
export function together(outcomes: readonly Outcome[]): Outcome {
  const through = outcomes.find(({ refused }) => !refused);
  const audit = outcomes.find((one) => one.audit !== undefined)?.audit;
  const how = through?.how ?? [...new Set(outcomes.map((one) => one.how))].join("; ");
  return {
    refused: through === undefined,
    how: oneLine(how),
    ...(audit === undefined ? {} : { audit }),
  };
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= 300 ? line : `${line.slice(0, 297)}...`;
}
