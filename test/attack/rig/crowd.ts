/**
 * Many raw sockets from several loopback addresses, and how each of them ended.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type Percentiles, percentiles } from "./percentiles.ts";

/** Whom to attack, and from where. */
export interface Target {
  readonly port: number;
  readonly sources: readonly string[];
  readonly ca?: string;
}

/** What became of the sockets. */
export interface Fates {
  /** Sockets that were connected. */
  readonly connected: number;
  /** Connected sockets that the server ended with FIN, or with RST. */
  readonly ended: number;
  readonly reset: number;
  /** Connected sockets that this side gave up. */
  readonly left: number;
  /** Connects that failed, by error code. */
  readonly failed: Readonly<Record<string, number>>;
  /** Milliseconds from connect to the server's end. */
  readonly lived: Percentiles;
}

/** See the module. */
export class Crowd {
  readonly sockets: Set<Socket> = new Set();
  /** Bytes that the server sent. */
  received = 0;
  readonly #target: Target;
  readonly #failed: Record<string, number> = {};
  readonly #lived: number[] = [];
  #next = 0;
  #opening = 0;
  #connected = 0;
  #ended = 0;
  #reset = 0;
  #left = 0;

  /** @param target Whom. */
  constructor(target: Target) {
    this.#target = target;
  }

  /**
   * Opens one socket; `onOpen` is called when it is connected.
   *
   * @param onOpen What it does then. Sockets read and drop what comes unless it pauses them.
   */
  open(onOpen: (socket: Socket) => void): Socket {
    const { port, sources } = this.#target;
    const localAddress = sources[this.#next++ % sources.length];
    const socket = connect({
      port,
      host: "127.0.0.1",
      ...(localAddress === undefined ? {} : { localAddress }),
      noDelay: true,
      allowHalfOpen: true,
    });
    let since = 0;
    let ended = false;
    let code = "";
    this.#opening++;
    this.sockets.add(socket);
    socket.once("connect", () => {
      this.#opening--;
      this.#connected++;
      since = performance.now();
      onOpen(socket);
    });
    socket.on("data", (bytes) => this.received += bytes.length);
    socket.on("end", () => {
      ended = true;
      socket.destroy();
    });
    socket.on("error", (error: Error & { code?: string }) => code = error.code ?? "unknown");
    socket.on("close", () => {
      this.sockets.delete(socket);
      if (since === 0) {
        this.#opening--;
        if (code === "ECONNRESET") { // the server's reset overtook the news of the connection
          this.#connected++;
          this.#reset++;
          return;
        }
        const why = code === "" ? "given up" : code;
        this.#failed[why] = (this.#failed[why] ?? 0) + 1;
        return;
      }
      if (ended) this.#ended++;
      else if (code !== "") this.#reset++;
      else return void this.#left++;
      this.#lived.push(performance.now() - since);
    });
    return socket;
  }

  /**
   * Opens `n` sockets, at most `atOnce` of them connecting or, with `alive`, alive at a time.
   *
   * @param n How many.
   * @param bounds `perSecond`: no faster than this; `ms`: for no longer than this.
   */
  async openAll(
    n: number,
    bounds: { atOnce: number; alive?: boolean; perSecond?: number; ms?: number },
    onOpen: (socket: Socket) => void,
  ): Promise<void> {
    const { atOnce, alive = false, perSecond = Infinity, ms = Infinity } = bounds;
    const start = performance.now();
    for (let i = 0; i < n && performance.now() - start < ms;) {
      const due = (performance.now() - start) / 1_000 * perSecond;
      const busy = alive ? this.sockets.size : this.#opening;
      const burst = Math.min(n - i, atOnce - busy, Math.max(0, Math.ceil(due) - i));
      for (let k = 0; k < burst; k++) this.open(onOpen);
      i += Math.max(0, burst);
      await delay(burst > 0 ? 0 : 1);
    }
  }

  /** Waits until every socket is closed, at most `ms`; what is left is then broken off. */
  async gone(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (this.sockets.size > 0 && performance.now() < until) await delay(5);
    this.breakOff();
    while (this.sockets.size > 0) await delay(5);
  }

  /** Resets every socket that is left. A reset leaves no port behind in TIME_WAIT. */
  breakOff(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** What became of them. */
  fates(): Fates {
    return {
      connected: this.#connected,
      ended: this.#ended,
      reset: this.#reset,
      left: this.#left,
      failed: { ...this.#failed },
      lived: percentiles(this.#lived),
    };
  }
}
