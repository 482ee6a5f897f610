/**
 * Lending a batch to a callback.
 *
 * @module
 */

import type { FramePool } from "./assembly.ts";
import { BorrowedBatch, copyIndex, type Index } from "./batch.ts";
import type { Sender } from "./sender.ts";

/** What a spoilt byte is. */
const SPOILT = 0xdb;

/** Whom to lend to, and where memory goes back to. */
export interface Loan {
  /** Takes the batch. */
  readonly callback: (batch: BorrowedBatch) => void;
  /** Told which memory is lent, so that it copies what is sent from it. */
  readonly sender: Sender;
  /** Takes the memory of single frames back. */
  readonly pool: FramePool | undefined;
  /** Lends copies, and spoils them afterwards. */
  readonly check: boolean;
}

/**
 * Lends frames, and takes their memory back when the callback has returned or thrown.
 *
 * @param index The frames.
 * @param loan Whom to lend to.
 * @throws What the callback throws.
 */
export function lend(index: Index, loan: Loan): void {
  const { callback, sender, pool, check } = loan;
  const lent = check ? copyIndex(index) : index;
  const batch = new BorrowedBatch(lent);
  const sources = lent.main === undefined ? lent.extra : [lent.main, ...lent.extra];
  const single = lent.extra.map((source) => source.bytes);
  sender.lent = sources.map((source) => source.buffer);
  try {
    callback(batch);
  } finally {
    sender.lent = [];
    if (check) { for (const source of sources) source.bytes.fill(SPOILT); }
    else for (const bytes of single) pool?.give(bytes);
    batch.giveBack();
  }
}
