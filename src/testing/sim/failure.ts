/**
 * An invariant that a simulation found broken.
 *
 * @module
 */

/** Thrown by {@linkcode simulate}; the message has everything that is needed to see it again. */
export class SimulationFailure extends Error {
  /** The seed. */
  readonly seed: number;
  /** Which invariant broke. */
  readonly invariant: string;
  /** How. */
  readonly detail: string;
  /** The last events before it, oldest first. */
  readonly trace: readonly string[];

  /**
   * Makes the failure of a seed.
   *
   * @param seed The seed.
   * @param invariant Which invariant broke.
   * @param detail How.
   * @param trace The last events before it.
   */
  constructor(seed: number, invariant: string, detail: string, trace: readonly string[]) {
    super(
      `Seed ${seed} breaks "${invariant}": ${detail}\n` +
        `Replay it with: deno task sim --seed ${seed}\n` +
        `The last ${trace.length} events (ms, who, what):\n  ${trace.join("\n  ")}`,
    );
    this.name = "SimulationFailure";
    this.seed = seed;
    this.invariant = invariant;
    this.detail = detail;
    this.trace = trace;
  }
}
