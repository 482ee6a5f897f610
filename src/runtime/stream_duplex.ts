/**
 * A duplex over a stream that is pulled, with TLS above it, whose reading can be held back.
 *
 * The end of its writable side is not the stream's: what TLS says last is its own close_notify, and a
 * stream that ends in both directions at once must not end before the peer's has come.
 *
 * @module
 */

import type { Duplex, DuplexOptions } from "node:stream";
import type { ByteStream } from "./runtime.ts";

/** A duplex over a stream, and the switch that stops and restarts its reading. */
export interface HeldDuplex {
  readonly duplex: Duplex;
  readonly hold: (on: boolean) => void;
}

/** Whom to show what passes below TLS. */
export interface Tap {
  readonly sent?: (bytes: Uint8Array) => void;
  readonly received?: (bytes: Uint8Array) => void;
  /** The peer's end came, behind all its bytes; `pass` gives it to TLS. */
  readonly ended: (duplex: Duplex, pass: () => void) => void;
}

/** Most bytes of one read: a TLS record and its head fit. */
const READ_BYTES = 16_640;

/**
 * Wraps a stream.
 *
 * @param stream Nothing else may use it; closed with the duplex, and ended first if TLS has finished.
 * @param make `node:stream`'s `Duplex`.
 * @param tap Sees the bytes that go past.
 */
export function streamDuplex(
  stream: ByteStream,
  make: new (options: DuplexOptions) => Duplex,
  tap: Tap,
): HeldDuplex {
  let wanted = false;
  let held = false;
  let pulling = false;
  let finished = false;
  const buffer = new Uint8Array(READ_BYTES);
  const pull = async (): Promise<void> => {
    if (pulling) return;
    pulling = true;
    try {
      while (wanted && !held && !duplex.destroyed) {
        const n = await stream.read(buffer);
        if (duplex.destroyed) return;
        if (n === 0) return ended();
        const bytes = buffer.slice(0, n);
        tap.received?.(bytes);
        wanted = false; // a push can ask for the next read before it returns
        if (duplex.push(bytes)) wanted = true;
      }
    } catch (cause) {
      const error = new Error("The stream broke", { cause });
      duplex.destroy(Object.assign(error, { code: "ECONNRESET" }));
    } finally {
      pulling = false;
    }
  };
  const ended = (): void => {
    wanted = false;
    const pass = (): void => void (duplex.destroyed || duplex.push(null));
    tap.ended(duplex, pass);
  };
  const duplex: Duplex = new make({
    allowHalfOpen: true,
    read() {
      wanted = true;
      void pull();
    },
    write(bytes: Uint8Array, _encoding, done) {
      tap.sent?.(bytes);
      stream.write(bytes).then(() => done(), done);
    },
    final(done) {
      finished = true;
      done();
    },
    destroy(error, done) {
      const leave = async (): Promise<void> => {
        if (finished) await stream.end();
      };
      // What the peer gets of it does not matter to whoever gives the stream up.
      void leave().catch(() => {}).finally(() => stream.close());
      done(error);
    },
  });
  return {
    duplex,
    hold(on) {
      held = on;
      if (!on) void pull();
    },
  };
}
