/**
 * Headers of a body's chunks, up to 16 at a time.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { FLAGS, type FrameHead, HEADER_BYTES } from "./frame.ts";
import { CAP_REFUSED, HEADER_BLOCK, type HeadIds } from "./abi.ts";
import { hot } from "./instance.ts";

/** Bytes whose headers may be counted at once: the module's offsets have 32 bits. */
const STRETCH = 1 << 30;
const BLOCK_BYTES = HEADER_BLOCK * HEADER_BYTES;

/** Writes the headers of one stream, a block in one call of the module. */
export class ChunkHeads {
  readonly #flags: number;
  readonly #codeApp: number;
  readonly #ids: HeadIds;
  readonly #blocks: readonly [Uint8Array, Uint8Array] = [
    new Uint8Array(BLOCK_BYTES),
    new Uint8Array(BLOCK_BYTES),
  ];
  #turn: 0 | 1 = 0;

  /** @param head What the frames share; without a capability. */
  constructor(head: FrameHead) {
    const { code, appProtoId, tenantId, corrId } = head;
    this.#flags = head.flags & ~(FLAGS.START | FLAGS.END);
    this.#codeApp = code << 16 | appProtoId;
    this.#ids = {
      corrLow: word(corrId, 0),
      corrHigh: word(corrId, 1),
      tenant0: word(tenantId, 3),
      tenant1: word(tenantId, 2),
      tenant2: word(tenantId, 1),
      tenant3: word(tenantId, 0),
    };
  }

  /**
   * Writes headers.
   *
   * @param rest Bytes of the body that have no header yet, at least 1.
   * @param size Bytes of a chunk.
   * @param first Whether the first of them opens the stream. The one that reaches the body's end ends it.
   * @returns The headers, 38 bytes each. Their memory is used again by the next but one call.
   */
  write(rest: number, size: number, first: boolean): Uint8Array {
    const most = rest <= STRETCH ? STRETCH : STRETCH - STRETCH % size;
    const edges = (first ? FLAGS.START : 0) | (rest <= most ? FLAGS.END : 0);
    const wasm = hot();
    const total = Math.min(rest, most);
    const n = wasm.chunk(total, 0, size, this.#flags | edges, this.#codeApp, this.#ids);
    if (n === CAP_REFUSED) throw refused(size);
    const block = this.#blocks[this.#turn];
    this.#turn = this.#turn === 0 ? 1 : 0;
    block.set(wasm.headers); // all of it: cutting it would cost more
    return n === HEADER_BLOCK ? block : block.subarray(0, n * HEADER_BYTES);
  }
}

/** The `i`th 32-bit word of a number, the least significant first; signed, because Bun is slow to hand on others. */
function word(value: bigint, i: number): number {
  return Number(BigInt.asIntN(32, value >> BigInt(32 * i)));
}

function refused(size: number): TransportError {
  return new TransportError("internal", `The WebAssembly module refuses chunks of ${size} bytes`, {
    op: "write",
    origin: "library",
  });
}
