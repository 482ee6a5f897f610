/**
 * The demonstration: a real file goes through, and what must be refused is refused.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { RuntimeName } from "../runtime/host.ts";
import {
  type Digest,
  join,
  openInput,
  removePath,
  sha256,
  temporaryDirectory,
  writeText,
} from "../runtime/host_files.ts";
import { checksOf } from "./demo_checks.ts";
import { Honest } from "./demo_honest.ts";
import { Receiver, type StoredLine } from "./demo_receiver.ts";
import { type Target, tryAll } from "./demo_refusals.ts";
import type { DemoReport, MemoryLine, TransferLine } from "./demo_report.ts";
import { runSender } from "./demo_sender.ts";
import { rounded } from "./figures.ts";
import type { SendReport } from "./send_report.ts";

/** What to demonstrate, with what. */
export interface DemoOptions {
  readonly file: string;
  readonly receiver: RuntimeName;
  readonly sender: RuntimeName;
  readonly quiet: boolean;
  /** Told of each stage. */
  readonly onStage: (text: string) => void;
}

/** A silent client has this long: less than by default, yet enough for a machine just started. */
const HANDSHAKE_TIMEOUT = "2s";
/** How long the receiver may take to tell that it stored the file, or to drain. */
const RECEIVER_MS = 30_000;
/** How much more memory than idle the receiver may take. */
const MOST_ABOVE_IDLE = 100 * 1_048_576;

/**
 * Runs the whole demonstration.
 *
 * @param options What to demonstrate.
 * @param signal Stops it: both processes end in order.
 * @throws {TransportError} When it could not be carried out.
 */
export async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<DemoReport> {
  const directory = await temporaryDirectory();
  let receiver: Receiver | undefined;
  try {
    options.onStage(`starting a receiver on ${options.receiver}`);
    receiver = await Receiver.start({
      runtime: options.receiver,
      directory,
      handshakeTimeout: HANDSHAKE_TIMEOUT,
    });
    return await demonstrate(options, receiver, directory, signal);
  } finally {
    await receiver?.stop(RECEIVER_MS);
    await removePath(directory);
  }
}

async function demonstrate(
  options: DemoOptions,
  receiver: Receiver,
  directory: string,
  signal: AbortSignal,
): Promise<DemoReport> {
  const { listening: address, certificate: ca } = receiver.listening;
  const target: Target = { receiver, address, ca };
  const caFile = join(directory, "ca.pem");
  await writeText(caFile, ca);

  options.onStage(`sending ${options.file} from ${options.sender}`);
  const { file, sender: runtime, quiet } = options;
  const sent = await runSender({ runtime, file, address, ca: caFile, quiet }, signal);
  const stored = await receiver.stored(RECEIVER_MS);
  if (stored === undefined) {
    throw new TransportError("internal", "the receiver did not tell that it stored the file", {
      op: "demo",
    });
  }
  const transfer = await transferLine(sent, stored, receiver.startToReadyMs);
  const memory = memoryLine(receiver, stored);

  options.onStage("trying what must be refused, beside an honest connection");
  const honestOne = await Honest.connect(target, file);
  const refusals = await tryAll(target, honestOne, signal);
  const honest = await honestOne.finish(target);

  options.onStage("draining the receiver");
  const exitCode = await receiver.stop(RECEIVER_MS);
  const { pid, version } = receiver.listening;
  const findings = { transfer, memory, readiness: receiver.readiness, refusals, honest };
  const checks = checksOf(findings, exitCode);
  return {
    receiver: { pid, runtime: receiver.listening.runtime, version },
    sender: { pid: sent.pid, runtime: sent.runtime, version: sent.version },
    ...findings,
    checks,
    held: checks.every(({ held }) => held),
  };
}

async function transferLine(
  sent: SendReport,
  stored: StoredLine,
  startToReadyMs: number,
): Promise<TransferLine> {
  const { file, bytes, frames, compressedFrames, wireBytes, seconds, mibPerSecond, tls } = sent;
  return {
    ...{ file, bytes, frames, compressedFrames, wireBytes, seconds, mibPerSecond, tls },
    handshakeMs: sent.handshakeMs ?? 0,
    startToReadyMs: rounded(startToReadyMs),
    sha256: { sender: sent.sha256, receiver: stored.sha256, stored: await digestOf(stored.file) },
  };
}

function memoryLine(receiver: Receiver, stored: StoredLine): MemoryLine {
  const { idle } = receiver.listening.memory;
  const { peak, by } = receiver.peak(stored.memory);
  return { idle, peak, by, aboveIdle: peak - idle, bound: MOST_ABOVE_IDLE };
}

/** SHA-256 of what is on the disk. */
async function digestOf(path: string): Promise<string> {
  const digest: Digest = sha256();
  const file = await openInput(path);
  try {
    const piece = new Uint8Array(1_048_576);
    for (let n = await file.read(piece); n > 0; n = await file.read(piece)) {
      digest.update(piece.subarray(0, n));
    }
  } finally {
    await file.close();
  }
  return digest.hex();
}
