/**
 * Figures as people read them.
 *
 * @module
 */

const MIB = 1_048_576;

/** Bytes, with the largest binary unit that keeps a whole part: `61.3 MiB`. */
export function bytesText(bytes: number): string {
  const size = Math.abs(bytes);
  if (size >= MIB) return `${(bytes / MIB).toFixed(1)} MiB`;
  if (size >= 1_024) return `${(bytes / 1_024).toFixed(1)} KiB`;
  return `${bytes} B`;
}

/** Milliseconds: `0.04 ms`, `3.2 ms`, `512 ms`. */
export function msText(ms: number): string {
  return `${ms.toFixed(ms < 1 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

/** A share of a whole in percent: `37.5 %`; `-` of nothing. */
export function shareText(part: number, whole: number): string {
  return whole === 0 ? "-" : `${(100 * part / whole).toFixed(1)} %`;
}

/** MiB a second. */
export function mibPerSecond(bytes: number, seconds: number): number {
  return seconds > 0 ? bytes / MIB / seconds : 0;
}

/** Rounds to a number of decimals, for JSON. */
export function rounded(value: number, decimals: number = 3): number {
  return Number(value.toFixed(decimals));
}
