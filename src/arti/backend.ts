/**
 * The border between a transport and Tor: what a transport gives, and what it gets.
 *
 * The core knows these types and nothing below them: the code is in the entry `./arti`, which a host
 * imports and passes in.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { ConfigSnapshot } from "../config/config.ts";
import type { TransportError } from "../errors.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** How far Tor has bootstrapped. The texts hold no address. */
export interface BootstrapProgress {
  /** From 0 to 1. */
  readonly fraction: number;
  /** Whether traffic can flow. */
  readonly ready: boolean;
  /** What holds it up, if something is known to. */
  readonly blocked?: string;
  /** What is going on, for people. */
  readonly summary: string;
}

/** Tor, as `arti()` of `./arti` gives it to {@linkcode TransportHooks.arti}. */
export interface ArtiBackend {
  /**
   * Begins to bootstrap a client of its own for one transport.
   *
   * @throws {TransportError} `config_invalid` where the addon cannot be loaded.
   * @internal
   */
  open(context: ArtiContext): ArtiSession;
}

/** What a transport gives. */
export interface ArtiContext {
  /** The configuration now. */
  readonly config: () => ConfigSnapshot;
  /** Time. */
  readonly clock: Clock;
  /** The runtime below, which TLS comes from. */
  readonly runtime: () => Promise<Runtime>;
  /** Told when {@linkcode ArtiSession.state} has changed; must not throw. */
  readonly onState: () => void;
  /** Told of progress; must not throw. */
  readonly onProgress: (progress: BootstrapProgress) => void;
}

/**
 * Where bootstrapping stands. It only goes forward: `ready` is for good, as a client that lost its network
 * finds it again by itself, and meanwhile dials fail on their own.
 */
export type BootstrapState = "bootstrapping" | "late" | "ready";

/** A client of one transport. */
export interface ArtiSession {
  /** Where its bootstrap stands. */
  readonly state: BootstrapState;
  /** The sockets: streams over Tor. */
  readonly runtime: Runtime;
  /** Why nothing can be dialled or offered now; `undefined` once ready. */
  refusal(op: "dial" | "listen"): TransportError | undefined;
  /**
   * Resolves when what was written and ended has had time to arrive, which Tor does not tell.
   *
   * @param until When the wait is over in any case, by the clock.
   */
  departed(until: number): Promise<void>;
  /** Lets go of the client and all it keeps in memory. Idempotent. */
  close(): Promise<void>;
}
