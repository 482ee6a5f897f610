/**
 * Tells an orderly end of TLS from a cut on Node and Bun, where `node:tls` gives both as the end of the
 * stream: the peer's close_notify, and a FIN that anyone on the way can forge.
 *
 * TLS sits on the runtime's own socket there, out of sight, and nothing public tells which it was. But the
 * moment of the end does. It is looked at while TLS still reports it, as the next turn is too late: what
 * follows a close_notify is mostly a FIN.
 *
 * Each way asks for a sign of good order and takes its absence for a cut, so that a runtime that has
 * changed is told by errors and never by silence.
 *
 * @module
 */

import type { Socket as NetSocket } from "node:net";
import type { TLSSocket } from "node:tls";
import { descriptorOf } from "./accept_remedies.ts";
import type { Below } from "./node_socket.ts";
import type { HasRoom } from "./send_room.ts";

/** What is used of a handle of Node. Undocumented, so that any of it may be missing one day. */
interface NodeHandle {
  /** Whether its socket wants to be read from. */
  readonly reading?: boolean;
  readonly readStart?: () => number;
  readonly readStop?: () => number;
}

/**
 * On Node. libuv has stopped reading when it gives a FIN, and still reads when a record ends the stream;
 * asked to start, it says so. A handle that was stopped in between, as the reader is slow, gives no FIN.
 *
 * @param secure TLS over `under`.
 * @param under The socket below it, whose handle it took.
 * @param nameOf Names an error number: `getSystemErrorName` of `node:util`.
 */
export function nodeEnd(
  secure: TLSSocket,
  under: NetSocket,
  nameOf: (code: number) => string,
): Below {
  const handleOf = (socket: NetSocket): NodeHandle | null | undefined =>
    (socket as unknown as { _handle?: NodeHandle | null })._handle;
  const below = handleOf(under);
  return {
    orderly() {
      if (handleOf(secure)?.reading === false) return true;
      const code = below?.readStart?.() ?? 0;
      if (code < 0) return nameOf(code) === "EALREADY";
      below?.readStop?.();
      return false;
    },
  };
}

/** Smallest read behind which Bun looks for more in the same turn, a FIN among it. It is 500 000 (1.4.5). */
const LARGE_READ = 131_072;

/**
 * On Bun. A close_notify is reported in the turn in which its bytes were received, and a FIN in a later
 * one, or by the handle being gone. Only behind a large read would a FIN be given in the same turn, so
 * reading stops there until the next.
 *
 * @param secure TLS over `under`.
 * @param under The socket below it. Bun still counts the bytes that it receives, and so tells of each read.
 * @param turns Counts turns.
 * @param hasRoom Where our own end must wait for room.
 */
export function bunEnd(
  secure: TLSSocket,
  under: NetSocket,
  turns: Turns,
  hasRoom: HasRoom | undefined,
): Below {
  let received = under.bytesRead;
  let turn = -1;
  let held = false;
  let waits = false;
  Object.defineProperty(under, "bytesRead", {
    get: () => received,
    set(total: number) {
      const n = total - received;
      received = total;
      turn = turns.now();
      if (n < LARGE_READ || waits) return;
      waits = true;
      secure.pause();
      setImmediate(() => {
        waits = false;
        if (!held) secure.resume();
      });
    },
  });
  const fd = (): number => descriptorOf(secure) ?? -1;
  return {
    ...(hasRoom === undefined ? {} : { room: () => fd() < 0 || hasRoom(fd()) }),
    hold(on) {
      held = on;
      if (on) secure.pause();
      else if (!waits) secure.resume();
    },
    orderly: () => fd() >= 0 && turn === turns.now(),
  };
}

/** Counts the turns of the event loop in which it is asked. */
export class Turns {
  #turn = 0;
  #counted = false;

  /** The same number within a turn, another in the next. */
  now(): number {
    if (!this.#counted) {
      this.#counted = true;
      setImmediate(() => {
        this.#counted = false;
        this.#turn++;
      });
    }
    return this.#turn;
  }
}
