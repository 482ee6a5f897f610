/**
 * Bodies as pieces of one size, whatever they come from.
 *
 * @module
 */

/** What a stream's body can be. */
export type StreamSource = Uint8Array | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/** A piece of a body. */
export interface Piece {
  /** Its bytes; not to be changed until `free`. */
  readonly bytes: Uint8Array;
  /** Whether it is the last one. */
  readonly last: boolean;
  /** Gives its memory back. */
  free(): void;
}

/**
 * Cuts a body that comes in pieces of any size. Bytes are copied, because a source may use its memory again
 * for the next piece, and because the last piece is only known when the source has ended.
 *
 * @param source The body.
 * @param size Bytes of every piece but the last.
 * @returns The pieces, at least one; an empty body is one empty piece.
 */
export async function* pieces(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Piece, void, undefined> {
  const spare: Uint8Array[] = [];
  let buffer = new Uint8Array(size);
  let filled = 0;
  const piece = (last: boolean): Piece => {
    const full = buffer;
    const bytes = full.subarray(0, filled);
    return { bytes, last, free: () => void spare.push(full) };
  };
  for await (const part of source) {
    for (let from = 0; from < part.length;) {
      if (filled === size) {
        yield piece(false);
        buffer = spare.pop() as Uint8Array<ArrayBuffer> | undefined ?? new Uint8Array(size);
        filled = 0;
      }
      const n = Math.min(size - filled, part.length - from);
      buffer.set(part.subarray(from, from + n), filled);
      filled += n;
      from += n;
    }
  }
  yield piece(true);
}

/**
 * Any source as an async iterable that a signal breaks off, even while the source keeps one waiting.
 * A `ReadableStream` is cancelled then, and an iterator's `return` called.
 *
 * @param source The body.
 * @param signal Breaks it off.
 */
export async function* iterate(
  source: Exclude<StreamSource, Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const parts = Symbol.asyncIterator in source
    ? source[Symbol.asyncIterator]()
    : readAll(source as ReadableStream<Uint8Array>);
  let broken = true;
  try {
    for (
      let next = await race(parts.next(), signal);
      !next.done;
      next = await race(parts.next(), signal)
    ) {
      yield next.value;
    }
    broken = false;
  } finally {
    // Not awaited: a source that hangs would hang here too.
    if (broken) void Promise.resolve(parts.return?.()).catch(() => {});
  }
}

function race<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

async function* readAll(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => {});
  }
}
