/**
 * What reading a text as a document gives, whatever the language of the text.
 *
 * @module
 */

/** Deepest nesting that is read; a legal document has two levels. */
export const MOST_DEPTH = 16;

/** A text as it was read. */
export interface TextDocument {
  /** The document; absent when the text has no such form. */
  readonly document?: unknown;
  /** Faults of the text, with their places. */
  readonly faults: readonly TextFault[];
  /** Offsets of keys, by their dotted path. */
  readonly places: ReadonlyMap<string, number>;
}

/** A fault of a text. */
export interface TextFault {
  /** The key, where it is one of a key. */
  readonly path: string;
  readonly rule: string;
  /** Offset in the text. */
  readonly at: number;
  readonly instead: string;
}
