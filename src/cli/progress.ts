/**
 * A progress bar on standard error, for people only.
 *
 * @module
 */

import { env, type Output } from "../runtime/host.ts";
import { bytesText } from "./figures.ts";

/** Shows how far work has come. */
export interface Progress {
  /** Says how much is done; draws at most ten times a second. */
  at(done: number): void;
  /** Wipes the bar. */
  end(): void;
}

/** Draws nothing. */
export const NO_PROGRESS: Progress = Object.freeze({ at: () => undefined, end: () => undefined });

const REDRAW_MS = 100;

/**
 * A bar for a known amount of work; nothing where no terminal is looking.
 *
 * @param err Where messages go.
 * @param label What is going on.
 * @param total All of the work, in bytes.
 * @param now Monotonic milliseconds.
 */
export function progressBar(
  err: Output,
  label: string,
  total: number,
  now: () => number = () => performance.now(),
): Progress {
  if (!err.terminal) return NO_PROGRESS;
  const start = now();
  let drawn = -Infinity;
  return {
    at(done) {
      const time = now();
      if (time - drawn < REDRAW_MS && done < total) return;
      drawn = time;
      const rate = time > start ? done / ((time - start) / 1_000) : 0;
      void err.write(`\r${paint(barText(label, done, total, rate, err.columns))}\x1b[K`);
    },
    end: () => void err.write("\r\x1b[K"),
  };
}

/** One frame of the bar, at most as wide as the terminal. */
export function barText(
  label: string,
  done: number,
  total: number,
  rate: number,
  columns: number,
): string {
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const tail = `${String(Math.floor(share * 100)).padStart(3)} %  ${bytesText(done)}  ${
    bytesText(rate)
  }/s`;
  const width = Math.min(30, columns - label.length - tail.length - 5);
  if (width < 5) return tail.slice(0, Math.max(0, columns - 1));
  return `${label} ${meter(share, width)} ${tail}`;
}

/** A share of a width. */
export function meter(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}

/** Text in the colour of progress, unless colours are not wanted. */
export function paint(text: string): string {
  return (env("NO_COLOR") ?? "") === "" ? `\x1b[36m${text}\x1b[0m` : text;
}
