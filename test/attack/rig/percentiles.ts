/**
 * Middle and tail of some times.
 *
 * @module
 */

/** In the unit of the samples; 0 where there were none. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

/**
 * Sorts, and picks.
 *
 * @param samples Any number of them; their order is lost.
 */
export function percentiles(samples: number[]): Percentiles {
  samples.sort((a, b) => a - b);
  const at = (share: number): number =>
    samples[Math.min(samples.length - 1, Math.ceil(samples.length * share) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), most: samples.at(-1) ?? 0 };
}
