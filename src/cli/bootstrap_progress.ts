/**
 * How far Tor has bootstrapped: a bar where a person looks, a line a step elsewhere.
 *
 * @module
 */

import type { BootstrapProgress } from "../arti/backend.ts";
import type { Output } from "../runtime/host.ts";
import { meter, paint } from "./progress.ts";

/** Shows progress until it is ended. */
export interface BootstrapView {
  /** Something has changed. */
  at(progress: BootstrapProgress): void;
  /** Wipes the bar. */
  end(): void;
}

/** Steps of progress that make a line, where there is no bar. */
const STEP = 0.1;

/**
 * A view for people.
 *
 * @param err Where messages go.
 */
export function bootstrapView(err: Output): BootstrapView {
  let told = -STEP;
  let blocked: string | undefined;
  let over = false;
  return {
    at(progress) {
      if (over) return;
      if (err.terminal) {
        void err.write(`\r${paint(bootstrapText(progress, err.columns))}\x1b[K`);
        return;
      }
      if (progress.fraction - told < STEP && progress.blocked === blocked) return;
      told = progress.fraction;
      blocked = progress.blocked;
      void err.write(`${lineText(progress)}\n`);
    },
    end() {
      if (over) return;
      over = true;
      if (err.terminal) void err.write("\r\x1b[K");
    },
  };
}

/** The bar with what goes on, at most as wide as the terminal. */
export function bootstrapText(progress: BootstrapProgress, columns: number): string {
  const head = `Tor ${meter(progress.fraction, 20)} `;
  return (head + (progress.blocked ?? progress.summary)).slice(0, Math.max(0, columns - 1));
}

function lineText(progress: BootstrapProgress): string {
  const { blocked, summary } = progress;
  const what = blocked === undefined ? summary : `held up: ${blocked}`;
  return `Tor bootstraps: ${what}`;
}
