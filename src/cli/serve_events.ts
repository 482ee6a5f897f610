/**
 * What a server tells while it runs: a JSON line an event, or a line for people.
 *
 * @module
 */

import { formatAddress } from "../address.ts";
import type { BootstrapProgress } from "../arti/backend.ts";
import type { ReloadResult } from "../config/config.ts";
import { issueText } from "../config/issues.ts";
import { toml } from "../config/sample.ts";
import type { ConnectionInfo } from "../connection.ts";
import type { TransportCounters } from "../counters.ts";
import type { ConnectionClosed } from "../options.ts";
import { type Readiness, type ReadinessTransition, reasonOf } from "../readiness.ts";
import { memoryUse, processFacts, residentBytes } from "../runtime/host.ts";
import { type BootstrapView, bootstrapView } from "./bootstrap_progress.ts";
import type { Terminal } from "./command.ts";
import { bytesText, mibPerSecond, rounded } from "./figures.ts";
import type { StoredStream } from "./store.ts";

/** Memory of the server, in bytes. */
export interface ServerMemory {
  /** Resident when it became ready. */
  readonly idle: number;
  /** Resident now. */
  readonly rss: number;
  /** JavaScript objects and buffers now. */
  readonly heap: number;
  /** Most that was seen resident since it became ready. */
  readonly peak: number;
}

/** How often the memory is looked at while data comes, in milliseconds. */
const SAMPLE_MS = 5;

/** Tells events. Lines go out in the order they are told. */
export class ServeEvents {
  readonly #terminal: Terminal;
  readonly #json: boolean;
  readonly #quiet: boolean;
  readonly #transitions: ReadinessTransition[] = [];
  #listening = false;
  /** Of a bootstrap, for people. */
  #view: BootstrapView | undefined;
  #idle = 0;
  #peak = 0;
  #sampled = -Infinity;
  #written: Promise<void> = Promise.resolve();

  /** @param terminal Where to. @param json As JSON lines on standard output. @param quiet Nothing for people. */
  constructor(terminal: Terminal, json: boolean, quiet: boolean) {
    this.#terminal = terminal;
    this.#json = json;
    this.#quiet = quiet;
  }

  /** Resolves once everything told so far is written. */
  get written(): Promise<void> {
    return this.#written;
  }

  /** Looks at the memory in use; called wherever much of it may be. */
  sample(): ServerMemory {
    const { rss, heap } = memoryUse();
    this.#peak = Math.max(this.#peak, rss);
    return { idle: this.#idle, rss, heap, peak: this.#peak };
  }

  /** Data came: looks at the resident memory, at most every few milliseconds. */
  busy(): void {
    const now = performance.now();
    if (now - this.#sampled < SAMPLE_MS) return;
    this.#sampled = now;
    this.#peak = Math.max(this.#peak, residentBytes());
  }

  /** A change of readiness. Those before `listening` are told with it. */
  readiness(transition: ReadinessTransition): void {
    this.#transitions.push(transition);
    if (!this.#listening) return;
    this.#data({ event: "readiness", ...transitionData(transition) });
    this.#message(`${stateText(transition.from)} -> ${stateText(transition.to)}`);
  }

  /** Tor has come further. */
  bootstrap(progress: BootstrapProgress): void {
    if (this.#listening) return;
    if (this.#json) this.#data({ event: "bootstrap", ...progress });
    else if (!this.#quiet) (this.#view ??= bootstrapView(this.#terminal.err)).at(progress);
  }

  /** The listener is ready: the first line, but for a bootstrap. */
  listening(
    address: string,
    certificate: string | undefined,
    readyMs: number,
    metrics: { readonly hostname: string; readonly port: number } | undefined,
  ): void {
    const { pid, runtime, version } = processFacts();
    this.#idle = memoryUse().rss;
    this.#peak = this.#idle;
    this.#listening = true;
    this.#view?.end();
    this.#data({
      listening: address,
      pid,
      runtime,
      version,
      readyMs: rounded(readyMs),
      readiness: this.#transitions.map(transitionData),
      memory: this.sample(),
      ...(metrics === undefined ? {} : { metrics: formatAddress(metrics) }),
      ...(certificate === undefined ? {} : { certificate }),
    });
    if (metrics !== undefined) {
      this.#message(`metrics on http://${formatAddress(metrics)}/metrics`);
    }
    this.#message(`listening on ${address} (pid ${pid}, ${runtime} ${version}); Ctrl-C drains`);
  }

  /** A connection is usable. */
  opened(info: ConnectionInfo): void {
    const { id, backend, remote, tls, openedAfterMs = 0 } = info;
    this.#data({ event: "opened", id, backend, remote, tls, handshakeMs: rounded(openedAfterMs) });
  }

  /** A stream is stored. */
  stored(stream: StoredStream): void {
    this.#data({
      event: "stored",
      ...stream,
      seconds: rounded(stream.seconds, 6),
      memory: this.sample(),
    });
    const rate = mibPerSecond(stream.bytes, stream.seconds).toFixed(0);
    this.#message(`stored ${stream.file}: ${bytesText(stream.bytes)} at ${rate} MiB/s`);
  }

  /** A stream was refused. */
  refused(status: number, why: string): void {
    this.#data({ event: "refused", status, why });
    this.#message(`refused a stream: ${why} (${status})`);
  }

  /** A connection is over. */
  closed(event: ConnectionClosed, counters: TransportCounters): void {
    const { info, reason, durationMs, bytesIn, bytesOut } = event;
    this.#data({
      event: "closed",
      id: info.id,
      backend: info.backend,
      remote: info.remote,
      bytesIn,
      bytesOut,
      kind: reason.kind,
      by: reason.by,
      ...(reason.fault === undefined ? {} : { fault: reason.fault }),
      ...(reason.error === undefined ? {} : { op: reason.error.op, message: reason.error.message }),
      durationMs: rounded(durationMs),
      ...(info.openedAfterMs === undefined ? {} : { handshakeMs: rounded(info.openedAfterMs) }),
      counters,
      memory: this.sample(),
    });
    if (reason.kind === "closed") return;
    this.#message(`connection ${info.id}: ${reason.error?.message ?? reason.kind}`);
  }

  /** Another configuration was offered. */
  reloaded({ result, version, diff, widened, issues }: ReloadResult): void {
    this.#data({ event: "reloaded", result, version, diff, widened, issues });
    const what = issues === undefined
      ? diff.map(({ path, from, to }) => `${path} ${toml(from)} -> ${toml(to)}`).join(", ")
      : issues.map(issueText).join("; ");
    const less = widened.length === 0 ? "" : `; bounds less: ${widened.join(", ")}`;
    this.#message(
      `configuration ${result} (version ${version}): ${what || "no difference"}${less}`,
    );
  }

  /** Something that people should know. */
  warning(text: string): void {
    this.#data({ event: "warning", text });
    this.#message(`warning: ${text}`);
  }

  /** What was asked for on standard input. */
  status(readiness: Readiness, counters: TransportCounters): void {
    this.#data({ event: "status", readiness, counters, memory: this.sample() });
  }

  /** The listener is done. */
  drained(cut: boolean, counters: TransportCounters): void {
    this.#data({ event: "drained", cut, counters, memory: this.sample() });
    this.#message(cut ? "stopped; work was cut" : "drained");
  }

  #data(line: object): void {
    if (this.#json) this.#put(this.#terminal.out.write, JSON.stringify(line));
  }

  #message(text: string): void {
    if (!this.#json && !this.#quiet) this.#put(this.#terminal.err.write, text);
  }

  #put(write: (text: string) => Promise<void>, line: string): void {
    this.#written = Promise.all([this.#written, write(line + "\n")]).then(() => undefined);
  }
}

function transitionData({ from, to, ts }: ReadinessTransition): object {
  const reason = reasonOf(to);
  return { from: from.state, to: to.state, ...(reason === undefined ? {} : { reason }), at: ts };
}

function stateText(readiness: Readiness): string {
  const reason = reasonOf(readiness);
  return reason === undefined ? readiness.state : `${readiness.state} (${reason})`;
}
