/**
 * The memory that frames lie in, with what a view needs of it looked up once.
 *
 * @module
 */

import { TransportError } from "../errors.ts";

/** Bytes that hold whole frames. */
export class Source {
  /** The bytes. */
  bytes: Uint8Array;
  /** The same as a `DataView`. */
  view: DataView;
  /** The memory under both. Looking it up for each frame would double the cost of a payload view. */
  buffer: ArrayBufferLike;
  /** Where `bytes` starts in `buffer`. */
  offset: number;
  /** Whether the codec allocated it; else it is the read itself. */
  readonly own: boolean;

  /** @param bytes The bytes. @param own Whether the codec allocated them. */
  constructor(bytes: Uint8Array, own: boolean) {
    this.bytes = bytes;
    this.own = own;
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
  override getUint8(): number {
    throw returned();
  }
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
/** What is left of a `DataView` whose loan has ended: it throws `misuse`. */
export const RETURNED: DataView = new ReturnedView(new ArrayBuffer(0));

/** The error of using a borrowed frame or batch too late. */
export function returned(): TransportError {
  return new TransportError(
    "misuse",
    "Cannot read a borrowed frame after onBatch has returned: keep copyPayload() or toFrame(), or use batches()",
    { op: "read" },
  );
}

/** The error of frames whose bytes were changed after they had been checked. */
export function changed(): TransportError {
  return new TransportError(
    "misuse",
    "Cannot read a frame whose header was overwritten: bytes given to a decoder must not change while its frames are in use",
    { op: "read" },
  );
}
