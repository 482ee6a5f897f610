/**
 * A duplex between a TCP socket and the TLS above it, whose reading can be held back.
 *
 * Deno's `node:tls` loses the peer's end when a TLS socket is paused (2.9.5, bytes all arrive, `end`
 * never does). So TLS is never paused there: the ciphertext below it is. What TLS was fed by then
 * still comes out, at most one receive and one stream buffer.
 *
 * @module
 */

import type { Socket as NetSocket } from "node:net";
import type { Duplex, DuplexOptions } from "node:stream";

/** A duplex over a socket, and the switch that stops and restarts its reading. */
export interface HeldDuplex {
  readonly duplex: Duplex;
  readonly hold: (on: boolean) => void;
}

/** Whom to show the bytes below TLS. */
export interface Tap {
  readonly sent?: (bytes: Uint8Array) => void;
  readonly received?: (bytes: Uint8Array) => void;
  /** The peer's end came, behind all its bytes; `pass` gives it to TLS. */
  readonly ended?: (duplex: Duplex, pass: () => void) => void;
  /** What to send when TLS gives up, if anything. */
  readonly lastWords?: () => Uint8Array | undefined;
}

/**
 * Wraps a socket.
 *
 * @param raw A socket that has not been read from.
 * @param make `node:stream`'s `Duplex`.
 * @param tap Sees the bytes that go past.
 */
export function heldDuplex(
  raw: NetSocket,
  make: new (options: DuplexOptions) => Duplex,
  tap: Tap = {},
): HeldDuplex {
  let wanted = false;
  let held = false;
  const duplex = new make({
    allowHalfOpen: true,
    read() {
      wanted = true;
      if (!held) raw.resume();
    },
    write(bytes: Uint8Array, _encoding, done) {
      tap.sent?.(bytes);
      raw.write(bytes, done);
    },
    writev(items, done) {
      raw.cork();
      items.forEach(({ chunk }, i) => {
        tap.sent?.(chunk);
        raw.write(chunk, i === items.length - 1 ? done : undefined);
      });
      raw.uncork();
    },
    final: (done) => void raw.end(() => done()),
    destroy(error, done) {
      const last = raw.destroyed ? undefined : tap.lastWords?.();
      if (last === undefined) raw.destroy();
      else raw.end(last, () => raw.destroy());
      done(error);
    },
  });
  raw.on("data", (bytes: Uint8Array) => {
    tap.received?.(bytes);
    wanted = duplex.push(bytes);
    if (!wanted) raw.pause();
  });
  raw.on("end", () => {
    const pass = (): void => void (duplex.destroyed || duplex.push(null));
    if (tap.ended === undefined) pass();
    else tap.ended(duplex, pass);
  });
  raw.on("error", (error) => duplex.destroy(error));
  raw.on("close", () => duplex.destroy());
  raw.pause();
  return {
    duplex,
    hold(on) {
      held = on;
      if (on) raw.pause();
      else if (wanted) raw.resume();
    },
  };
}
