/**
 * Tor as a runtime: it connects and listens like the runtime below, over streams of one client.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { deferred } from "../deferred.ts";
import { TransportError } from "../errors.ts";
import { heldOpen } from "../runtime/host_addon.ts";
import type {
  BoundListener,
  ClientTls,
  OnAccept,
  PendingSocket,
  Runtime,
  ServerTls,
  SocketAddress,
  SocketHandler,
  StreamTls,
  TlsLayer,
} from "../runtime/runtime.ts";
import type { AddonClient, AddonStream } from "./addon.ts";
import type { ArtiContext } from "./backend.ts";
import { Departures } from "./departures.ts";
import { codeOf, dialError } from "./faults.ts";
import { OnionListener } from "./listener.ts";
import { publish } from "./publish.ts";
import { ArtiSocket } from "./socket.ts";

/** The name of the service that an IP address stands for, as in `bind_addr`. */
const SERVICE = "ron-transport";
/** The port that 0 stands for: a service has all of them to itself. */
const PORT = 7_000;
/**
 * Arti says that it has bootstrapped a moment before it has chosen the relays that guard the way to an
 * onion service, and refuses dials until then. So long a dial tries again, with a pause between, in
 * milliseconds.
 */
const SETTLE_MS = 3_000;
const PAUSE_MS = 50;

/** See the module. */
export class TorRuntime implements Runtime {
  readonly name = "tor";
  readonly version = "3";
  readonly #context: ArtiContext;
  readonly #client: () => Promise<AddonClient>;
  /** What may still be on its way. */
  readonly departures: Departures;

  /** @param context What the transport gives. @param client The client, once it has bootstrapped. */
  constructor(context: ArtiContext, client: () => Promise<AddonClient>) {
    this.#context = context;
    this.#client = client;
    this.departures = new Departures(context.clock);
  }

  async connect(
    address: SocketAddress,
    tls: ClientTls | undefined,
    handler: SocketHandler,
  ): Promise<PendingSocket> {
    const { hostname, port } = hostOf(address);
    const layer = tls && (await this.#tls()).client(tls);
    const client = await this.#client();
    const { config, clock } = this.#context;
    const { dial_timeout, arti } = config();
    const dial = new Dial(handler, clock);
    const connect = async (): Promise<AddonStream> => {
      if (arti.pre_dial_delay > 0) await dial.pause(arti.pre_dial_delay);
      const until = clock.now() + SETTLE_MS;
      for (;;) {
        try {
          return await client.connect(hostname, port, dial_timeout);
        } catch (cause) {
          if (codeOf(cause) !== "BootstrapRequired" || clock.now() >= until) throw cause;
          await dial.pause(PAUSE_MS);
        }
      }
    };
    connect().then(
      (stream) => dial.connected(this.departures.watch(stream), layer),
      (cause) => dial.failed(cause),
    );
    return dial;
  }

  async listen(
    address: SocketAddress,
    tls: ServerTls | undefined,
    onAccept: OnAccept,
    onFault: (cause: unknown) => void,
  ): Promise<BoundListener> {
    const { hostname, port } = hostOf(address);
    const serverTls = async (tls: ServerTls | undefined) =>
      tls && await (await this.#tls()).server(tls);
    const layer = await serverTls(tls);
    const client = await this.#client();
    const nickname = isIpAddress(hostname) ? SERVICE : hostname;
    const service = await publish(client, nickname, port || PORT, this.#context.clock);
    const { departures } = this;
    return new OnionListener(
      service,
      port || PORT,
      { layer, onAccept },
      departures,
      onFault,
      serverTls,
    ).bound();
  }

  async #tls(): Promise<StreamTls> {
    const below = await this.#context.runtime();
    if (below.streamTls !== undefined) return await below.streamTls();
    throw new TransportError(
      "config_invalid",
      `TLS over Tor needs a runtime that can lay TLS over a stream, and ${below.name} cannot: ` +
        "set tls.enabled = false",
      { op: "config" },
    );
  }
}

/** A dial that can be given up; Tor's own cannot, so what comes of it later is closed. */
class Dial implements PendingSocket {
  readonly remote = undefined;
  readonly #handler: SocketHandler;
  readonly #clock: Clock;
  #over = false;
  #next: PendingSocket | undefined;
  #wake = (): void => {};

  constructor(handler: SocketHandler, clock: Clock) {
    this.#handler = handler;
    this.#clock = clock;
  }

  async pause(ms: number): Promise<void> {
    const { promise, resolve } = deferred<void>();
    this.#wake = resolve;
    const timer = this.#clock.after(ms, resolve);
    await heldOpen(promise);
    timer.cancel(); // it has fired, or the dial was given up
    if (this.#over) throw new Error("the dial was given up");
  }

  connected(stream: AddonStream, layer: TlsLayer | undefined): void {
    if (this.#over) return stream.close();
    if (layer !== undefined) this.#next = layer.lay(stream, this.#handler);
    else {
      const socket = new ArtiSocket(stream);
      this.#next = socket;
      socket.open(this.#handler);
    }
  }

  failed(cause: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.onClose({ type: "system", cause: dialError(cause) });
  }

  destroy(): void {
    if (this.#next !== undefined) return this.#next.destroy();
    if (this.#over) return;
    this.#over = true;
    this.#wake();
    queueMicrotask(() => this.#handler.onClose(undefined));
  }
}

/** Paths were refused where the address was read. */
function hostOf(address: SocketAddress): { readonly hostname: string; readonly port: number } {
  if ("port" in address) return address;
  throw new TransportError("config_invalid", "Tor has no Unix sockets", { op: "address" });
}

function isIpAddress(hostname: string): boolean {
  return hostname.includes(":") || /^[0-9.]+$/.test(hostname);
}
