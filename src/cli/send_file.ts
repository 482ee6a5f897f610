/**
 * Sending one file as one stream, and having the receiver confirm it.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { FLAGS, type FramedConnection, type FrameHead } from "../oap/mod.ts";
import { type InputFile, sha256 } from "../runtime/host_files.ts";
import { decodeReceipt, type Receipt } from "./receipt.ts";

/** The application protocol that files go under. */
export const FILE_APP = 1;

/** What a finished transfer came to. */
export interface Transfer {
  readonly bytes: number;
  readonly frames: number;
  readonly compressedFrames: number;
  /** Bytes of all frames as they went out, before TLS. */
  readonly wireBytes: number;
  /** From the first byte read until the receiver confirmed. */
  readonly seconds: number;
  /** SHA-256 of what was read here. */
  readonly sha256: string;
  /** What the receiver says it stored. */
  readonly receipt: Receipt;
}

/** How a transfer runs. */
export interface TransferOptions {
  /** Bytes to read at a time. */
  readonly pieceBytes: number;
  readonly signal: AbortSignal;
  /** Told of the bytes read so far. */
  readonly onProgress: (bytes: number) => void;
}

/**
 * Streams a file over a framed connection, one piece in memory at a time.
 *
 * @param link The connection.
 * @param answers Frames from the receiver; see {@linkcode answersOf}.
 * @param file The file, from where it was last read.
 * @param corrId Identifies the stream on its connection.
 * @param options Pieces, progress, and how to stop.
 * @throws {TransportError} When the connection breaks, or the receiver refuses the stream.
 */
export async function transferFile(
  link: FramedConnection,
  answers: Answers,
  file: InputFile,
  corrId: bigint,
  options: TransferOptions,
): Promise<Transfer> {
  const digest = sha256();
  let bytes = 0;
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = new Uint8Array(options.pieceBytes);
      const n = await file.read(piece);
      if (n === 0) return;
      const taken = piece.subarray(0, n);
      digest.update(taken);
      bytes += n;
      yield taken;
      options.onProgress(bytes);
    }
  };
  const head: FrameHead = { flags: FLAGS.REQ, code: 0, appProtoId: FILE_APP, tenantId: 0n, corrId };
  const answer = answers.to(corrId);
  const start = performance.now();
  const sending = link.sendStream(pieces(), head, { signal: options.signal });
  // A refusal ends the wait at once; what becomes of the stream then interests nobody.
  sending.catch(() => undefined);
  const sent = await Promise.race([sending, answer.then(() => sending)]);
  const receipt = await answer;
  const seconds = (performance.now() - start) / 1_000;
  const { frames, compressedFrames, wireBytes } = sent;
  return { bytes, frames, compressedFrames, wireBytes, seconds, sha256: digest.hex(), receipt };
}

/** The receiver's answers on one connection. */
export interface Answers {
  /** Waits for the answer to a stream. */
  to(corrId: bigint): Promise<Receipt>;
}

/**
 * Reads the answers that come on a connection, until it closes.
 *
 * @param link The connection; nothing else may read its frames.
 */
export function answersOf(link: FramedConnection): Answers {
  const waiting = new Map<bigint, (answer: Receipt | TransportError) => void>();
  let over: TransportError | undefined;
  const finish = (error: TransportError): void => {
    over = error;
    for (const tell of waiting.values()) tell(error);
    waiting.clear();
  };
  void (async () => {
    for await (const batch of link.batches()) {
      for (const frame of batch) {
        if ((frame.flags & FLAGS.RESP) === 0) continue;
        waiting.get(frame.corrId)?.(readAnswer(frame.code, frame.payload));
        waiting.delete(frame.corrId);
      }
    }
    finish(
      new TransportError("io_closed", "the receiver closed without an answer", { op: "read" }),
    );
  })().catch((error) => finish(TransportError.from(error, "io_closed", { op: "read" })));
  return {
    async to(corrId) {
      if (over !== undefined) throw over;
      const answer = await new Promise<Receipt | TransportError>((tell) => {
        waiting.set(corrId, tell);
      });
      if (TransportError.is(answer)) throw answer;
      return answer;
    },
  };
}

function readAnswer(code: number, payload: Uint8Array): Receipt | TransportError {
  const receipt = code === 200 ? decodeReceipt(payload) : undefined;
  if (receipt !== undefined) return receipt;
  const said = new TextDecoder().decode(payload.subarray(0, 200));
  return new TransportError(
    code === 413 ? "too_large" : "io_closed",
    code === 200
      ? "the receiver answered without a receipt: it does not store streams, start it with --dir"
      : `the receiver refused the stream with status ${code}: ${said}`,
    { op: "send", origin: "remote" },
  );
}
