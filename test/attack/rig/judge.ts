/**
 * The rule that every row must pass; a row adds what is its own.
 *
 * @module
 */

import type { RowReport } from "./report.ts";

const MIB = 1_048_576;

/** How strict to be. */
export interface Rule {
  /**
   * Whether times count. Not where other work shares the machine: there a slow answer says nothing.
   * That answers come at all counts always.
   */
  readonly times: boolean;
  /** Whether the growth of resident memory counts: small waves are below what allocators round to. */
  readonly resident: boolean;
}

/**
 * What does not hold.
 *
 * - The honest client keeps 95 % success, and its p99 is at most 150 ms or 3 x its own without attack.
 * - Heap and external memory are within 10 % + 8 MiB of what they were.
 * - A further wave of the same adds at most 5 % resident memory.
 * - Every descriptor is back.
 */
export function judge(
  { honest, resident, heap, descriptors }: Pick<
    RowReport,
    "honest" | "resident" | "heap" | "descriptors"
  >,
  rule: Rule,
): string[] {
  const faults: string[] = [];
  if (honest !== undefined) {
    if (!(honest.success >= 0.95)) {
      faults.push(
        `the honest client's success is ${(honest.success * 100).toFixed(1)} %, below 95 %: ` +
          JSON.stringify(honest.failures),
      );
    }
    const late = (what: string, alone: number, beside: number): void => {
      const most = Math.max(150, 3 * alone);
      if (rule.times && beside > most) {
        faults.push(`${what} takes ${beside.toFixed(0)} ms (p99), above ${most.toFixed(0)} ms`);
      }
    };
    late("an honest request", honest.aloneMs, honest.besideMs);
    late("an honest dial", honest.dialAloneMs, honest.dialBesideMs);
  }
  if (heap !== undefined && heap.after > heap.before * 1.1 + 8 * MIB) {
    faults.push(`heap and external memory went from ${mib(heap.before)} to ${mib(heap.after)} MiB`);
  }
  if (rule.resident && resident !== undefined && !settled(resident.after)) {
    faults.push(`each wave adds to resident memory: ${resident.after.map(mib).join(", ")} MiB`);
  }
  if (descriptors !== undefined && descriptors.after > descriptors.before) {
    faults.push(`${descriptors.after - descriptors.before} descriptors did not come back`);
  }
  return faults;
}

/** Whether the last of some waves left at most 5 % more resident memory than the one before it. */
function settled(after: readonly number[]): boolean {
  const last = after.at(-1);
  const before = after.at(-2);
  return last !== undefined && before !== undefined && last <= before * 1.05;
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
