/**
 * An onion service as a bound listener.
 *
 * @module
 */

import type {
  BoundListener,
  CertificateFacts,
  OnAccept,
  ServerTls,
  SocketAddress,
  TlsServerLayer,
} from "../runtime/runtime.ts";
import type { AddonListener, AddonStream } from "./addon.ts";
import type { Departures } from "./departures.ts";
import { ArtiSocket } from "./socket.ts";

/** What streams are taken under. */
export interface StreamTerms {
  readonly layer: TlsServerLayer | undefined;
  readonly onAccept: OnAccept;
}

/** Accepts streams until it is closed, or the service ends. */
export class OnionListener {
  readonly #service: AddonListener;
  readonly #address: SocketAddress;
  readonly #departures: Departures;
  readonly #onFault: (cause: unknown) => void;
  readonly #serverTls: (tls: ServerTls | undefined) => Promise<TlsServerLayer | undefined>;
  readonly #accepting: Promise<void>;
  #terms: StreamTerms;
  #closing: Promise<void> | undefined;

  /**
   * @param service Published.
   * @param port Its port.
   * @param terms What streams are taken under, until they are renewed.
   * @param departures Watches each stream.
   * @param onFault Told when accepting fails.
   * @param serverTls Makes TLS for other terms.
   */
  constructor(
    service: AddonListener,
    port: number,
    terms: StreamTerms,
    departures: Departures,
    onFault: (cause: unknown) => void,
    serverTls: (tls: ServerTls | undefined) => Promise<TlsServerLayer | undefined>,
  ) {
    this.#service = service;
    this.#address = { hostname: service.address, port };
    this.#terms = terms;
    this.#departures = departures;
    this.#onFault = onFault;
    this.#serverTls = serverTls;
    this.#accepting = this.#accept();
  }

  /** The listener as it is under its present terms. */
  bound(): BoundListener {
    const { layer } = this.#terms;
    const common: BoundListener = {
      address: this.#address,
      close: () => this.#closing ??= this.#close(),
      renew: async (tls, onAccept) => {
        const terms = { layer: await this.#serverTls(tls), onAccept };
        return () => {
          this.#terms = terms;
          return this.bound();
        };
      },
    };
    if (layer === undefined) return common;
    return {
      ...common,
      get certificates(): readonly CertificateFacts[] {
        return layer.certificates;
      },
      rotate: (tls) => layer.rotate(tls),
    };
  }

  async #accept(): Promise<void> {
    try {
      for (;;) {
        const stream = await this.#service.accept();
        if (stream === null) return;
        this.#take(this.#departures.watch(stream));
      }
    } catch (cause) {
      if (this.#closing === undefined) this.#onFault(cause);
    }
  }

  #take(stream: AddonStream): void {
    const { layer, onAccept } = this.#terms;
    const socket = new ArtiSocket(stream, stream.circuit);
    const handler = onAccept(socket);
    if (handler === undefined) socket.destroy();
    else if (layer === undefined) socket.open(handler);
    else layer.lay(stream, handler);
  }

  async #close(): Promise<void> {
    await this.#service.close();
    await this.#accepting;
  }
}
