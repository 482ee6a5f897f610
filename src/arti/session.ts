/**
 * The client of one transport, from the start of its bootstrap to its end.
 *
 * @module
 */

import type { Timer } from "../clock.ts";
import { deferred } from "../deferred.ts";
import { TransportError } from "../errors.ts";
import { onExit } from "../runtime/host_addon.ts";
import type { AddonClient, AddonProgress, ArtiAddon } from "./addon.ts";
import type { ArtiContext, ArtiSession, BootstrapState } from "./backend.ts";
import { codeOf, startError } from "./faults.ts";
import { TorRuntime } from "./runtime.ts";
import { addonOptions } from "./settings.ts";

/** Longest wait that a timer of the addon takes, in milliseconds; the deadline is kept here. */
const NO_DEADLINE_MS = 2_147_483_647;

/**
 * See the module. Invariant: `state` goes forward only, and `onState` is called once for each step; a client
 * that was started is closed exactly once.
 */
export class Session implements ArtiSession {
  readonly runtime: TorRuntime;
  readonly #addon: ArtiAddon;
  readonly #context: ArtiContext;
  /** For those that wait for the bootstrap; settled when it is done, late or given up. */
  readonly #bootstrap = deferred<AddonClient>();
  readonly #deadline: Timer;
  readonly #started: Promise<AddonClient | undefined>;
  readonly #forgetExit: () => void;
  #client: AddonClient | undefined; // once it has bootstrapped
  #state: BootstrapState = "bootstrapping";
  #fault: TransportError | undefined;
  #blocked: string | undefined;
  #fraction = 0;
  #closing: Promise<void> | undefined;

  /** @param addon Loaded. @param context What the transport gives. */
  constructor(addon: ArtiAddon, context: ArtiContext) {
    this.#addon = addon;
    this.#context = context;
    this.runtime = new TorRuntime(context, () => this.#bootstrapped());
    this.#bootstrap.promise.catch(() => {}); // whoever waits is told; nobody has to
    const { amnesia, arti } = context.config();
    // What is in memory must not outlive a process that ends without closing.
    this.#forgetExit = amnesia.enabled ? onExit(() => addon.removeMemoryDirsSync()) : () => {};
    this.#deadline = context.clock.after(arti.bootstrap_timeout, () => this.#late());
    this.#started = this.#start();
  }

  get state(): BootstrapState {
    return this.#state;
  }

  refusal(op: "dial" | "listen"): TransportError | undefined {
    if (this.#closing !== undefined) return closed(op);
    if (this.#state === "ready") return undefined;
    if (this.#fault !== undefined) return this.#fault;
    const { bootstrap_timeout } = this.#context.config().arti;
    const at = `${Math.floor(this.#fraction * 100)} %`;
    const held = this.#blocked === undefined ? "" : `, held up: ${this.#blocked}`;
    const what = this.#state === "bootstrapping"
      ? `Tor bootstraps, ${at} done${held}: wait until the transport is Ready`
      : `Tor has not bootstrapped within ${bootstrap_timeout} ms (arti.bootstrap_timeout), ${at} done${held}: ` +
        "see that its relays can be reached and the clock is right; it goes on trying";
    return new TransportError("arti_bootstrap", what, { op });
  }

  async departed(until: number): Promise<void> {
    if (this.#closing === undefined) await this.runtime.departures.gone(until);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#deadline.cancel();
    this.#bootstrap.reject(closed("listen"));
    try {
      await (await this.#started)?.close();
    } finally {
      this.#forgetExit();
    }
  }

  /** The client once it has bootstrapped, or why there is none in time. */
  async #bootstrapped(): Promise<AddonClient> {
    const refusal = this.#state === "bootstrapping" ? undefined : this.refusal("listen");
    if (refusal !== undefined) throw refusal;
    return this.#client ?? await this.#bootstrap.promise;
  }

  /** Never rejects: what is wrong is in `#fault`. */
  async #start(): Promise<AddonClient | undefined> {
    let client: AddonClient | undefined;
    try {
      const options = await addonOptions(this.#context.config());
      client = await this.#addon.start(options, (progress) => this.#progress(progress));
      void this.#await(client);
    } catch (cause) {
      this.#failed(startError(cause));
    }
    return client;
  }

  async #await(client: AddonClient): Promise<void> {
    try {
      await client.bootstrapped(NO_DEADLINE_MS);
      this.#ready(client);
    } catch (cause) {
      if (codeOf(cause) !== "Closed") this.#failed(startError(cause));
    }
  }

  #progress({ fraction, ready, blocked, summary }: AddonProgress): void {
    if (this.#closing !== undefined) return;
    this.#fraction = fraction;
    this.#blocked = blocked;
    this.#context.onProgress(Object.freeze({
      fraction,
      ready,
      ...(blocked === undefined ? {} : { blocked }),
      summary,
    }));
  }

  #ready(client: AddonClient): void {
    if (this.#closing !== undefined) return;
    this.#deadline.cancel();
    this.#client = client;
    this.#bootstrap.resolve(client);
    this.#to("ready");
  }

  #late(): void {
    this.#to("late");
    this.#bootstrap.reject(this.refusal("listen"));
  }

  #failed(error: TransportError): void {
    if (this.#closing !== undefined) return;
    this.#deadline.cancel();
    this.#fault = error;
    this.#bootstrap.reject(error);
    this.#to("late");
  }

  #to(state: BootstrapState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#context.onState();
  }
}

function closed(op: "dial" | "listen"): TransportError {
  return new TransportError("misuse", `Cannot ${op}: the transport is closed`, { op });
}
