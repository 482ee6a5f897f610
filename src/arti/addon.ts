/**
 * What the native addon offers: Arti, the Tor client in Rust, behind a few promises.
 *
 * The package `@ron/transport-arti` implements this; so does the stand-in of `./testing`.
 *
 * @module
 */

import type { ByteStream } from "../runtime/runtime.ts";

/** How far bootstrapping has come. Texts never hold an address. */
export interface AddonProgress {
  /** From 0 to 1. */
  readonly fraction: number;
  /** Whether traffic can flow. */
  readonly ready: boolean;
  /** What holds it up, if something is known to. */
  readonly blocked?: string;
  /** What is going on. */
  readonly summary: string;
}

/** What a client is made of. */
export interface AddonOptions {
  /** Arti's own configuration, as TOML. */
  readonly config?: string;
  /** Directory for what Tor keeps. Exactly one of this and `memoryDir`. */
  readonly stateDir?: string;
  /** Directory in memory in which a private one is made, and removed at close. */
  readonly memoryDir?: string;
}

/** The addon. */
export interface ArtiAddon {
  /** Its version. */
  readonly version?: string;
  /** Makes a client, which begins to bootstrap; resolves before it has. */
  start(
    options: AddonOptions,
    onProgress?: (progress: AddonProgress) => void,
  ): Promise<AddonClient>;
  /** Removes this process's directories in memory; for the end of the process. */
  removeMemoryDirsSync(): void;
}

/** A Tor client. Errors have a `code`: the name of Arti's error kind, or one of the addon's own. */
export interface AddonClient {
  /** Resolves once it has bootstrapped; code `BootstrapTimeout` when it has not in time, and it goes on. */
  bootstrapped(timeoutMs: number): Promise<void>;
  /** Whether traffic can flow. */
  readonly ready: boolean;
  /** Opens a stream through an exit, or to an onion service; an isolated one uses nothing that others left. */
  connect(
    host: string,
    port: number,
    timeoutMs: number,
    isolated?: boolean,
  ): Promise<AddonStream>;
  /** Offers an onion service under a name, on these ports. */
  serveOnion(nickname: string, ports: number[]): Promise<AddonListener>;
  /** Drops the client with all it keeps in memory. Idempotent. */
  close(): Promise<void>;
}

/** An onion service. */
export interface AddonListener {
  /** Its address, which ends in `.onion`. */
  readonly address: string;
  /** The next stream; `null` once closed. */
  accept(): Promise<AddonStream | null>;
  /** Offers it no more. */
  close(): Promise<void>;
}

/** A stream: what was written arrives in order; `end` ends both directions. */
export interface AddonStream extends ByteStream {
  /** A number for the circuit it came by; 0 where that is not known. */
  readonly circuit: number;
}
