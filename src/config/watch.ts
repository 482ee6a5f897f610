/**
 * Reloads when the files of a configuration change, or on a hang-up signal.
 *
 * @module
 */

import { type Clock, systemClock, type Timer } from "../clock.ts";
import { TransportError } from "../errors.ts";
import { onHangup } from "../runtime/host.ts";
import { watchFiles } from "../runtime/host_config.ts";
import type { ReloadResult, TransportConfig } from "./config.ts";
import { ConfigError } from "./issues.ts";
import { type ConfigSources, loadConfig, type LoadedConfig } from "./load.ts";

/** What is reloaded: a `Transport`. */
export interface Reloadable {
  /** See `Transport.reload`. */
  reload(document: TransportConfig): ReloadResult;
  /** See `Transport.rejectReload`. */
  rejectReload(error: ConfigError): ReloadResult;
  /** See `Transport.rebind`. */
  rebind(): Promise<ReloadResult>;
  /** See `Transport.rotate`. */
  rotate(): Promise<void>;
}

/** Options of {@linkcode watchConfig}. */
export interface WatchOptions {
  /** Whether a change of the files reloads. @default {true} */
  files?: boolean;
  /** Whether SIGHUP reloads, where the system has it. @default {true} */
  hangup?: boolean;
  /** Whether a reload that needs a rebind is followed by one. @default {false} */
  rebind?: boolean;
  /** Told of each reload, after the fact. With `rebind`, of what the rebind came to. */
  onReload?: (outcome: ReloadResult) => void;
  /** Told of what a reload cannot carry: a folder that cannot be watched, a certificate that cannot be used. */
  onFault?: (error: TransportError) => void;
  /** Monotonic time. @default The runtime's. */
  clock?: Clock;
}

/** A running watch; see {@linkcode watchConfig}. */
export interface ConfigWatch extends AsyncDisposable {
  /** Reloads now, without waiting for the files to be quiet. */
  reload(): Promise<ReloadResult>;
  /** Stops watching, and waits for a reload under way. Idempotent. */
  close(): Promise<void>;
}

/** How long files must be quiet after a change or a signal, in milliseconds. */
const QUIET_MS = 500;
/** How long changes without a pause can put a reload off, in milliseconds. */
const MOST_WAIT_MS = 2_000;

/**
 * Keeps a transport at what its sources say: a change of the file, of the certificate or of the key, or a
 * SIGHUP, reloads the whole, half a second after the last of them.
 *
 * What is broken, or gone, is refused, and the last good configuration stays. One reload runs at a time.
 * Files that did not change in content are no change; a signal always reloads.
 *
 * @param transport What to reload.
 * @param loaded What it was made of.
 * @param sources The same that `loadConfig` was given.
 * @param options What triggers, and whom to tell.
 *
 * @example
 * ```ts
 * import { Transport } from "@ron/transport";
 * import { loadConfig, watchConfig } from "@ron/transport/config";
 *
 * const sources = { file: "ron-transport.toml" };
 * const loaded = await loadConfig(sources);
 * await using transport = new Transport(loaded.document, loaded.hooks);
 * await using _watch = await watchConfig(transport, loaded, sources, { rebind: true });
 * ```
 */
export async function watchConfig(
  transport: Reloadable,
  loaded: LoadedConfig,
  sources: ConfigSources,
  options: WatchOptions = {},
): Promise<ConfigWatch> {
  const watch = new Watch(transport, loaded, sources, options);
  await watch.start();
  return {
    reload: () => watch.reload(),
    close: () => watch.close(),
    [Symbol.asyncDispose]: () => watch.close(),
  };
}

class Watch {
  readonly #transport: Reloadable;
  readonly #sources: ConfigSources;
  readonly #options: WatchOptions;
  readonly #clock: Clock;
  #loaded: LoadedConfig;
  /** What the last load was refused for; the same again is no news. */
  #refused: string | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #since = 0;
  #signalled = false;
  #closed = false;
  #stopSignal: (() => void) | undefined;
  #stopFiles: (() => void) | undefined;

  constructor(
    transport: Reloadable,
    loaded: LoadedConfig,
    sources: ConfigSources,
    options: WatchOptions,
  ) {
    this.#transport = transport;
    this.#loaded = loaded;
    // A file that was there and is gone would set every key back to its default.
    this.#sources = { ...sources, mustExist: sources.mustExist === true || loaded.found };
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async start(): Promise<void> {
    if (this.#options.hangup ?? true) {
      this.#stopSignal = onHangup(() => {
        this.#signalled = true;
        this.#trigger();
      });
    }
    await this.#watchFiles();
  }

  reload(): Promise<ReloadResult> {
    const next = this.#running.then(() => this.#reload(true));
    this.#running = next.catch(() => undefined);
    return next as Promise<ReloadResult>;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#stopSignal?.();
    this.#stopFiles?.();
    await this.#running;
  }

  /** Something may have changed: waits until it is quiet, but not for ever. */
  #trigger(): void {
    if (this.#closed) return;
    const now = this.#clock.now();
    if (this.#timer === undefined) this.#since = now;
    this.#timer?.cancel();
    const wait = Math.min(QUIET_MS, Math.max(0, this.#since + MOST_WAIT_MS - now));
    this.#timer = this.#clock.after(wait, () => {
      this.#timer = undefined;
      const always = this.#signalled;
      this.#signalled = false;
      this.#running = this.#running.then(() => this.#reload(always)).catch((error: unknown) => {
        this.#fault(error);
      });
    });
  }

  /** @param always Whether it counts even if nothing is new. */
  async #reload(always: boolean): Promise<ReloadResult | undefined> {
    const before = this.#loaded;
    const loaded = await this.#load(always);
    if (loaded === undefined) return undefined;
    if ("result" in loaded) return loaded;
    if (!always && this.#refused === undefined && loaded.digest === before.digest) return undefined;
    this.#refused = undefined;
    let outcome = this.#transport.reload(loaded.document);
    if (outcome.result === "rebind_required" && this.#options.rebind === true) {
      outcome = await this.#transport.rebind();
    } else if (outcome.result === "applied" && loaded.config.tls.enabled) {
      await this.#transport.rotate().catch((error: unknown) => this.#fault(error));
    }
    if (outcome.result !== "rejected") this.#loaded = loaded;
    this.#told(outcome);
    await this.#watchFiles();
    return outcome;
  }

  async #load(always: boolean): Promise<LoadedConfig | ReloadResult | undefined> {
    try {
      const loaded = await loadConfig(this.#sources);
      if (loaded.found) this.#sources.mustExist = true;
      return loaded;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (!always && this.#refused === error.message) return undefined;
      this.#refused = error.message;
      const outcome = this.#transport.rejectReload(error);
      this.#told(outcome);
      return outcome;
    }
  }

  /** Anew after each load: links may point elsewhere, and paths may be others. */
  async #watchFiles(): Promise<void> {
    if (this.#options.files === false || this.#closed) return;
    const { stop, unwatched } = await watchFiles(this.#loaded.files, () => this.#trigger());
    // Not before: what changes meanwhile must be seen by one of the two.
    this.#stopFiles?.();
    this.#stopFiles = stop;
    if (this.#closed) return stop();
    // What changed since the files were read, and before a runtime really watches, is looked for once.
    this.#trigger();
    for (const folder of unwatched) {
      const what = `Cannot watch ${folder}: reload by SIGHUP, or call reload()`;
      this.#fault(new TransportError("config_invalid", what, { op: "watch" }));
    }
  }

  #told(outcome: ReloadResult): void {
    try {
      this.#options.onReload?.(outcome);
    } catch {
      // The host's own affair: it must not end the watch.
    }
  }

  #fault(cause: unknown): void {
    try {
      this.#options.onFault?.(TransportError.from(cause, "internal", { op: "watch" }));
    } catch {
      // As above.
    }
  }
}
