/**
 * TLS as a user asks for it: where certificates come from, whom to trust, whom to let in.
 *
 * @module
 */

import type { ConnectionInfo } from "../connection.ts";

/** A certificate chain and its private key, as PEM text or bytes. */
export interface TlsMaterial {
  /** The chain, leaf first. */
  cert: string | Uint8Array;
  /** The private key of the leaf. Bytes can be wiped once they are parsed (`amnesia.enabled`), text cannot. */
  key: string | Uint8Array;
}

/**
 * Where TLS material comes from: files, a KMS or a secret store alike. A listener asks when it binds
 * and at each {@linkcode Listener.rotate}, a client at each dial. With several, each serves the names
 * in its own certificate, and the first also every other name.
 */
export type TlsMaterialSource = () =>
  | TlsMaterial
  | readonly TlsMaterial[]
  | Promise<TlsMaterial | readonly TlsMaterial[]>;

/** TLS as a listener needs it. */
export interface TlsServerOptions {
  /** Certificate and key, several of them, or who gives them. */
  material: TlsMaterial | readonly TlsMaterial[] | TlsMaterialSource;
  /** Roots as PEM that client certificates must chain to. */
  ca?: string | readonly string[];
  /** Whether each client must show a certificate that chains to `ca`. @default Whether `ca` is given. */
  requestCert?: boolean;
  /** Protocols of which the client must offer one, best first; empty asks for none. @default {["oap/1"]} */
  alpn?: readonly string[];
}

/** TLS as a dial needs it. */
export interface TlsClientOptions {
  /** Trusted roots as PEM. @default The runtime's own store. */
  ca?: string | readonly string[];
  /** The name to send and verify. @default `tls_client.sni_override`, then the dialled host. */
  serverName?: string;
  /** Protocols of which the server must choose one, best first; empty asks for none. @default `tls_client.alpn`, then `oap/1`. */
  alpn?: readonly string[];
  /** The certificate and key to show to a server that asks for one, or who gives them. */
  material?: TlsMaterial | TlsMaterialSource;
}

/**
 * Decides whether a connection is let in, after its handshake and before anyone gets it. The
 * handshake's or the dial's deadline runs on meanwhile.
 *
 * @param info What is known of it; with TLS the peer's certificate is in `info.tls.peer`.
 * @param signal Aborted when the connection is over, by its deadline too.
 * @returns `true` or nothing lets it in. Anything else, and throwing, refuses it.
 */
export type Authorize = (
  info: ConnectionInfo,
  signal: AbortSignal,
) => boolean | void | Promise<boolean | void>;
