/**
 * Histograms whose edges never change, as plain numbers.
 *
 * @module
 */

const SIZES = Object.freeze(Array.from({ length: 11 }, (_, i) => 1_024 * 2 ** i));

/** The upper edges of every histogram of this library. Frozen. Source: observability §1. */
export const EDGES: Readonly<
  Record<
    "handshakeSeconds" | "sizeBytes" | "throughputBytesPerSecond" | "oapFrameSeconds",
    readonly number[]
  >
> = Object.freeze({
  handshakeSeconds: Object.freeze([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2]),
  sizeBytes: SIZES,
  throughputBytesPerSecond: SIZES,
  oapFrameSeconds: Object.freeze([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]),
});

/** Counts observations by edge. */
export class Histogram {
  /** Upper edges, inclusive. */
  readonly edges: readonly number[];
  /** Observations up to each edge and above the one before; the last is above all edges. */
  readonly counts: number[];
  /** Of all observations. */
  sum = 0;

  /** @param edges Ascending upper edges. */
  constructor(edges: readonly number[]) {
    this.edges = edges;
    this.counts = new Array<number>(edges.length + 1).fill(0);
  }

  /** How many observations there are. */
  get count(): number {
    let n = 0;
    for (const count of this.counts) n += count;
    return n;
  }

  /** Counts an observation, or several of the same value. */
  observe(value: number, times: number = 1): void {
    const { edges, counts } = this;
    let i = 0;
    while (i < edges.length && value > edges[i]!) i++;
    counts[i]! += times;
    this.sum += value * times;
  }
}
