/**
 * Tor in this process: the Node-API addon over Arti. It starts no program and opens no SOCKS or control port.
 *
 * Every rejection is an `Error` whose `code` is the name of Arti's `ErrorKind` ("RemoteNetworkTimeout",
 * "OnionServiceNotFound" …) or one of {@linkcode ArtiCode}. No message holds an address.
 *
 * @module
 */

/** Codes of this addon, beside the names of Arti's error kinds. */
export type ArtiCode =
  | "BootstrapTimeout"
  | "NotTmpfs"
  | "Swap"
  | "Unsupported"
  | "Closed"
  | "InvalidConfig";

/** How far bootstrapping is. */
export interface ArtiProgress {
  /** 0 to 1. */
  fraction: number;
  /** Whether traffic can flow. It may become `false` again when the directory gets too old. */
  ready: boolean;
  /** Why it does not go on, if Arti can tell. Never holds an address. */
  blocked?: string;
  /** One line for people. Never holds an address. */
  summary: string;
}

/** What {@linkcode start} needs. */
export interface ArtiOptions {
  /**
   * Arti's own configuration as TOML: network, address filter and so on. Unknown keys are refused, and so are `storage`,
   * which the two directories below set, and `bridges`, which could name a program to start.
   */
  config?: string;
  /** Folder for keys, guards and cache, made with mode 0700. Exactly one of `stateDir` and `memoryDir`. */
  stateDir?: string;
  /**
   * Amnesia: a folder on tmpfs or ramfs, in which a private one of mode 0700 is made, and removed at close. Keys stay on
   * the heap. What processes that died have left there is removed first. Refused with code "NotTmpfs", "Swap" or
   * "Unsupported" where that cannot be had.
   */
  memoryDir?: string;
}

/**
 * Makes a client and begins to bootstrap in the background, on threads of its own. Resolves before it is bootstrapped.
 *
 * @param options Configuration, and where its state goes.
 * @param onProgress Told of each step; does not keep the process alive.
 */
export function start(
  options: ArtiOptions,
  onProgress?: (progress: ArtiProgress) => void,
): Promise<ArtiClient>;

/** Versions of this addon and of Arti in it, e.g. "0.1.0 (arti-client 0.47.0)". */
export const version: string;

/** Removes the memory directories of this process at once; for exit hooks. */
export function removeMemoryDirsSync(): void;

/** A Tor client. */
export class ArtiClient {
  private constructor();
  /** Whether traffic can flow. */
  readonly ready: boolean;
  /**
   * Settles when bootstrapping first succeeds.
   *
   * @param timeoutMs Then it rejects with code "BootstrapTimeout"; bootstrapping goes on.
   */
  bootstrapped(timeoutMs: number): Promise<void>;
  /**
   * Opens a stream by an exit, or to an onion service. One that has not answered for 10 s, and for a third of the time,
   * is dialled once more beside that, isolated; three times in all. The first answer counts.
   *
   * @param host Name or address; names are resolved by the exit.
   * @param port 1 to 65535.
   * @param timeoutMs Then it rejects with code "RemoteNetworkTimeout".
   * @param isolated Shares nothing with other streams: no circuit, no descriptor of a service that Arti has kept.
   */
  connect(host: string, port: number, timeoutMs: number, isolated?: boolean): Promise<ArtiStream>;
  /**
   * Offers an onion service.
   *
   * @param nickname Names its key in the state directory: the same nickname gives the same address again.
   * @param ports The ports it accepts; others are refused.
   */
  serveOnion(nickname: string, ports: number[]): Promise<OnionListener>;
  /**
   * Ends the client, its threads and all that is pending (code "Closed"), and removes its memory directory. Takes at
   * most 500 ms. May be called more than once.
   */
  close(): Promise<void>;
}

/** An onion service. */
export class OnionListener {
  private constructor();
  /** Its name, ending in ".onion". */
  readonly address: string;
  /** The next stream; `null` once closed. */
  accept(): Promise<ArtiStream | null>;
  /** Withdraws the service. Accepted streams go on. */
  close(): Promise<void>;
}

/** A stream. One read and one write may be pending at a time. */
export class ArtiStream {
  private constructor();
  /** A number of this process, equal for streams that came by one rendezvous circuit; 0 for dialled streams. */
  readonly circuit: number;
  /**
   * Fills `into` as far as bytes are at hand; waits for the first.
   *
   * @returns How many came; 0 at the peer's END.
   */
  read(into: Uint8Array): Promise<number>;
  /** Resolves when all bytes were taken and flushed. They are copied by the call, so their memory is free at once. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Sends END after what was written. Tor has no half-close: the peer's END follows, and what it had not sent by then is
   * lost. Bytes that had arrived can still be read.
   */
  end(): Promise<void>;
  /** Ends the stream; pending reads and writes settle at once (code "Closed"). */
  close(): void;
}
