/** A TLS listener and dials to it, for tests. */
import {
  type Connection,
  type ConnectionClosed,
  type DialOptions,
  type Listener,
  type ListenOptions,
  Transport,
  type TransportConfig,
  type TransportHooks,
} from "../../mod.ts";
import { type ThrowAwayAuthority, throwAwayAuthority } from "../../src/testing/mod.ts";

const TLS: TransportConfig = { backend: "tls", tls: { enabled: true } };

let authority: Promise<ThrowAwayAuthority> | undefined;

/** The authority that the certificates of these tests come from. */
export function testAuthority(): Promise<ThrowAwayAuthority> {
  return authority ??= throwAwayAuthority();
}

/** What both sides are made of. */
export interface EndsOptions {
  readonly server?: TransportConfig;
  readonly client?: TransportConfig;
  readonly serverHooks?: TransportHooks;
  readonly listen?: ListenOptions;
}

/** A server that listens, and a client. */
export class Ends implements AsyncDisposable {
  readonly server: Transport;
  readonly client: Transport;
  /** Connections of the server that closed. */
  readonly closed: ConnectionClosed[] = [];
  /** Connections that the server was given. */
  readonly accepted: Connection[] = [];
  listener!: Listener;
  #waiting: (() => void)[] = [];

  private constructor(options: EndsOptions) {
    this.server = new Transport({ ...TLS, ...options.server }, {
      ...options.serverHooks,
      onConnectionClosed: (event) => {
        this.closed.push(event);
        this.#wake();
      },
    });
    this.client = new Transport({ ...options.client });
  }

  static async open(options: EndsOptions = {}): Promise<Ends> {
    const ends = new Ends(options);
    const material = await (await testAuthority()).issue();
    ends.listener = await ends.server.listen({
      address: "tls://127.0.0.1:0",
      tls: () => material,
      onConnection: async (connection) => {
        ends.accepted.push(connection);
        ends.#wake();
        await connection.closed;
      },
      ...options.listen,
    });
    return ends;
  }

  /** Where the server listens. */
  get port(): number {
    const { address } = this.listener;
    return address.port ?? 0;
  }

  async dial(tls: DialOptions["tls"] = {}, options: DialOptions = {}): Promise<Connection> {
    const { cert } = await testAuthority();
    return await this.client.dial(this.listener.address, { tls: { ca: cert, ...tls }, ...options });
  }

  /** The first connection that the server was given. */
  async accept(): Promise<Connection> {
    await this.until(() => this.accepted.length > 0);
    return this.accepted.shift()!;
  }

  /** Waits until `holds`, which connections that open or close can bring about. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.server.close();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
