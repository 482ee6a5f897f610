/**
 * TLS on Deno's own socket: an orderly end told from a cut, reading that can be held back, and the bytes that
 * name the key exchange.
 *
 * Deno's `node:tls` loses the peer's end when a TLS socket is paused (2.9.5, bytes all arrive, `end` never
 * does). So TLS is never paused there: the socket below it is, by its handle.
 *
 * What the socket has received is given to TLS by a call from JavaScript. An end that comes within it was in a
 * record; of a FIN TLS is told by another call. What TLS sends does not pass through JavaScript, which is
 * half the cost of bulk, but for a server's first flight: it is asked for as if TLS lay over a stream of ours.
 *
 * An end of ours is done when the system has all of it.
 *
 * Handles are undocumented, so that any of this may be missing one day. As with `orderly_end.ts`, no sign of
 * good order is a cut then, and no group is named; TLS is paused itself, for all that its end is lost; and an end
 * of ours is done when Deno says so.
 *
 * @module
 */

import type { Socket as NetSocket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type PlainHandle, receiveInto, type SealedHandle, type Windows } from "./deno_windows.ts";
import type { Below } from "./node_socket.ts";

/** What is used of the handle of TLS. */
interface TlsHandle extends Partial<PlainHandle> {
  onerror?: (cause: unknown) => void;
  /** Ends what TLS sends, and says so at once, though the close_notify may wait for room. */
  shutdown?: (request: Shutdown) => number;
  /** From here on what is to be sent is kept until it is asked for. */
  readonly attachJsStream?: () => number;
  readonly drainEncOut?: () => Uint8Array | null | undefined;
  /** From here on it is sent by that handle. */
  readonly _attachNativeHandle?: (handle: unknown) => void;
}

interface Shutdown {
  constructor: new () => object;
  oncomplete?: (...status: unknown[]) => void;
}

/** Turns in which it is looked whether an end is with the system: mostly it is in the next. */
const TURNS = 3;
/** How seldom that is looked at last, in milliseconds: from one on twice as long each time. */
const MOST_LOOK_MS = 80;

/** Who is shown bytes below TLS. */
export interface Tap {
  /** A server's first flight. */
  readonly sent?: (bytes: Uint8Array) => void;
  readonly received?: (bytes: Uint8Array) => void;
}

/**
 * @param secure TLS over `under`, before its handshake.
 * @param under The socket below it.
 * @param tap Whom to show bytes.
 * @param windows Where to receive.
 * @param nameOf Names an error number: `getSystemErrorName` of `node:util`.
 */
export function denoLay(
  secure: TLSSocket,
  under: NetSocket,
  tap: Tap,
  windows: Windows,
  nameOf: (code: number) => string,
): Below {
  const tls = (secure as unknown as { _handle?: TlsHandle | null })._handle;
  const handle = (): Partial<SealedHandle> | null | undefined =>
    (under as unknown as { _handle?: Partial<SealedHandle> | null })._handle; // none once it is closed
  let flush = tap.sent === undefined ? undefined : firstFlight(tls, under, tap.sent);
  let taking = false;
  const receive = tls?.receive;
  if (typeof receive === "function") {
    tls!.receive = (bytes) => {
      tap.received?.(bytes);
      taking = true;
      try {
        receive.call(tls, bytes);
      } finally {
        taking = false;
      }
      if (flush === undefined || !flush()) return;
      flush = undefined;
      tls!._attachNativeHandle?.(handle());
    };
  }
  if (tls) endWhenSent(tls, handle, nameOf);
  return {
    flow(room, take) {
      return receiveInto(windows, { secure, tls, below: handle(), room, take });
    },
    hold(on) {
      const below = handle();
      if (!below) return; // closed: nothing more comes
      if (typeof below.readStop === "function" && typeof below.readStart === "function") {
        if (on) below.readStop();
        else below.readStart();
      } else if (on) secure.pause(); // better an end that is lost than memory without a bound
      else secure.resume();
    },
    orderly: () => taking,
  };
}

/**
 * An end is done when all is with the system. Deno says so before, closes, and what still waits for room would
 * be lost: over a Unix socket with a slow reader one close_notify in twenty, and data before it (2.9.5). The
 * handle below is asked to shut down as well, which TLS has told it to, and so tells how far that is.
 */
function endWhenSent(
  tls: TlsHandle,
  handle: () => Partial<SealedHandle> | null | undefined,
  nameOf: (code: number) => string,
): void {
  const { shutdown } = tls;
  if (typeof shutdown !== "function") return;
  tls.shutdown = (request) => {
    const { oncomplete } = request;
    const done = (...status: unknown[]): void => void oncomplete?.apply(request, status);
    const look = (looked: number): void => {
      const below = handle();
      if (typeof below?.shutdown !== "function") return done(0);
      const code = below.shutdown(Object.assign(new request.constructor(), { oncomplete: done }));
      if (code === 0) return;
      if (code > 0 || nameOf(code) !== "EALREADY") return done(0); // it is over
      if (looked < TURNS) setImmediate(look, looked + 1);
      else setTimeout(look, Math.min(2 ** (looked - TURNS), MOST_LOOK_MS), looked + 1);
    };
    request.oncomplete = () => look(0);
    return shutdown.call(tls, request);
  };
}

/**
 * Keeps what TLS sends first.
 *
 * @returns Sends and shows what there is, if anything.
 */
function firstFlight(
  tls: TlsHandle | null | undefined,
  under: NetSocket,
  show: (bytes: Uint8Array) => void,
): (() => boolean) | undefined {
  const drain = tls?.drainEncOut;
  if (typeof drain !== "function" || typeof tls?._attachNativeHandle !== "function") {
    return undefined;
  }
  if (tls.attachJsStream?.() !== 0) return undefined;
  let kept = true;
  const flush = (): boolean => {
    if (!kept) return false;
    const bytes = drain.call(tls);
    if (!bytes?.length) return false;
    kept = false;
    show(bytes);
    under.write(bytes);
    return true;
  };
  // It gives up before anything was asked for: what it has to say is an alert.
  const { onerror } = tls;
  tls.onerror = function (cause) {
    flush();
    onerror?.call(this, cause);
  };
  return flush;
}
