/**
 * What is moved end to end, and what each peer must be able to do.
 *
 * Server and client of a peer run in processes of their own. Every message is counted on its arrival, with a
 * sum that only the right bytes give: a peer that loses or mixes up messages is an error, not a fast peer.
 *
 * @module
 */

/** One kind of work. */
export interface Job {
  /**
   * `flow`: the client sends messages one after the other, and the server answers the last one.
   * `ask`: the server sends every message back, and the client has so many on their way at a time.
   */
  readonly kind: "flow" | "ask";
  /** Bytes of a message. */
  readonly bytes: number;
  /** Messages that wait for their answers at a time; 1 for `flow`. */
  readonly inflight: number;
  /** Connections that share the messages of `ask`, each with so many on their way. @default {1} */
  readonly connections?: number;
  /** More connections, which move nothing. @default {0} */
  readonly idle?: number;
}

/** What has arrived. */
export interface Tally {
  /** Messages; 0 where the peer has none, and counts bytes only. */
  messages: number;
  /** Bytes of the messages; of a peer without messages, as many as this library needs for them. */
  bytes: number;
  /** `flow`: the last byte of each message. `ask`: the number in each message. Modulo 2^32. */
  sum: number;
}

/** The end that listens. */
export interface Server {
  /** Where, on 127.0.0.1. */
  readonly port: number;
  /** What arrived since the last call. */
  tally(): Tally;
  /** Ends all that is held. */
  close(): Promise<void> | void;
}

/** The end that connects. */
export interface Client {
  /**
   * Does the work once.
   *
   * @param count Messages.
   * @returns The answers; for `flow` only the last one's count is looked at.
   */
  run(count: number): Promise<Tally>;
  /** Ends all that is held. */
  close(): Promise<void> | void;
}

/** Something that moves messages. */
export interface Peer {
  /** Starts the end that listens. */
  serve(job: Job): Promise<Server>;
  /** Starts the end that connects. */
  connect(job: Job, port: number): Promise<Client>;
}

/** Byte that ends every message of a flow but the last one. */
export const MORE = 7;
/** Byte that ends a flow. No other byte of a message has this value. */
export const LAST = 255;
/** Where the number of a message is in it, for `ask`: 32 bits, big-endian. */
export const NUMBER_AT = 4;

/** A message of a flow. */
export function message(bytes: number, end: number): Uint8Array {
  const made = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) made[i] = (i * 31 + (i >> 8)) % 255;
  if (bytes > 0) made[bytes - 1] = end;
  return made;
}

/** What must arrive of `count` messages. */
export function expected({ kind, bytes }: Job, count: number): Tally {
  const ends = bytes === 0 ? 0 : (count - 1) * MORE + LAST;
  const sum = kind === "flow" ? ends : (count * (count - 1)) / 2;
  return { messages: count, bytes: count * bytes, sum: sum % 2 ** 32 };
}

/** Counts what arrives. */
export class Counting {
  messages = 0;
  bytes = 0;
  sum = 0;

  /** What was counted; then from nothing again. */
  take(): Tally {
    const { messages, bytes, sum } = this;
    this.messages = this.bytes = this.sum = 0;
    return { messages, bytes, sum: sum % 2 ** 32 };
  }
}

/** Dials so many times, some at a time. */
export async function many<T>(count: number, dial: () => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  let left = count;
  const some = async (): Promise<void> => {
    while (left-- > 0) made.push(await dial());
  };
  await Promise.all(Array.from({ length: 64 }, some));
  return made;
}

/** The numbers that one of several connections asks with, when `count` are asked in all. */
export function share(count: number, connections: number, i: number): { from: number; to: number } {
  return {
    from: Math.floor((count * i) / connections),
    to: Math.floor((count * (i + 1)) / connections),
  };
}

/** What several connections have counted. */
export function total(tallies: readonly Tally[]): Tally {
  const sum = { messages: 0, bytes: 0, sum: 0 };
  for (const one of tallies) {
    sum.messages += one.messages;
    sum.bytes += one.bytes;
    sum.sum += one.sum;
  }
  return { ...sum, sum: sum.sum % 2 ** 32 };
}
