/**
 * What the attacked server does with a request, by the application it names.
 *
 * @module
 */

/** Ids of applications. */
export const APP = {
  /** Answers with the request's payload. */
  echo: 7,
  /** Takes the request and never answers. */
  hold: 8,
  /** Answers with a document of 1 MiB, header included. */
  document: 9,
  /** Answers with a copy of the document, made for each request. */
  copy: 11,
  /** Answers after 10 ms times the payload's first byte. */
  slow: 10,
} as const;

/** Payload of the largest frame. */
export const DOCUMENT_BYTES: number = 1_048_576 - 38;

/** Where honest clients come from; no attack does. */
export const HONEST_SOURCE = "127.0.0.9";

/** Where attacks come from. */
export const ATTACK_SOURCES: readonly string[] = [2, 3, 4, 5, 6, 7, 8].map((n) => `127.0.0.${n}`);
