/**
 * `send`: one file as one stream, confirmed by the receiver.
 *
 * @module
 */

import { unlessAborted } from "../abortable.ts";
import { parseAddress } from "../address.ts";
import type { TransportConfig } from "../config/config.ts";
import type { Connection } from "../connection.ts";
import { deferred } from "../deferred.ts";
import { TransportError } from "../errors.ts";
import type { DialOptions } from "../options.ts";
import { corrIds, framed } from "../oap/mod.ts";
import { onInterrupt, processFacts } from "../runtime/host.ts";
import { basename, type InputFile, openInput, readText } from "../runtime/host_files.ts";
import { nativeZstd } from "../runtime/zstd.ts";
import { Transport } from "../transport.ts";
import { bootstrapView } from "./bootstrap_progress.ts";
import type { Command, Parsed, Terminal } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { bytesText, mibPerSecond, msText, rounded, shareText } from "./figures.ts";
import { fileError } from "./file_errors.ts";
import { NO_PROGRESS, progressBar } from "./progress.ts";
import { answersOf, transferFile } from "./send_file.ts";
import type { SendReport } from "./send_report.ts";
import { addTor, allowTorDial, TOR_FLAGS, torHooks } from "./tor.ts";
import { configFromFlags, flagsGiven, TRANSPORT_FLAGS } from "./transport_flags.ts";
import { VERSION } from "./version.ts";

/** The command. */
export const send: Command = {
  spec: {
    name: "send",
    summary: "Send a file to a `serve --dir`, and have it confirm the SHA-256",
    examples: [
      { line: "send FILE tls://127.0.0.1:7443 --ca ca.pem", says: "trusting the roots in ca.pem" },
      { line: "send FILE tcp://127.0.0.1:7000 --json", says: "without encryption; data as JSON" },
      { line: "send FILE unix:/run/app/app.sock", says: "over a Unix socket" },
      { line: "send FILE ADDRESS.onion:7000", says: "over Tor, in this process" },
    ],
    arguments: [{ name: "FILE" }, { name: "ADDR" }],
    flags: [
      { name: "ca", value: "FILE", help: "roots to trust, PEM; without it the system's" },
      { name: "server-name", value: "NAME", help: "name to verify, where it is not the host's" },
      { name: "no-compress", help: "send every frame plain" },
      ...TOR_FLAGS,
      ...TRANSPORT_FLAGS,
    ],
  },
  async run(parsed, terminal) {
    const [path = "", address = ""] = parsed.positionals;
    const dial = { address, ...await dialSetup(parsed, address) };
    const file = await openFile(path);
    const aborted = new AbortController();
    const stop = onInterrupt(() => aborted.abort());
    try {
      const report = await sendOver(dial, path, file, parsed, terminal, aborted.signal);
      return await tell(report, parsed, terminal);
    } catch (error) {
      if (!aborted.signal.aborted) throw error;
      await terminal.err.write("interrupted: the file is not complete at the receiver\n");
      return EXIT.interrupted;
    } finally {
      stop();
      await file.close();
    }
  },
};

interface Dial {
  readonly address: string;
  readonly config: TransportConfig;
  readonly tls: DialOptions["tls"];
}

async function dialSetup(parsed: Parsed, address: string): Promise<Omit<Dial, "address">> {
  const flags = flagsGiven(parsed);
  addTor(flags, parsed, address, false);
  allowTorDial(flags);
  const config = configFromFlags(flags);
  const encrypted = parseAddress(address).transport === "tls" || config.tls?.enabled === true;
  config.bind_addr = null;
  if (encrypted) {
    config.backend ??= "tls";
    config.tls = { enabled: true };
  }
  const ca = parsed.value("ca");
  const serverName = parsed.value("server-name");
  if (!encrypted) return { config, tls: undefined };
  return {
    config,
    tls: {
      ...(ca === undefined ? {} : { ca: await readRoots(ca) }),
      ...(serverName === undefined ? {} : { serverName }),
    },
  };
}

async function readRoots(path: string): Promise<string> {
  try {
    return await readText(path);
  } catch (error) {
    throw fileError("read --ca", path, error, "name a readable PEM file", "config_invalid");
  }
}

async function openFile(path: string): Promise<InputFile> {
  try {
    return await openInput(path);
  } catch (error) {
    throw fileError("read FILE", path, error, "name a readable file", "misuse");
  }
}

async function sendOver(
  dial: Dial,
  path: string,
  file: InputFile,
  parsed: Parsed,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<SendReport> {
  const view = bootstrapView(terminal.err);
  const quiet = parsed.has("quiet") || parsed.has("json");
  const settled = deferred<void>();
  const transport = new Transport(dial.config, {
    ...await torHooks(parsed, { backend: dial.config.backend ?? "tcp" }),
    onBootstrap: (progress) => quiet || view.at(progress),
    onReadiness: ({ to }) => to.state === "Degraded" || settled.resolve(),
  });
  const { runtime, version, pid } = processFacts();
  const bar = parsed.has("quiet")
    ? NO_PROGRESS
    : progressBar(terminal.err, basename(path), file.size);
  try {
    // A dial before Tor has bootstrapped, or after it has not in time, is refused and says why.
    if (transport.readiness.state === "Degraded") {
      await unlessAborted(settled.promise, signal, () => Promise.resolve());
    }
    view.end();
    const connection = await connect(transport, dial, signal);
    const { openedAfterMs, tls } = connection.info;
    const compress = parsed.has("no-compress") ? undefined : await nativeZstd();
    const link = framed(connection, compress === undefined ? {} : { compress });
    const answers = answersOf(link);
    await link.hello(`ron-transport/${VERSION} ${runtime}/${version}`);
    const corrId = corrIds().next();
    const transfer = await transferFile(link, answers, file, corrId, {
      pieceBytes: transport.config.limits.chunk_bytes,
      signal,
      onProgress: (bytes) => bar.at(bytes),
    });
    await link.close();
    await transport.drain(); // on Tor, what was said last gets time to leave
    const { receipt, seconds, ...rest } = transfer;
    return {
      file: path,
      address: dial.address,
      pid,
      runtime,
      version,
      ...rest,
      seconds: rounded(seconds, 6),
      mibPerSecond: rounded(mibPerSecond(rest.bytes, seconds), 1),
      ...(openedAfterMs === undefined ? {} : { handshakeMs: rounded(openedAfterMs) }),
      tls: tls?.version ?? null,
      receiver: receipt,
      intact: receipt.bytes === rest.bytes && receipt.sha256 === rest.sha256,
    };
  } finally {
    view.end();
    bar.end();
    await transport.close();
  }
}

const REMEDIES: Readonly<Record<string, string>> = Object.freeze({
  tls: "trust its roots with --ca FILE, or give the name it is certified for with --server-name",
  io_closed: "see that a server runs there, and that it speaks what the address says",
  timeout: "see that the address is right, or raise --transport.dial-timeout",
});

async function connect(
  transport: Transport,
  { address, tls }: Dial,
  signal: AbortSignal,
): Promise<Connection> {
  try {
    return await transport.dial(address, { signal, ...(tls === undefined ? {} : { tls }) });
  } catch (error) {
    if (!TransportError.is(error)) throw error;
    const remedy = REMEDIES[error.kind];
    if (remedy === undefined) throw error;
    throw new TransportError(
      error.kind,
      `cannot connect to ${address}: ${error.message}; ${remedy}`,
      { op: "dial", cause: error },
    );
  }
}

async function tell(report: SendReport, parsed: Parsed, { out, err }: Terminal): Promise<number> {
  if (parsed.has("json")) await out.write(JSON.stringify(report) + "\n");
  else await out.write(reportText(report));
  if (report.intact) return EXIT.ok;
  const { receiver } = report;
  const got = `${receiver.bytes} B with SHA-256 ${receiver.sha256}`;
  await err.write(`the receiver stored something else: ${got}; send the file again\n`);
  return EXIT.failure;
}

function reportText(report: SendReport): string {
  const took = report.handshakeMs === undefined ? "" : `, open after ${msText(report.handshakeMs)}`;
  return [
    `${report.file}: ${bytesText(report.bytes)} in ${report.frames} frames, ` +
    `${shareText(report.compressedFrames, report.frames)} of them compressed, ` +
    `${report.mibPerSecond.toFixed(1)} MiB/s${took}`,
    `sha256 ${report.sha256}, confirmed by the receiver: ${report.intact ? "yes" : "NO"}`,
    "",
  ].join("\n");
}
