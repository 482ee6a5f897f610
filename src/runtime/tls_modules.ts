/**
 * The modules that TLS needs, loaded when the first listener or dial asks for it.
 *
 * @module
 */

/** See the module. */
export interface TlsModules {
  readonly net: typeof import("node:net");
  readonly tls: typeof import("node:tls");
  readonly crypto: typeof import("node:crypto");
  readonly util: typeof import("node:util");
  readonly Duplex: typeof import("node:stream").Duplex;
}

/** Loads them; a second call costs nothing. */
export async function loadTlsModules(): Promise<TlsModules> {
  const [net, tls, crypto, util, stream] = await Promise.all([
    import("node:net"),
    import("node:tls"),
    import("node:crypto"),
    import("node:util"),
    import("node:stream"),
  ]);
  return { net, tls, crypto, util, Duplex: stream.Duplex };
}
