/**
 * A socket of `node:net` or `node:tls` behind the seam.
 *
 * @module
 */

import type { Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import { endpoint } from "./endpoint.ts";
import type {
  PendingSocket,
  Socket,
  SocketFault,
  SocketHandler,
  SocketInfo,
  TlsInfo,
} from "./runtime.ts";

/** Bytes lent to the runtime at which a write takes nothing more until some are free. */
const LENT_BYTES = 1_048_576;

/** What is known, and can be done, between TLS and the socket below it. */
export interface Below {
  /**
   * Receives in memory of ours, where that can be done: `take` is called with bytes that are valid inside it,
   * about `room()` of them at most. What TLS has in hand may come after `hold(true)`, too.
   */
  readonly flow?: (room: () => number, take: (bytes: Uint8Array) => void) => boolean;
  /** Stops and restarts reading, where the runtime's own pausing must not be used. */
  readonly hold?: (on: boolean) => void;
  /** Whether the end that TLS gives right now is one that the peer has told by TLS. */
  readonly orderly?: () => boolean;
  /** Whether the system takes what TLS says last; where it is missing, it does whenever it can. */
  readonly room?: () => boolean;
}

const NOTHING: Below = Object.freeze({});

/**
 * How long an end waits before it looks for room again, in milliseconds: twice as long each time. It is no
 * event, as Bun tells of room only where a write of its own was short (see send_room.ts).
 */
const ROOM_MS = 5;
const MOST_ROOM_MS = 80;

/** Wires a runtime socket to a handler. Opened by {@linkcode NodeSocket.open}, once it is usable. */
export class NodeSocket implements Socket, PendingSocket {
  readonly lends = true;
  readonly halfCloses: boolean;
  readonly #raw: NetSocket;
  readonly #under: NetSocket;
  readonly #handler: SocketHandler;
  readonly #tls: (() => TlsInfo) | undefined;
  readonly #below: Below;
  /** The user at the other end of a Unix socket, where it is known; to be set before it opens. */
  uid: number | null | undefined;
  #remote: PendingSocket["remote"] = undefined;
  #info: SocketInfo = {};
  #lent = 0;
  #refused = false;
  #corked = false;
  /** Reading is held back. */
  #held = false;
  /** Bytes written since the last call that will tell of them. */
  #batch = 0;
  /** The last of them, while writes are held back. */
  #last: Uint8Array | undefined = undefined;
  #opened = false;
  #ended = false;
  /** TLS gave an end that is none of its own. */
  #cut = false;
  #closed = false;
  #fault: SocketFault | undefined;

  /**
   * @param raw The runtime's socket; an error listener is on it from here on.
   * @param handler Whom to tell.
   * @param tls With TLS, what its handshake settled; asked once, when it is done.
   * @param under The socket below a TLS one, where there is one apart.
   * @param below What lies between the two.
   * @param halfCloses Whether it can end its own side and still receive.
   */
  constructor(
    raw: NetSocket,
    handler: SocketHandler,
    tls?: () => TlsInfo,
    under?: NetSocket,
    below: Below = NOTHING,
    halfCloses: boolean = true,
  ) {
    this.halfCloses = halfCloses;
    this.#raw = raw;
    this.#handler = handler;
    this.#tls = tls;
    this.#under = under ?? raw;
    this.#below = below;
    raw.on("error", (cause) => this.#fault ??= faultOf(cause, this.#tls !== undefined));
    raw.on("end", () => this.#end());
    raw.on("close", () => this.#close());
    if (below.orderly !== undefined) this.#judgeEnd(below.orderly);
    under?.on("error", (cause) => this.#fault ??= faultOf(cause, false));
    // Once it is open, Bun reports this one closed while TLS above it still sends.
    under?.on("close", () => this.#opened || raw.destroy());
    // An end in mid-handshake, which TLS over a stream of ours may not be told of. A turn later, as
    // an alert may have come before it.
    under?.on("end", () => setTimeout(() => this.#opened || this.#cutOff(), 0));
    if (tls !== undefined) {
      // Once open, an error of a record comes by this event alone, and Bun ends as if in order.
      raw.on("_tlsError", (cause) => {
        this.#fault ??= faultOf(cause, true);
        if (this.#opened) this.destroy();
      });
    }
  }

  get info(): SocketInfo {
    return this.#info;
  }

  get remote(): { readonly hostname: string; readonly port: number } | undefined {
    return this.#remote ?? endpoint(this.#under.remoteAddress, this.#under.remotePort);
  }

  /** It was accepted, and this is what was known of it then: a runtime asked again keeps another copy. */
  accepted({ uid, remote }: PendingSocket): void {
    this.uid = uid;
    this.#remote = remote;
  }

  /** The socket is usable. */
  open(): void {
    if (this.#closed || this.#raw.destroyed) return;
    let tls: TlsInfo | undefined;
    try {
      tls = this.#tls?.();
    } catch (cause) {
      // Deno reads less of a certificate than its verifier does; thrown here, it would end the process.
      return this.refuse(new Error("The peer's certificate cannot be read", { cause }));
    }
    this.#opened = true;
    const remote = this.remote;
    const local = endpoint(this.#under.localAddress, this.#under.localPort);
    const uid = this.uid ?? undefined;
    this.#info = {
      ...(uid === undefined ? {} : { uid }),
      ...(remote === undefined ? {} : { remote }),
      ...(local === undefined ? {} : { local }),
      ...(tls === undefined ? {} : { tls }),
    };
    this.#handler.onOpen(this);
  }

  /** The handshake was done, but not with whom we serve: `onClose` tells why. */
  refuse(cause: Error): void {
    this.#fault ??= { type: "tls", cause };
    this.destroy();
  }

  /** Bytes arrived in the shared window. Returns `false` to pause. */
  window(bytes: Uint8Array): boolean {
    return this.#closed ? false : this.#handler.onBytes(bytes, false);
  }

  /** Receives in a window where there is one below, else by the runtime's `data` events, in buffers of its own. */
  flow(): void {
    const take = (bytes: Uint8Array, owned: boolean): void => {
      if (this.#closed) return;
      if (!this.#handler.onBytes(bytes, owned)) this.pause();
      else if (this.#held) this.resume(); // these came behind what it was held for
    };
    const lent = (bytes: Uint8Array): void => take(bytes, false);
    if (this.#below.flow?.(() => this.#handler.receiveBytes, lent) === true) return;
    this.#raw.on("data", (bytes: Uint8Array) => take(bytes, true));
  }

  write(bytes: Uint8Array): number {
    if (this.#closed) return 0;
    if (this.#lent >= LENT_BYTES) {
      this.#refused = true;
      return 0;
    }
    this.#lent += bytes.length;
    this.#batch += bytes.length;
    if (!this.#corked) this.#send(bytes);
    else {
      if (this.#last !== undefined) this.#raw.write(this.#last);
      this.#last = bytes;
    }
    return bytes.length;
  }

  cork(): void {
    this.#corked = true;
    this.#raw.cork();
  }

  uncork(): void {
    this.#corked = false;
    if (this.#last !== undefined) this.#send(this.#last);
    this.#last = undefined;
    this.#raw.uncork();
  }

  /** Writes the last bytes of a batch: what is told of them is true of all. */
  #send(bytes: Uint8Array): void {
    const n = this.#batch;
    this.#batch = 0;
    this.#raw.write(bytes, (error) => {
      this.#lent -= n;
      if (this.#closed || error) return;
      this.#handler.onWritten(n);
      // Not at once: a few large writes cost less than many of what has just become free.
      if (this.#refused && this.#lent <= LENT_BYTES / 2) {
        this.#refused = false;
        this.#handler.onDrain();
      }
    });
  }

  shutdown(): void {
    this.#endInRoom(ROOM_MS);
  }

  #endInRoom(waitMs: number): void {
    const { room } = this.#below;
    if (room === undefined || this.#closed) return void this.#raw.end();
    if (this.#lent === 0 && room()) return void this.#raw.end();
    const next = Math.min(2 * waitMs, MOST_ROOM_MS);
    setTimeout(() => this.#raw.destroyed || this.#endInRoom(next), waitMs);
  }

  destroy(): void {
    // A reset, so that the peer can tell it from an orderly end, whatever its TLS makes of a FIN.
    // A Unix socket has none, nor an address: there the peer sees an end.
    if (this.#info.remote !== undefined && !this.#shutting()) this.#under.resetAndDestroy();
    else this.#under.destroy();
    // TLS follows a turn later: at once, Node 20 crashes with a write of TLS on its way.
    if (this.#under !== this.#raw) setTimeout(() => this.#raw.destroy(), 0);
  }

  pause(): void {
    this.#held = true;
    if (this.#below.hold === undefined) this.#raw.pause();
    else this.#below.hold(true);
  }

  resume(): void {
    this.#held = false;
    if (this.#below.hold === undefined) this.#raw.resume();
    else this.#below.hold(false);
  }

  /** Our end is on its way behind all we sent. A reset then fails on Node, and leaks the descriptor. */
  #shutting(): boolean {
    const raw = this.#raw;
    return raw.writableEnded && !raw.writableFinished && raw.writableLength === 0;
  }

  /** `end` comes when all before it was read; what it is worth shows when TLS puts it behind that. */
  #judgeEnd(orderly: () => boolean): void {
    const raw = this.#raw;
    const push = raw.push;
    let judged = false;
    raw.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null && !judged) {
        judged = true;
        this.#cut = !orderly();
      }
      return push.call(raw, chunk, encoding);
    };
  }

  #end(): void {
    this.#ended = true;
    if (!this.#opened) this.#cutOff();
    else if (this.#cut) this.#truncated();
    else if (!this.#closed && this.#fault === undefined) this.#handler.onEnd();
  }

  /** The peer ended in mid-handshake. TLS on Node would wait on. */
  #cutOff(): void {
    const cause = new Error("The peer ended before the handshake was done");
    this.#fault ??= { type: "reset", cause };
    this.destroy();
  }

  /** The peer's side ended, and nothing says that the peer has ended it. */
  #truncated(): void {
    this.#fault ??= { type: "reset", cause: new Error("The peer ended without close_notify") };
    this.destroy();
  }

  /**
   * The peer ended, and TLS has all that came before but not the end. A close_notify in it has ended
   * the stream within these turns; else it was cut off.
   */
  rawEnded(duplex: Duplex, pass: () => void, turns = 2): void {
    if (this.#closed) return;
    if (this.#ended) return pass();
    if (turns === 0) return this.#truncated();
    const left = duplex.readableLength > 0 ? turns : turns - 1;
    setTimeout(() => this.rawEnded(duplex, pass, left), 0);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler.onClose(this.#fault);
  }
}

/** A TCP socket that TLS will be put on once it is connected. */
export class ConnectingSocket implements PendingSocket {
  readonly remote = undefined;
  readonly #raw: NetSocket;
  #next: NodeSocket | undefined;

  /** @param raw The socket; `handler` is told if it closes before {@linkcode ConnectingSocket.becomes}. */
  constructor(raw: NetSocket, handler: SocketHandler) {
    this.#raw = raw;
    let fault: SocketFault | undefined;
    raw.on("error", (cause) => fault ??= faultOf(cause, false));
    raw.on("close", () => this.#next === undefined && handler.onClose(fault));
  }

  /** The socket that takes over. */
  becomes(next: NodeSocket): void {
    this.#next = next;
  }

  destroy(): void {
    this.#raw.destroy();
    this.#next?.destroy();
  }
}

/** Tells from the error's code what went wrong; texts differ between runtimes and versions. */
function faultOf(cause: unknown, tls: boolean): SocketFault {
  const code = String((cause as { code?: unknown } | null)?.code ?? "");
  if (code === "ECONNREFUSED" || code === "ENOENT") return { type: "refused", cause };
  if (RESET.has(code)) return { type: "reset", cause };
  // EPROTO is what OpenSSL's own errors are called where they have no name.
  const system = code !== "EPROTO" && /^E(?!RR_)[A-Z0-9_]+$/.test(code);
  return { type: tls && !system ? "tls" : "system", cause };
}

const RESET: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ECONNABORTED",
  "ENOTCONN",
  "ETIMEDOUT",
  "ERR_STREAM_WRITE_AFTER_END",
  "ERR_STREAM_DESTROYED",
]);
