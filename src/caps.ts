/**
 * The hard size ceilings, as TypeScript knows them.
 *
 * They are constants of the Rust module too. {@linkcode CAPS} is compared with what the module
 * exports when it is loaded, and the library refuses to start on a difference, so neither side can
 * drift alone. Configuration can only go below them.
 *
 * @module
 */

/** The table of ceilings; see {@linkcode CAPS} for the figures. */
export interface Caps {
  /** Largest frame: header, capability and payload together, in bytes. */
  readonly frameBytes: number;
  /** Largest stream chunk (payload of one frame of a stream), in bytes. */
  readonly chunkBytes: number;
  /** Largest output of the inflate guard, as a multiple of the compressed bytes. */
  readonly inflateRatio: number;
  /** Size of the fixed OAP/1 header, in bytes. */
  readonly headerBytes: number;
  /** Largest capability section, in bytes. */
  readonly capabilityBytes: number;
  /** Most requests of ours without an answer on one connection. */
  readonly inflightFrames: number;
  /** Most items in one connection's writer inbox. */
  readonly inboxItems: number;
  /** Most undelivered frames on one connection. */
  readonly workItems: number;
  /** Most undelivered events; the oldest is dropped. */
  readonly events: number;
}

/**
 * The ceilings, frozen. Every limit a caller may set is at most the figure here.
 *
 * @example The largest legal frame is 1 MiB
 * ```ts
 * import { CAPS } from "@ron/transport";
 * import assert from "node:assert/strict";
 *
 * assert.equal(CAPS.frameBytes, 1024 * 1024);
 * assert.ok(Object.isFrozen(CAPS));
 * ```
 */
export const CAPS: Caps = Object.freeze({
  frameBytes: 1_048_576,
  chunkBytes: 65_536,
  inflateRatio: 8,
  headerBytes: 38,
  capabilityBytes: 65_535,
  inflightFrames: 64,
  inboxItems: 256,
  workItems: 512,
  events: 1_024,
});
