/**
 * Reads metrics as Prometheus text or OpenMetrics, from a server or a file that need not be ours.
 *
 * @module
 */

/** One series of an exposition. */
export interface Sample {
  /** Its name; `_bucket`, `_sum` and `_count` included. */
  readonly name: string;
  /** Its labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Its value. */
  readonly value: number;
}

/** Most series that are read; the rest is left out. Ours are below 300. */
const MOST = 10_000;
const SERIES = /^([A-Za-z_:][\w:]*)(?:\{([^{}]*)\})?\s+(\S+)/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Reads an exposition; lines that are none are left out. */
export function parseExposition(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("#")) continue;
    const [, name, inside = "", number] = SERIES.exec(line) ?? [];
    const value = Number(number === "+Inf" ? Infinity : number);
    if (name === undefined || Number.isNaN(value)) continue;
    if (samples.length >= MOST) break;
    const labels = Object.fromEntries(
      Array.from(inside.matchAll(LABEL), ([, key, text]) => [key!, harmless(text!)]),
    );
    samples.push({ name, labels, value });
  }
  return samples;
}

/** Nothing that a terminal would act on. */
function harmless(text: string): string {
  return text.replace(/[^\w.+ -]/g, "?").slice(0, 64);
}
