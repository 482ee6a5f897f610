/**
 * What a fuzz target is.
 *
 * @module
 */

/** One parser of what strangers or operators may write, and what must hold for any input to it. */
export interface FuzzTarget {
  readonly name: string;
  /** Longest input, in bytes. */
  readonly most: number;
  /** Milliseconds above which an input is a finding of its own. @default {50} */
  readonly slowMs?: number;
  /** Inputs to begin with. */
  readonly seeds: readonly Uint8Array[];
  /** Pieces that are put into inputs. */
  readonly tokens: readonly Uint8Array[];
  /**
   * Runs one input.
   *
   * @returns What it did, in a word or two: an input that does something new is built upon.
   * @throws When something does not hold. Refusals that are meant to be are part of the behaviour.
   */
  run(input: Uint8Array): string | Promise<string>;
}

const encoder = new TextEncoder();

/** Texts as bytes. */
export function texts(...parts: readonly string[]): Uint8Array[] {
  return parts.map((part) => encoder.encode(part));
}

/** Bytes after one that chooses among variants. */
export function chosen(choice: number, bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(bytes.length + 1);
  all[0] = choice;
  all.set(bytes, 1);
  return all;
}
