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
  /** What the TLS handshake settled; absent without TLS. */
  readonly tls?: {
    /** Protocol version, always `TLSv1.3`. */
    readonly version: string;
    /** The protocol both ends agreed on, if any. */
    readonly alpn: string | undefined;
    /** The cipher suite, where the runtime tells. */
    readonly cipher: string | undefined;
  };
}

/** TLS as a server needs it. PEM text or bytes. */
export interface ServerTls {
  /** The chain, leaf first. */
  readonly cert: string | Uint8Array;
  /** The private key of the leaf. */
  readonly key: string | Uint8Array;
  /** Protocols to accept, best first. Empty: no ALPN. */
  readonly alpn: readonly string[];
}

/** TLS as a client needs it. */
export interface ClientTls {
  /** The name to verify the certificate against, and to send as SNI unless it is an IP address. */
  readonly serverName: string;
  /** Trusted roots as PEM; `undefined` is the runtime's own store. */
  readonly ca: string | readonly string[] | undefined;
  /** Protocols to offer, best first. Empty: no ALPN. */
  readonly alpn: readonly string[];
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
  /** Whether written memory stays lent until `onWritten`. If not, it is free when `write` returns, and `onWritten` is never called. */
  readonly lends: boolean;
  /**
   * Hands bytes to the runtime, without copying them.
   *
   * @returns How many were taken. Where the socket lends, they must not change until `onWritten` has
   * counted them. Less than offered: offer the rest after `onDrain`.
   */
  write(bytes: Uint8Array): number;
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

/** TLS material that cannot be used: it does not parse, or the key does not belong to the certificate. */
export class TlsMaterialError extends Error {}

/** A socket that is not usable yet: its deadline belongs to whoever holds this. */
export interface PendingSocket {
  /** The address of the other end, where it is known. */
  readonly remote: { readonly hostname: string; readonly port: number } | undefined;
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
  /** Stops accepting. Accepted sockets live on. Resolves once the address is free. */
  close(): Promise<void>;
}

/** What a runtime must be able to do. */
export interface Runtime {
  /** `deno`, `bun`, `node`, or `memory` in tests. */
  readonly name: "deno" | "bun" | "node" | "memory";
  /** Its version. */
  readonly version: string;
  /** Starts connecting. A failure to connect is the handler's `onClose`, without `onOpen`. */
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
   * @throws What the runtime throws when the address cannot be bound.
   */
  listen(
    address: SocketAddress,
    tls: ServerTls | undefined,
    onAccept: OnAccept,
    onFault: (cause: unknown) => void,
  ): Promise<BoundListener>;
}
