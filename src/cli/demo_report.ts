/**
 * What the demonstration found: the document of `demo --json`.
 *
 * @module
 */

/** One change of readiness of the receiver. */
export interface TransitionLine {
  readonly from: string;
  readonly to: string;
  readonly reason?: string;
  readonly at: string;
}

/** One of the two processes. */
export interface ProcessLine {
  readonly pid: number;
  readonly runtime: string;
  readonly version: string;
}

/** The main job. */
export interface TransferLine {
  readonly file: string;
  readonly bytes: number;
  readonly frames: number;
  readonly compressedFrames: number;
  readonly wireBytes: number;
  readonly seconds: number;
  readonly mibPerSecond: number;
  readonly tls: string | null;
  /** From the dial until the connection was usable, seen by the sender. */
  readonly handshakeMs: number;
  /** From starting the receiver's process until it said that it listens. */
  readonly startToReadyMs: number;
  /** SHA-256 of what the sender read, what the receiver took, and what is in its file now. */
  readonly sha256: { readonly sender: string; readonly receiver: string; readonly stored: string };
}

/** Memory of the receiver, in bytes. */
export interface MemoryLine {
  readonly idle: number;
  readonly peak: number;
  readonly aboveIdle: number;
  /** Who counted the peak: the operating system, or samples taken while data came. */
  readonly by: "system" | "samples";
  /** The bound that it is held against. */
  readonly bound: number;
}

/** How something was refused: what its close event and the counters say. */
export interface Observed {
  readonly kind: string;
  /** Finer than the kind: the codec's fault, the deadline, or the configuration key. */
  readonly reason: string;
  /** By how much the counter of this refusal went up. */
  readonly counted: number;
  /** From the first bad byte, or the connect, until this end saw the refusal. */
  readonly refusedAfterMs: number;
  /** The same as the refusing side measured it, where it did. */
  readonly listenerMs?: number;
  /** By how much the memory of the refusing process went up, in bytes. */
  readonly memory: { readonly rss: number; readonly heap: number };
}

/** One attempt at what must be refused. */
export interface AttemptLine {
  readonly id: string;
  /** What was tried. */
  readonly tried: string;
  readonly expected: {
    readonly kind: string;
    readonly reason: string;
    readonly counter: string | null;
  };
  /** Absent when nothing was refused in time. */
  readonly observed?: Observed;
  readonly held: boolean;
  /** What is wrong, where it did not hold. */
  readonly why?: string;
}

/** The well-behaved connection beside the attempts. */
export interface HonestLine {
  /** Streams sent beside the attempts, and how many of them were confirmed with the right digest. */
  readonly sent: number;
  readonly confirmed: number;
  /** How the receiver says that it closed. */
  readonly closed: string;
  readonly held: boolean;
}

/** One thing that must hold for exit code 0. */
export interface CheckLine {
  readonly name: string;
  readonly held: boolean;
  readonly found: string;
}

/** The whole document. */
export interface DemoReport {
  readonly receiver: ProcessLine;
  readonly sender: ProcessLine;
  readonly transfer: TransferLine;
  readonly memory: MemoryLine;
  readonly readiness: readonly TransitionLine[];
  readonly refusals: readonly AttemptLine[];
  readonly honest: HonestLine;
  readonly checks: readonly CheckLine[];
  /** Whether all of it held. */
  readonly held: boolean;
}
