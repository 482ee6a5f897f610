/**
 * The client's side of TLS over `node:tls`.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import type {
  ConnectionOptions,
  PeerCertificate as ShownCertificate,
  SecureContext,
  TLSSocket,
} from "node:tls";
import { checkCertificate } from "./certificates.ts";
import { groupList } from "./key_exchange.ts";
import { type ClientTls, type PeerCertificate, TlsMaterialError } from "./runtime.ts";
import { peerOf } from "./tls_info.ts";
import type { Session, TlsSessions } from "./tls_sessions.ts";
import type { TlsModules } from "./tls_modules.ts";
import { wipe } from "./wipe.ts";

/** Sessions, and under what those of one dial are kept. */
export interface Resumes {
  readonly sessions: TlsSessions;
  readonly key: string;
}

/** See the module. One for each dial. */
export class TlsClient {
  readonly groups: readonly string[];
  readonly serverName: string | undefined;
  readonly #modules: TlsModules;
  readonly #options: ConnectionOptions;
  readonly #resumes: Resumes | undefined;
  #offered: Session | undefined;
  #peer: PeerCertificate | undefined;

  /**
   * @param resumes Where sessions are kept that may be taken up again, if they are.
   * @throws {TlsMaterialError} When the material cannot be used; nothing was connected.
   */
  constructor(modules: TlsModules, tls: ClientTls, resumes?: Resumes) {
    const { checkServerIdentity } = modules.tls;
    this.#modules = modules;
    this.#resumes = resumes;
    this.groups = tls.groups;
    this.serverName = modules.net.isIP(tls.serverName) === 0 ? tls.serverName : undefined;
    this.#options = {
      ...(this.serverName === undefined ? {} : { servername: this.serverName }),
      secureContext: contextOf(modules, tls),
      ALPNProtocols: [...tls.alpn],
      checkServerIdentity(_host: string, certificate: ShownCertificate): Error | undefined {
        // `node:tls` would fall back to the common name, which authorities do not have to check.
        return certificate.subjectaltname
          ? checkServerIdentity(tls.serverName, certificate)
          : new Error("The server's certificate has no subjectAltName");
      },
      minVersion: "TLSv1.3",
      maxVersion: "TLSv1.3",
      rejectUnauthorized: true, // an environment variable would turn it off
    };
  }

  /** Starts the handshake on a connected socket; `allowHalfOpen` is missing in the types. */
  wrap(socket: Duplex): TLSSocket {
    const options = { ...this.#options, socket, allowHalfOpen: true };
    if (this.#resumes === undefined) return this.#modules.tls.connect(options);
    const { sessions, key } = this.#resumes;
    const session = this.#offered = sessions.take(key);
    const secure = this.#modules.tls.connect({
      ...options,
      ...(session === undefined ? {} : { session: session.bytes as Buffer }),
    });
    secure.on("session", (bytes: Uint8Array) => {
      if (this.#peer !== undefined) sessions.put(key, { bytes, peer: this.#peer });
    });
    return secure;
  }

  /** The server's certificate, once the handshake is done. */
  peerOf(secure: TLSSocket): PeerCertificate | undefined {
    // Looked at once: Node gives it to who asks first, and has none where a session was taken up.
    return this.#peer ??= this.#offered !== undefined && secure.isSessionReused()
      ? this.#offered.peer
      : peerOf(secure);
  }

  /** Why the server of a finished handshake must not be used, if so. */
  refusal(secure: TLSSocket): Error | undefined {
    return secure.authorized ? undefined : new Error("The server's certificate was not verified");
  }
}

function contextOf(
  { tls: { createSecureContext }, crypto }: TlsModules,
  tls: ClientTls,
): SecureContext {
  const { certificate } = tls;
  try {
    if (certificate !== undefined) checkCertificate(crypto, certificate);
    return createSecureContext({
      ...(tls.ca === undefined ? {} : { ca: tls.ca as string | string[] }),
      ...(certificate === undefined
        ? {}
        : { cert: certificate.cert as string, key: certificate.key as string }),
      ...(tls.groups.length === 0 ? {} : { ecdhCurve: groupList(tls.groups) }),
      minVersion: "TLSv1.3",
      maxVersion: "TLSv1.3",
    });
  } catch (cause) {
    if (cause instanceof TlsMaterialError) throw cause;
    const code = String((cause as { code?: unknown } | null)?.code ?? "");
    throw new TlsMaterialError(`the runtime refuses the certificate, key or roots (${code})`);
  } finally {
    if (tls.keepsNothing && certificate !== undefined) wipe(certificate.key);
  }
}
