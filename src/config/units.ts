/**
 * Durations and sizes as configuration writes them: `5s`, `250ms`, `64KiB`.
 *
 * Strict on purpose: whole numbers only, a unit for every duration, no signs, no blanks.
 *
 * @module
 */

/** The form of a duration. */
export const DURATION: RegExp = /^(0|[1-9][0-9]*)(ms|s|m|h)$/;
/** The form of a size as text. */
export const SIZE: RegExp = /^(0|[1-9][0-9]*)(B|KiB|MiB)?$/;
const MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1_024, MiB: 1_048_576 };

/**
 * Parses a duration such as `250ms`, `5s`, `2m` or `1h`.
 *
 * @param text The text.
 * @returns Milliseconds, or `undefined` if the text is not a duration or too large to be exact.
 */
export function parseDuration(text: string): number | undefined {
  return scaled(DURATION.exec(text), MS, "");
}

/**
 * Parses a size such as `4096`, `4096B`, `64KiB` or `1MiB`; a bare number is bytes.
 *
 * @param value The text, or a whole number of bytes.
 * @returns Bytes, or `undefined` if it is not a size or too large to be exact.
 */
export function parseSize(value: string | number): number | undefined {
  if (typeof value === "number") {
    return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  }
  return scaled(SIZE.exec(value), BYTES, "B");
}

/** The shortest exact form of a duration: the largest unit that divides it. */
export function formatDuration(ms: number): string {
  return formatted(ms, MS, "ms");
}

/** The shortest exact form of a size. */
export function formatSize(bytes: number): string {
  return formatted(bytes, BYTES, "B");
}

function scaled(
  match: RegExpExecArray | null,
  units: Readonly<Record<string, number>>,
  bare: string,
): number | undefined {
  if (match === null) return undefined;
  const value = Number(match[1]) * (units[match[2] ?? bare] ?? NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

function formatted(value: number, units: Readonly<Record<string, number>>, least: string): string {
  let best = least;
  for (const [unit, size] of Object.entries(units)) {
    if (value > 0 && value % size === 0 && size > units[best]!) best = unit;
  }
  return `${value / units[best]!}${best}`;
}
