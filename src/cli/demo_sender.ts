/**
 * The sender of the demonstration: a `send` in a process of its own.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { RuntimeName } from "../runtime/host.ts";
import { spawnSelf } from "../runtime/host_child.ts";
import type { SendReport } from "./send_report.ts";

/** How the sender is started. */
export interface SenderOptions {
  readonly runtime: RuntimeName;
  readonly file: string;
  readonly address: string;
  /** File with the receiver's certificate. */
  readonly ca: string;
  readonly quiet: boolean;
}

/**
 * Sends the file; a progress bar goes to the terminal, if there is one.
 *
 * @param options What, where to, on which runtime.
 * @param signal Has the process terminate.
 * @throws {TransportError} When it failed without a report; its own message is on standard error.
 */
export async function runSender(options: SenderOptions, signal: AbortSignal): Promise<SendReport> {
  const { runtime, file, address, ca, quiet } = options;
  const child = await spawnSelf(runtime, [
    ...["send", file, `tls://${address}`, "--ca", ca, "--json"],
    ...(quiet ? ["--quiet"] : []),
  ]);
  const stop = (): void => child.kill("ask");
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const lines: string[] = [];
  for await (const line of child.lines) lines.push(line);
  const code = await child.exited;
  signal.removeEventListener("abort", stop);
  signal.throwIfAborted();
  const report = lines[0];
  if (report !== undefined) return JSON.parse(report) as SendReport;
  throw new TransportError("internal", `the sender on ${runtime} ended with exit code ${code}`, {
    op: "demo",
  });
}
