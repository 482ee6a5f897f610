/**
 * One direction of a connection in memory, and what can go wrong with it.
 *
 * @module
 */

import type { SocketHandler } from "../runtime/runtime.ts";

/** What one direction holds in flight before a write takes nothing more, in bytes. */
const BUFFER_BYTES = 262_144;

/** What a direction needs of the network. */
export interface Path {
  /** Runs an event after one draw of the latency. */
  soon(event: () => void): void;
  /** The next random number in [0, 1). */
  draw(): number;
  /** The receive window: one for all sockets, as runtimes have it. */
  readonly window: Uint8Array;
  /** Largest receive, in bytes. */
  readonly maxReceive: number;
}

/** The end that sends, as its direction sees it. */
export interface Sending {
  readonly closed: boolean;
  readonly handler: SocketHandler | undefined;
  /** All lent memory is its own again. */
  sent(): void;
}

/** The end that receives. */
export interface Receiving extends Sending {
  /** Whether it takes bytes now: it is open, and does not pause. */
  readonly receives: boolean;
  /** Whether received memory is its own to keep. */
  readonly owns: boolean;
  /** Bytes for its handler. */
  take(bytes: Uint8Array): void;
  /** The other end's FIN. */
  ended(): void;
}

/**
 * One direction of a {@linkcode MemoryWire}: bytes in order, in a bounded buffer, and the faults that a
 * network has. Reset of the connection is the wire's, for both directions.
 */
export class MemoryDirection {
  readonly #path: Path;
  readonly #from: Sending;
  readonly #to: Receiving;
  readonly #lends: boolean;
  /** Written memory that is still the writer's, oldest first. */
  readonly #lent: Uint8Array[] = [];
  readonly #flight: Uint8Array[] = [];
  #lentBytes = 0;
  #bytes = 0;
  #passed = 0;
  #starved = false;
  #state: "flows" | "stalled" | "lost" = "flows";
  #fin = false;
  #finished = false;
  #cut = false;
  #pumping = false;
  #taking = false;

  /** @internal */
  constructor(path: Path, from: Sending, to: Receiving, lends: boolean) {
    this.#path = path;
    this.#from = from;
    this.#to = to;
    this.#lends = lends;
  }

  /** Bytes that the receiver has been given. */
  get passed(): number {
    return this.#passed;
  }

  /** Whether the system still reads memory of the writer. */
  get lending(): boolean {
    return this.#lentBytes > 0;
  }

  /** Bytes that were written and not given to the receiver yet. */
  get held(): number {
    return this.#bytes + this.#lentBytes;
  }

  /** Whether it goes silent for good: see {@linkcode MemoryDirection.lose}. */
  get lost(): boolean {
    return this.#state === "lost";
  }

  /** Delivers nothing until {@linkcode MemoryDirection.resume}. Writes go on until the buffer is full. */
  stall(): void {
    if (this.#state === "flows") this.#state = "stalled";
  }

  /** Delivers again after a stall. */
  resume(): void {
    if (this.#state === "stalled") this.#state = "flows";
    this.pump();
  }

  /** Goes silent for good, as a cut cable does: no byte arrives any more, no end, and no reset. */
  lose(): void {
    this.#state = "lost";
  }

  /** The receiver sees an end after what is in flight; what is written from now on vanishes. */
  end(): void {
    this.#cut = this.#fin = true;
    this.pump();
  }

  /** @internal */
  write(bytes: Uint8Array): number {
    if (this.#lends) {
      this.#starved = this.#lentBytes >= BUFFER_BYTES;
      if (this.#starved) return 0;
      this.#lent.push(bytes);
      this.#lentBytes += bytes.length;
      this.#take();
      return bytes.length;
    }
    const n = Math.min(bytes.length, BUFFER_BYTES - this.#bytes);
    this.#starved = n < bytes.length;
    if (n > 0) this.#send(bytes.slice(0, n));
    return n;
  }

  /** @internal */
  shutdown(): void {
    this.#fin = true;
    this.pump();
  }

  /** @internal Delivers one receive, later, if there is something to deliver. */
  pump(): void {
    if (this.#pumping || !this.#due) return;
    this.#pumping = true;
    this.#path.soon(() => {
      this.#pumping = false;
      if (this.#due) this.#deliver();
      this.pump();
    });
  }

  /** @internal Nothing more arrives. */
  clear(): void {
    this.#flight.length =
      this.#lent.length =
      this.#bytes =
      this.#lentBytes =
        0;
  }

  get #due(): boolean {
    if (this.#state !== "flows" || !this.#to.receives) return false;
    return this.#bytes > 0 || (this.#fin && !this.#finished && this.#lentBytes === 0);
  }

  #deliver(): void {
    if (this.#bytes === 0) {
      this.#finished = true;
      return this.#to.ended();
    }
    const { window, maxReceive, draw } = this.#path;
    // Bun, whose receives are owned, asks nobody how much to bring.
    const asked = this.#to.owns ? maxReceive : Math.min(maxReceive, this.#to.handler!.receiveBytes);
    const n = 1 + Math.floor(draw() * Math.min(this.#bytes, asked));
    const bytes = this.#to.owns ? new Uint8Array(n) : window.subarray(0, n);
    for (let at = 0; at < n;) {
      const first = this.#flight[0]!;
      const some = Math.min(first.length, n - at);
      bytes.set(some === first.length ? first : first.subarray(0, some), at);
      if (some === first.length) this.#flight.shift();
      else this.#flight[0] = first.subarray(some);
      at += some;
    }
    this.#bytes -= n;
    this.#passed += n;
    this.#to.take(bytes);
    // Whoever kept a borrowed view is found out.
    if (!this.#to.owns) bytes.fill(0xdd);
    if (this.#lends) this.#take();
    else if (this.#starved) this.#drained();
  }

  #send(bytes: Uint8Array): void {
    if (this.#cut) return;
    this.#flight.push(bytes);
    this.#bytes += bytes.length;
    this.pump();
  }

  /** The system copies lent memory, later, as far as it has room, and gives it back. */
  #take(): void {
    if (this.#taking || this.#lentBytes === 0 || this.#bytes >= BUFFER_BYTES) return;
    this.#taking = true;
    this.#path.soon(() => {
      this.#taking = false;
      if (this.#from.closed) return;
      let n = 0;
      while (this.#lent.length > 0 && this.#bytes < BUFFER_BYTES) {
        const first = this.#lent[0]!;
        const some = first.subarray(0, BUFFER_BYTES - this.#bytes);
        this.#send(some.slice());
        if (some.length === first.length) this.#lent.shift();
        else this.#lent[0] = first.subarray(some.length);
        n += some.length;
        if (this.#path.draw() < 0.25) break;
      }
      this.#lentBytes -= n;
      if (n > 0) this.#from.handler?.onWritten(n);
      if (this.#starved && this.#lentBytes < BUFFER_BYTES) this.#drained();
      if (this.#lentBytes === 0) this.#from.sent();
      this.#take();
      this.pump();
    });
  }

  #drained(): void {
    this.#starved = false;
    this.#path.soon(() => {
      if (!this.#from.closed) this.#from.handler?.onDrain();
    });
  }
}

/** One connection of a {@linkcode MemoryNetwork}, with its faults. */
export interface MemoryWire {
  /** The source address of the end that dialled. */
  readonly from: { readonly hostname: string; readonly port: number };
  /** From the end that dialled to the end that accepted. */
  readonly out: MemoryDirection;
  /** From the end that accepted to the end that dialled. */
  readonly back: MemoryDirection;
  /**
   * Milliseconds from accept until the accepting end is usable, as TLS would take; `Infinity`: never.
   * Set it in {@linkcode MemoryNetworkOptions.onWire}.
   */
  handshakeMs: number;
  /** Whether the peer has said hello in that time; see {@linkcode PendingSocket.greeted}. */
  greeted: boolean;
  /** Breaks the connection, as the network sees fit: both ends are told of a reset. */
  reset(): void;
}
