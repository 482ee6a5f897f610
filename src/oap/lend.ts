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
  /** Told which memory is lent, and that it is not any more, so that what is sent from it is copied. */
  readonly tell: Loans | undefined;
  /** Takes the memory of single frames back. */
  readonly pool: FramePool | undefined;
  /** Lends copies, and spoils them afterwards. */
  readonly check: boolean;
}

/** What connections of one transport lend: what one has lent may be sent by another. */
export class Loans {
  /** Memory that is only lent: large payloads in it are copied. */
  lent: readonly ArrayBufferLike[] = NONE_LENT;
}

const NONE_LENT: readonly ArrayBufferLike[] = Object.freeze([]);

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
  const before = tell === undefined ? NONE_LENT : tell.lent;
  if (tell !== undefined) {
    const more = sources.map((source) => source.buffer);
    // The callback of one connection can make another one lend.
    tell.lent = before.length === 0 ? more : before.concat(more);
  }
  try {
    callback(batch);
  } finally {
    if (tell !== undefined) tell.lent = before;
    // A copy of a read may be there once for each of its runs, and goes back once: then its source has none.
    for (const source of sources) {
      const { own, bytes, live } = source;
      if (check) bytes.fill(SPOILT);
      source.giveBack();
      if (own && live && !check) pool?.give(bytes);
    }
    batch.giveBack();
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
