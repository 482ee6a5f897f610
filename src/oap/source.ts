/**
 * The memory that frames lie in, with what a view needs of it looked up once.
 *
 * @module
 */

import { TransportError } from "../errors.ts";

/** Bytes that hold whole frames. Views keep a reference to it, so that ending a loan ends it for all of them. */
export class Source {
  /** The bytes. */
  bytes: Uint8Array;
  /** The same as a `DataView`. */
  view: DataView;
  /** The memory under both. Looking it up for each frame would double the cost of a payload view. */
  buffer: ArrayBufferLike;
  /** Where `bytes` starts in `buffer`. */
  offset: number;

  /** @param bytes The bytes. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.buffer = bytes.buffer;
    this.offset = bytes.byteOffset;
    this.view = new DataView(this.buffer, this.offset, bytes.length);
  }

  /** `false` once the memory serves other bytes. */
  get live(): boolean {
    return this.view !== RETURNED;
  }

  /** `n` bytes from `at` on, without a copy. */
  slice(at: number, n: number): Uint8Array {
    if (this.view === RETURNED) throw returned();
    return new Uint8Array(this.buffer, this.offset + at, n);
  }

  /** Ends a loan: whoever still looks through this gets `misuse` instead of other frames' bytes. */
  giveBack(): void {
    this.view = RETURNED;
    this.bytes = NOTHING;
    this.buffer = NOTHING.buffer;
    this.offset = 0;
  }
}

const Base: new (buffer: ArrayBuffer) => DataView = DataView;

class ReturnedView extends Base {
  override getUint16(): number {
    throw returned();
  }
  override getUint32(): number {
    throw returned();
  }
  override getBigUint64(): bigint {
    throw returned();
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);
const RETURNED: DataView = new ReturnedView(new ArrayBuffer(0));

/** The error of using a borrowed frame or batch too late. */
export function returned(): TransportError {
  return new TransportError(
    "misuse",
    "Cannot read a borrowed frame after onBatch has returned: keep copyPayload() or toFrame(), or use batches()",
    { op: "read" },
  );
}
