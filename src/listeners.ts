/**
 * The listeners of a transport: how they are bound, under which terms, and how all of them change.
 *
 * @module
 */

import { formatAddress } from "./address.ts";
import type { ConfigSnapshot } from "./config/config.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { misuse } from "./errors.ts";
import { tell } from "./hooks.ts";
import { unlessAborted } from "./abortable.ts";
import { listenError } from "./listen_error.ts";
import { Listener } from "./listener.ts";
import type { ListenOptions, TransportHooks } from "./options.ts";
import { type Move, prepareMove, staysAt, type Terms } from "./rebind.ts";
import { bindPlace, resolveAddress, type ResolvedAddress } from "./resolve_address.ts";
import {
  type BoundListener,
  type Runtime,
  type ServerTls,
  TlsMaterialError,
} from "./runtime/runtime.ts";
import { gate, type GateRules } from "./tls/gate.ts";
import { materialError, pqRule, serverTls } from "./tls/material.ts";
import type { TlsMaterialSource } from "./tls/options.ts";
import { certificateWarnings } from "./tls/warnings.ts";
import { requireUids, uidLack } from "./uds/users.ts";
import type { WorkState } from "./work_state.ts";

/** See the module. A listener is among them from its bind until it stops. */
export class Listeners {
  readonly #table: ConnectionTable;
  readonly #work: WorkState;
  readonly #hooks: TransportHooks;
  readonly #runtime: () => Promise<Runtime>;
  readonly #bound = new Map<Listener, ListenOptions>();
  #uidLack: string | undefined; // of Unix sockets, once it was asked

  /**
   * @param table Takes the connections.
   * @param work Told of binds and failures.
   * @param hooks Of the host.
   * @param runtime The sockets.
   */
  constructor(
    table: ConnectionTable,
    work: WorkState,
    hooks: TransportHooks,
    runtime: () => Promise<Runtime>,
  ) {
    this.#table = table;
    this.#work = work;
    this.#hooks = hooks;
    this.#runtime = runtime;
  }

  /** See {@linkcode Transport.listen}. */
  async listen(options: ListenOptions): Promise<Listener> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#work.draining) throw misuse("listen", "the transport is draining");
    const config = this.#table.config();
    const asked = options.address ?? bindPlace(config);
    if (asked === null) throw misuse("listen", "bind_addr is null: this transport only dials");
    const target = resolveAddress(asked, options.tls !== undefined, config);
    try {
      return await this.#bind(target, options, config);
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      const [error, reason] = listenError(cause, formatAddress(target.address));
      this.#work.failed(reason);
      throw error;
    }
  }

  /**
   * Makes the change of all ready that were given no address of their own, or of none.
   *
   * @param to The configuration that is to come.
   * @throws When one cannot be made ready; nothing has changed then.
   */
  async prepareMoves(to: ConfigSnapshot): Promise<Move[]> {
    const moves: Move[] = [];
    try {
      for (const [listener, options] of this.#bound) {
        if (options.address === undefined) moves.push(await this.#move(listener, options, to));
      }
      return moves;
    } catch (cause) {
      await Promise.all(moves.map((move) => move.undo()));
      throw cause;
    }
  }

  /** See {@linkcode Transport.rotate}. */
  async rotate(): Promise<void> {
    const secured = [...this.#bound.keys()].filter(({ bound }) => bound?.rotate !== undefined);
    const outcomes = await Promise.allSettled(secured.map((listener) => listener.rotate()));
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  /** What the runtime lacks to tell users, while a Unix listener is open. */
  get uidLack(): string | undefined {
    const open = [...this.#bound.keys()].some(({ address }) => address.path !== undefined);
    return open ? this.#uidLack : undefined;
  }

  /** Drains all of them. */
  async drain(ms: number | undefined): Promise<void> {
    await Promise.all([...this.#bound.keys()].map((listener) => listener.drain(ms)));
  }

  /** Closes all of them. */
  async close(): Promise<void> {
    await Promise.all([...this.#bound.keys()].map((listener) => listener.close()));
  }

  async #bind(
    target: ResolvedAddress,
    options: ListenOptions,
    config: ConfigSnapshot,
  ): Promise<Listener> {
    const { address } = target;
    const { signal, onConnection } = options;
    const onAbort = (): void => void listener.close();
    const accepts = (): boolean => this.#work.accepts;
    const listener: Listener = new Listener(address, this.#table, onConnection, accepts, () => {
      if (this.#bound.delete(listener)) this.#work.listensNoMore();
      signal?.removeEventListener("abort", onAbort);
    });
    const { tls, onAccept, onFault, rotate } = await this.#terms(
      listener,
      options,
      target,
      config,
    );
    const runtime = await this.#runtime();
    const binding = runtime.listen(address, tls, onAccept, onFault);
    const bound = await unlessAborted(binding, signal, (late) => late.close());
    listener.bind(bound, rotate && (() => rotate(bound)));
    this.#table.counters.of(address.transport!); // its series are there from now on
    this.#warn(bound);
    this.#bound.set(listener, options);
    this.#work.listens();
    // Both may have come while it was binding.
    if (this.#work.draining || signal?.aborted) await listener.close();
    signal?.throwIfAborted();
    signal?.addEventListener("abort", onAbort, { once: true });
    return listener;
  }

  async #move(listener: Listener, options: ListenOptions, to: ConfigSnapshot): Promise<Move> {
    const runtime = await this.#runtime();
    const place = bindPlace(to);
    if (place === null) return await prepareMove(runtime, listener, undefined, false);
    const { address: asked, secured } = resolveAddress(place, options.tls !== undefined, to);
    const same = staysAt(listener, asked);
    const { port } = listener.address;
    const address = same && asked.path === undefined
      ? { ...asked, port: port ?? asked.port }
      : asked;
    const terms = await this.#terms(listener, options, { address, secured }, to);
    return await prepareMove(runtime, listener, terms, same);
  }

  /** What a listener's sockets are taken under: at its bind, and anew at a rebind. */
  async #terms(
    listener: Listener,
    options: ListenOptions,
    { address, secured }: ResolvedAddress,
    config: ConfigSnapshot,
  ): Promise<Terms> {
    const fetchTls = (config: ConfigSnapshot): Promise<ServerTls> =>
      serverTls(options.tls ?? this.#namedMaterial(config), config);
    const tls = secured ? await fetchTls(config) : undefined;
    const lack = await uidLack(await this.#runtime(), address);
    requireUids(lack, config.uds.allow_uids);
    this.#uidLack ??= lack;
    const rules: GateRules = {
      tls: tls !== undefined,
      alpn: tls?.alpn ?? [],
      ...pqRule(config),
      authorize: options.authorize,
    };
    return {
      address,
      tls,
      onAccept: (pending) => {
        const link = listener.accept(pending, address);
        return link && gate(link, rules);
      },
      onFault: (cause) => {
        this.#table.counters.acceptFaults++;
        this.#table.log.acceptFault(address.transport!, cause);
      },
      rotate: tls &&
        (async (bound) => await this.#rotate(bound, await fetchTls(this.#table.config()))),
    };
  }

  /** The material of the configured paths, if there are any. */
  #namedMaterial(config: ConfigSnapshot): TlsMaterialSource | undefined {
    const { material } = this.#hooks;
    if (material === undefined || config.tls.cert_path === "") return undefined;
    return () => material(config);
  }

  async #rotate(bound: BoundListener, tls: ServerTls): Promise<void> {
    if (bound.rotate === undefined) throw misuse("rotate", "this runtime has no TLS to rotate");
    try {
      await bound.rotate(tls);
    } catch (cause) {
      throw cause instanceof TlsMaterialError ? materialError(cause, "rotate") : cause;
    }
    this.#warn(bound);
  }

  #warn({ certificates = [] }: BoundListener): void {
    for (const warning of certificateWarnings(certificates)) {
      tell(this.#table.counters, () => this.#hooks.onWarning?.(warning));
    }
  }
}
