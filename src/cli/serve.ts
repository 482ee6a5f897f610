/**
 * `serve`: a listener that stores streams or echoes requests.
 *
 * @module
 */

import { formatAddress } from "../address.ts";
import { watchConfig } from "../config/watch.ts";
import { lineLogger } from "../log/lines.ts";
import { inputLines, onInterrupt } from "../runtime/host.ts";
import type { HttpHost } from "../runtime/host_http.ts";
import { Transport } from "../transport.ts";
import type { Command, Parsed, Terminal } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { serveConnection } from "./serve_connection.ts";
import { ServeEvents } from "./serve_events.ts";
import { serveMetrics } from "./serve_metrics.ts";
import { type ServeSetup, serveSetup } from "./serve_setup.ts";
import { StreamStore } from "./store.ts";
import { TOR_FLAGS, torHooks } from "./tor.ts";
import { TRANSPORT_FLAGS } from "./transport_flags.ts";

/** Why a listen was given up. */
const INTERRUPTED = new Error("interrupted");

/** How long work under way may take after an interrupt, in milliseconds. */
const DRAIN_MS = 5_000;

/** The command. */
export const serve: Command = {
  spec: {
    name: "serve",
    summary: "Listen, and store the streams that come or echo the requests",
    examples: [
      {
        line: "serve --addr tls://127.0.0.1:7443 --throwaway-cert ca.pem --dir received",
        says: "store streams; senders trust ca.pem, which is written anew",
      },
      {
        line: "serve --addr tls://0.0.0.0:7443 --cert cert.pem --key key.pem --dir received",
        says: "the same with a certificate of yours",
      },
      {
        line: "serve --config ron-transport.toml",
        says: "all of it from a file, reloaded when that changes",
      },
      {
        line: "serve --addr tcp://127.0.0.1:7000 --metrics 127.0.0.1:9464",
        says: "echo; /metrics for Prometheus, /ready and /live for probes",
      },
      { line: "serve --addr tcp://127.0.0.1:0 --json", says: "echo on a free port, told as JSON" },
      {
        line: "serve --backend arti --transport.arti-state tor --dir received",
        says: "an onion service, with the same address each time it is started",
      },
    ],
    arguments: [],
    flags: [
      {
        name: "config",
        value: "FILE",
        help: "configuration, TOML or JSON; SIGHUP or a change reloads it",
      },
      { name: "transport.config", value: "FILE", help: "the same" },
      {
        name: "addr",
        value: "ADDR",
        help: "tcp://HOST:PORT, tls://HOST:PORT, unix:/PATH or arti://NAME:PORT; port 0 is any",
      },
      { name: "cert", value: "FILE", help: "certificate chain, PEM" },
      { name: "key", value: "FILE", help: "its private key, PEM" },
      {
        name: "throwaway-cert",
        value: "FILE",
        help: "make a certificate for localhost, write it here (- tells it in the first JSON line)",
      },
      { name: "dir", value: "DIR", help: "store streams here, under names made here" },
      { name: "max-stream", value: "SIZE", help: "largest stream to store (64 GiB)" },
      { name: "echo", help: "answer each request with its own payload; the default" },
      { name: "metrics", value: "HOST:PORT", help: "serve /metrics, /ready and /live over HTTP" },
      { name: "log", help: "write the log to standard error, by log.level and log.format" },
      { name: "control", help: "answer `status` lines on standard input; its end drains" },
      ...TOR_FLAGS,
      ...TRANSPORT_FLAGS,
    ],
  },
  run: async (parsed, terminal) => await runServer(await serveSetup(parsed), parsed, terminal),
};

async function runServer(setup: ServeSetup, parsed: Parsed, terminal: Terminal): Promise<number> {
  const events = new ServeEvents(terminal, parsed.has("json"), parsed.has("quiet"));
  const { loaded, sources } = setup;
  const transport: Transport = new Transport(loaded.document, {
    ...loaded.hooks,
    ...await torHooks(parsed, loaded.config),
    onBootstrap: (progress) => events.bootstrap(progress),
    ...(parsed.has("log") ? { logger: lineLogger((line) => void terminal.err.write(line)) } : {}),
    onReadiness: (transition) => events.readiness(transition),
    onConnectionClosed: (event) => events.closed(event, transport.counters()),
  });
  // From before the first line on: whoever reads that may stop this server at once.
  const { ended, stop } = watch(parsed.has("control"), () => {
    events.status(transport.readiness, transport.counters());
  });
  // Only a file can change; a signal ends a server that has none, as it ends any program.
  const reloads = sources.file === undefined
    ? undefined
    : await watchConfig(transport, loaded, sources, {
      rebind: true,
      onReload: (outcome) => events.reloaded(outcome),
      onFault: (error) => events.warning(error.message),
    });
  let http: HttpHost | undefined;
  try {
    if (setup.metrics !== undefined) http = await serveMetrics(setup.metrics, transport);
    return await serveUntil(ended, transport, setup, events, http);
  } catch (error) {
    await transport.close();
    throw error;
  } finally {
    stop();
    await http?.close();
    await reloads?.close();
  }
}

async function serveUntil(
  ended: Promise<Ended>,
  transport: Transport,
  setup: ServeSetup,
  events: ServeEvents,
  http: HttpHost | undefined,
): Promise<number> {
  const start = performance.now();
  const names = fileNames();
  const running = new Set<Promise<void>>();
  let draining = false;
  let cut = false;
  const { material, address } = setup;
  // To listen takes a while on Tor, and can be interrupted.
  const listening = new AbortController();
  void ended.then(() => listening.abort(INTERRUPTED));
  const listener = await transport.listen({
    signal: listening.signal,
    ...(address === undefined ? {} : { address }),
    ...(material === undefined ? {} : { tls: () => material }),
    onConnection(connection) {
      events.opened(connection.info);
      const work = serveConnection(connection, storeFor(setup, names), events).then((open) => {
        cut ||= draining && open;
        running.delete(work);
      });
      running.add(work);
      return work;
    },
  }).catch((error: unknown) => {
    if (error === INTERRUPTED) return undefined;
    throw error;
  });
  if (listener === undefined) {
    await transport.close();
    return EXIT.interrupted;
  }
  const { transport: _carrier, ...where } = listener.address;
  events.listening(formatAddress(where), setup.told, performance.now() - start, http);
  for (const warning of setup.loaded.warnings) events.warning(warning);

  const how = await ended;
  draining = true;
  await transport.drain(DRAIN_MS);
  await Promise.all(running);
  events.drained(cut, transport.counters());
  await events.written;
  return cut && how === "interrupted" ? EXIT.interrupted : EXIT.ok;
}

function storeFor(setup: ServeSetup, name: () => string): StreamStore | undefined {
  const { directory, mostBytes } = setup;
  if (directory === undefined) return undefined;
  return new StreamStore({ directory, name, mostBytes, now: () => performance.now() });
}

/** Names that do not repeat: when this server started, a random part, and a number. */
function fileNames(): () => string {
  const started = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const random = crypto.randomUUID().slice(0, 8);
  let n = 0;
  return () => `stream-${started}-${random}-${++n}.bin`;
}

/** What ends a server. */
type Ended = "interrupted" | "released";

interface Watch {
  readonly ended: Promise<Ended>;
  /** Stops listening to signals; the next one ends the process. */
  stop(): void;
}

/** Watches for an interrupt, or with `control` for the end of input; asks for the status in between. */
function watch(control: boolean, onStatus: () => void): Watch {
  let stop = (): void => undefined;
  const ended = new Promise<Ended>((resolve) => {
    stop = onInterrupt(() => {
      stop();
      resolve("interrupted");
    });
    if (!control) return;
    void (async () => {
      for await (const line of inputLines()) if (line.trim() === "status") onStatus();
      resolve("released");
    })();
  });
  return { ended, stop: () => stop() };
}
