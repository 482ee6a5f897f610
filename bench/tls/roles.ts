/**
 * What an end of TLS does in the benchmark, over this library and over the runtime's own ways.
 *
 * A server writes a greeting, of a byte at least, with which one of Bun sends its tickets; takes bytes until the
 * client ends, and then ends too. A client sends, and ends once it has the greeting. All speak ALPN `oap/1`.
 *
 * @module
 */

import { noise } from "../data.ts";

/** Certificate and key of the server; the certificate is its own root. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** What a client does. */
export interface Sending {
  readonly bytes: number;
  /** Bytes of each write. */
  readonly write: number;
  /** Bytes it is greeted with. */
  readonly greeting: number;
}

/** One way to speak TLS. */
export interface Way {
  /** `ours`, `node:tls by hand`, `node:tls`, or the name of the runtime's native API. */
  readonly name: string;
  /** What it lacks of what is configured; it is what a goal is set against where it lacks nothing. */
  readonly lacks?: string;
  /** Listens, and greets with so many bytes; gives its port. */
  serve(pair: Pair, greeting: number): Promise<number>;
  /** Dials, sends, and waits for the greeting and the end of the other. */
  send(port: number, cert: string, work: Sending): Promise<void>;
  /** Milliseconds from the dial to a usable connection. */
  handshake(port: number, cert: string): Promise<number>;
  /** The same for each of so many that take up the session of the one before, where it can. */
  resumed?(port: number, cert: string, count: number): Promise<number[]>;
}

/** Where all listen. */
export const HOST = "127.0.0.1";
/** What bulk is sent in. */
export const LARGE_BLOCK = 262_144;
/** What is sent before it. */
export const SMALL_BLOCK = 65_536;
const NOISE = noise(LARGE_BLOCK);
/** So many bytes to send. */
export const block = (bytes: number): Uint8Array => NOISE.subarray(0, bytes);
/** What all speak. */
export const ALPN: string[] = ["oap/1"];
/** What a greeting of so many bytes is written in. */
export const greetingBlock = (bytes: number): Uint8Array => block(Math.min(bytes, LARGE_BLOCK));
