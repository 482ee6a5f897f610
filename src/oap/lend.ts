/**
 * Lending a batch to a callback.
 *
 * @module
 */

import type { FramePool } from "./assembly.ts";
import { BorrowedBatch } from "./batch.ts";
import { copyRuns, type Run } from "./found.ts";
import type { Source } from "./source.ts";

/** What a spoilt byte is. */
const SPOILT = 0xdb;

/** Whom to lend to, and where memory goes back to. */
export interface Loan {
  /** Takes the batch. */
  readonly callback: (batch: BorrowedBatch) => void;
  /** Told which memory is lent, and that none is any more, so that what is sent from it is copied. */
  readonly tell: { lent: readonly ArrayBufferLike[] } | undefined;
  /** Takes the memory of single frames back. */
  readonly pool: FramePool | undefined;
  /** Lends copies, and spoils them afterwards. */
  readonly check: boolean;
}

/** What is lent while nothing is. */
export const NONE_LENT: readonly ArrayBufferLike[] = Object.freeze([]);

/**
 * Lends frames, and takes their memory back when the callback has returned or thrown.
 *
 * @param runs The frames.
 * @param length How many there are.
 * @param loan Whom to lend to.
 * @throws What the callback throws.
 */
export function lend(runs: readonly Run[], length: number, loan: Loan): void {
  const { callback, tell, pool, check } = loan;
  const lent = check ? copyRuns(runs, true) : runs;
  const batch = new BorrowedBatch(lent, length);
  const sources = sourcesOf(lent);
  if (tell !== undefined) tell.lent = sources.map((source) => source.buffer);
  try {
    callback(batch);
  } finally {
    if (tell !== undefined) tell.lent = NONE_LENT;
    if (check) { for (const source of sources) source.bytes.fill(SPOILT); }
    else if (pool !== undefined) {
      for (const { own, bytes } of sources) if (own) pool.give(bytes);
    }
    batch.giveBack(sources);
  }
}

/** The memory of the runs: that of the read once, and that of each frame that has its own. */
function sourcesOf(runs: readonly Run[]): Source[] {
  const sources: Source[] = [];
  let read: Source | undefined;
  for (const { source } of runs) {
    if (source === read) continue;
    sources.push(source);
    if (!source.own) read = source;
  }
  return sources;
}
