/**
 * The seam between this library and a JavaScript runtime: sockets that push.
 *
 * Everything that names Deno, Bun or `node:` is in this folder, behind the interfaces here. Calls
 * are synchronous and bytes arrive in one receive window shared by all sockets, so that an idle
 * connection pins no buffer; promises and streams are built above, once, in `connection.ts`.
 *
 * @module
 */

/** Where to connect to or listen on. A `port` of 0 asks for any free one. */
export type SocketAddress =
  | { readonly hostname: string; readonly port: number }
  | { readonly path: string };

/** What is known of a socket once it is usable. */
export interface SocketInfo {
  /** The address of the other end; absent on Unix sockets. */
  readonly remote?: { readonly hostname: string; readonly port: number };
  /** The address of this end. */
  readonly local?: { readonly hostname: string; readonly port: number };
  /** The user at the other end of a Unix socket, where the runtime can tell. */
  readonly uid?: number;
  /** What the TLS handshake settled; absent without TLS. */
  readonly tls?: TlsInfo;
}

/** What a TLS handshake settled. */
export interface TlsInfo {
  /** Protocol version, always `TLSv1.3`. */
  readonly version: string;
  /** The protocol both ends agreed on by ALPN, if any. */
  readonly alpn: string | undefined;
  /** The cipher suite, where the runtime tells. */
  readonly cipher: string | undefined;
  /** The host name that the client sent, if any. */
  readonly serverName: string | undefined;
  /** The key-exchange group, such as `X25519` or `X25519MLKEM768`, where the runtime tells. */
  readonly group: string | undefined;
  /** What kind of key exchange was negotiated: `off` classical, `hybrid` with a post-quantum part. */
  readonly pq: "off" | "hybrid" | "unknown";
  /** The peer's certificate, if it sent one; it was verified. */
  readonly peer: PeerCertificate | undefined;
}

/** Facts of a certificate. */
export interface CertificateFacts {
  /** Whom it is for, such as `CN=api, O=Example`. */
  readonly subject: string;
  /** Who signed it. */
  readonly issuer: string;
  /** Names it is for, such as `DNS:api.example` or `IP Address:192.0.2.1`. */
  readonly subjectAltNames: readonly string[];
  /** Serial number in hex. */
  readonly serialNumber: string;
  /** SHA-256 over the certificate, as hex pairs with colons. */
  readonly fingerprint256: string;
  /** Start of its validity, ISO 8601. */
  readonly validFrom: string;
  /** End of its validity, ISO 8601. */
  readonly validTo: string;
}

/** Facts of the certificate that the other end proved to have. */
export interface PeerCertificate extends CertificateFacts {
  /** Whether it chains to a trusted root and is in its validity; connections without that are refused. */
  readonly authorized: boolean;
}

/** A certificate chain and its private key. PEM text or bytes. */
export interface KeyPair {
  /** The chain, leaf first. */
  readonly cert: string | Uint8Array;
  /** The private key of the leaf. */
  readonly key: string | Uint8Array;
}

/** What both ends of TLS have in common. */
export interface TlsOptions {
  /** Protocols to accept or offer, best first. Empty: no ALPN. */
  readonly alpn: readonly string[];
  /** Key-exchange groups, best first, and no others. Empty: those of the runtime. */
  readonly groups: readonly string[];
  /** Whether bytes of keys are overwritten with zeros once they are parsed, and no session is kept. */
  readonly keepsNothing: boolean;
}

/** TLS as a server needs it. */
export interface ServerTls extends TlsOptions {
  /** At least one; each serves the names it certifies, the first also every other. */
  readonly certificates: readonly KeyPair[];
  /** Roots as PEM that a client's certificate must chain to; `undefined` asks for none. */
  readonly clientCa: string | readonly string[] | undefined;
}

/** TLS as a client needs it. */
export interface ClientTls extends TlsOptions {
  /** The name to verify the certificate against, and to send as SNI unless it is an IP address. */
  readonly serverName: string;
  /** Trusted roots as PEM; `undefined` is the runtime's own store. */
  readonly ca: string | readonly string[] | undefined;
  /** What to prove ourselves with, where the server asks. */
  readonly certificate: KeyPair | undefined;
}

/** Why a socket closed; absent when both ends closed it in order. */
export interface SocketFault {
  /** `reset`: broken by the peer or the network. `tls`: handshake or record error. `refused`: nothing listens. `system`: anything else. */
  readonly type: "reset" | "tls" | "refused" | "system";
  /** The error of the runtime. */
  readonly cause: unknown;
}

/**
 * What happens to one socket. Calls come one at a time, never from inside a call of {@linkcode Socket}.
 * `onOpen` comes before `onBytes`, and `onClose` comes last, exactly once.
 */
export interface SocketHandler {
  /** Most bytes of the next receive, where the runtime can be told; asked before each. */
  readonly receiveBytes: number;
  /** Usable: connected, and with TLS the handshake is done. */
  onOpen(socket: Socket): void;
  /**
   * Bytes arrived. Unless `owned`, they are valid only inside this call: copy what must last.
   *
   * @returns `false` to pause reading.
   */
  onBytes(bytes: Uint8Array, owned: boolean): boolean;
  /** `n` bytes of earlier writes, oldest first, are no longer read by the runtime: their memory is free again. */
  onWritten(n: number): void;
  /** A write that took less than it was offered can go on. */
  onDrain(): void;
  /** The peer will send no more: FIN, with TLS behind its close_notify. */
  onEnd(): void;
  /** The socket is gone. */
  onClose(fault: SocketFault | undefined): void;
}

/** One open socket. After `destroy` or `onClose`, calls do nothing. */
export interface Socket {
  /** What is known of it. */
  readonly info: SocketInfo;
  /** Whether it can end its own side and still receive. Tor's streams cannot. @default {true} */
  readonly halfCloses?: boolean;
  /** Whether written memory stays lent until `onWritten`. If not, it is free when `write` returns, and `onWritten` is never called. */
  readonly lends: boolean;
  /**
   * Hands bytes to the runtime, without copying them.
   *
   * @returns How many were taken. Where the socket lends, they must not change until `onWritten` has
   * counted them. Less than offered: offer the rest after `onDrain`.
   */
  write(bytes: Uint8Array): number;
  /**
   * As {@linkcode Socket.write} for several pieces, one behind the other, by one call to the kernel: where
   * the runtime offers nothing like it, this is missing.
   *
   * @returns How many bytes were taken. The socket does not lend.
   */
  readonly writev?: ((parts: readonly Uint8Array[]) => number) | undefined;
  /** Holds writes back, where the runtime can send several at once, until {@linkcode Socket.uncork}. */
  cork(): void;
  /** Sends what `cork` held back. */
  uncork(): void;
  /** No more writes: FIN once all taken bytes are sent; with TLS, close_notify first. */
  shutdown(): void;
  /** Gives up the socket now, with all unsent bytes; with a reset where the runtime can. */
  destroy(): void;
  /** Stops `onBytes`. */
  pause(): void;
  /** Lets `onBytes` go on. */
  resume(): void;
}

/** TLS material that cannot be used: it does not parse, is not valid now, or its key is another's. */
export class TlsMaterialError extends Error {}

/** A Unix socket cannot be bound, or its peers not be told apart, for a reason that is not the system's. */
export class UnixSocketError extends Error {
  /** The kind of the error that comes of it. */
  readonly kind: "bind_failed" | "config_invalid";

  /**
   * @param message What is wrong, and what to do.
   * @param kind The kind of the error that comes of it. @default {"bind_failed"}
   */
  constructor(message: string, kind: "bind_failed" | "config_invalid" = "bind_failed") {
    super(message);
    this.kind = kind;
  }
}

/** A socket that is not usable yet: its deadline belongs to whoever holds this. */
export interface PendingSocket {
  /** The address of the other end, where it is known. */
  readonly remote: { readonly hostname: string; readonly port: number } | undefined;
  /**
   * The user at the other end of a Unix socket; `null` where the runtime can tell and failed to,
   * which refuses an accepted one.
   */
  readonly uid?: number | null | undefined;
  /** What stands for a peer that has no address, where something does: a circuit of Tor. */
  readonly circuit?: number | undefined;
  /** Whether the peer has sent a whole ClientHello, where that is looked at. */
  readonly greeted?: boolean;
  /** Gives it up; `onClose` follows. */
  destroy(): void;
}

/** Called for every accepted socket before any TLS byte is read. Return nothing to close it at once. */
export type OnAccept = (socket: PendingSocket) => SocketHandler | undefined;

/** A bound listener. */
export interface BoundListener {
  /** Where it listens; the port is the real one. */
  readonly address: SocketAddress;
  /** The certificates in use, with TLS. */
  readonly certificates?: readonly CertificateFacts[];
  /** Stops accepting. Accepted sockets live on. Resolves once the address is free. */
  close(): Promise<void>;
  /**
   * Uses other certificates for handshakes from now on, once they were proved by a handshake with
   * ourselves. With TLS only.
   *
   * @throws {TlsMaterialError} When they cannot be used; those before stay in use.
   */
  rotate?(tls: ServerTls): Promise<void>;
  /**
   * Makes ready that sockets accepted from some moment on go to another, under other TLS or none, without
   * letting go of the address.
   *
   * @returns What does it, at once, and gives the listener as it is then; `undefined` where the runtime
   * cannot.
   * @throws {TlsMaterialError} When the material cannot be used; nothing has changed then.
   */
  renew?(
    tls: ServerTls | undefined,
    onAccept: OnAccept,
  ): Promise<(() => BoundListener) | undefined>;
}

/** Bytes that are pulled and no socket of the runtime's: one read and one write at a time. */
export interface ByteStream {
  /** Fills `into` as far as bytes are at hand, and waits for some; 0 is the end of input. */
  read(into: Uint8Array): Promise<number>;
  /** Resolves once all bytes were taken. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends both directions, behind what was written. */
  end(): Promise<void>;
  /** Gives it up; what waits is settled at once. */
  close(): void;
}

/** TLS over streams that are no sockets of the runtime. */
export interface StreamTls {
  /**
   * TLS for dials, to be laid over one stream.
   *
   * @throws {TlsMaterialError} When the material cannot be used.
   */
  client(tls: ClientTls): TlsLayer;
  /**
   * TLS for what a listener accepts.
   *
   * @throws {TlsMaterialError} When the material cannot be used.
   */
  server(tls: ServerTls): Promise<TlsServerLayer>;
}

/** See {@linkcode StreamTls}. */
export interface TlsLayer {
  /** Lays TLS over a stream; `handler.onOpen` follows when the handshake is done. */
  lay(stream: ByteStream, handler: SocketHandler): PendingSocket;
}

/** See {@linkcode StreamTls}. */
export interface TlsServerLayer extends TlsLayer {
  /** The certificates in use. */
  readonly certificates: readonly CertificateFacts[];
  /** Uses others from now on. On failure nothing changes. */
  rotate(tls: ServerTls): Promise<void>;
}

/** What a runtime must be able to do. */
export interface Runtime {
  /** `deno`, `bun`, `node`; `tor` over one of them; or `memory` in tests. */
  readonly name: "deno" | "bun" | "node" | "tor" | "memory";
  /** Its version. */
  readonly version: string;
  /**
   * Starts connecting. A failure to connect is the handler's `onClose`, without `onOpen`.
   *
   * @throws {TlsMaterialError} When the TLS material cannot be used; nothing was connected.
   */
  connect(
    address: SocketAddress,
    tls: ClientTls | undefined,
    handler: SocketHandler,
  ): Promise<PendingSocket>;
  /**
   * Binds and accepts.
   *
   * @param onFault A system error of `accept` such as EMFILE; accepting goes on.
   * @throws {TlsMaterialError} When the TLS material cannot be used.
   * @throws {UnixSocketError} When a path cannot be bound so that nobody else can reach it.
   * @throws What the runtime throws when the address cannot be bound.
   */
  listen(
    address: SocketAddress,
    tls: ServerTls | undefined,
    onAccept: OnAccept,
    onFault: (cause: unknown) => void,
  ): Promise<BoundListener>;
  /**
   * What the runtime lacks to tell the user at the other end of a Unix socket; `undefined` when it
   * lacks nothing. Without this method it cannot tell.
   */
  peerUidLack?(): Promise<string | undefined>;
  /** TLS over streams that are no sockets of it; absent where it cannot. */
  streamTls?(): Promise<StreamTls>;
}
