/**
 * The server's side of TLS over `node:tls`: one certificate of several by the name a client asks
 * for, client certificates, and certificates that change under way.
 *
 * A socket is wrapped by `TLSSocket` and not by a TLS server, because admission comes first and the
 * deadline is ours. Then nobody looks at the verdict on a client's certificate but we: Node and Deno
 * finish a handshake with one that no root of ours signed.
 *
 * @module
 */

import type { SecureContext, TLSSocket, TLSSocketOptions } from "node:tls";
import type { Duplex } from "node:stream";
import { checkCertificate, type CheckedCertificate } from "./certificates.ts";
import { groupList } from "./key_exchange.ts";
import { type CertificateFacts, type ServerTls, TlsMaterialError } from "./runtime.ts";
import type { TlsModules } from "./tls_modules.ts";
import { probe } from "./tls_probe.ts";
import { wipe } from "./wipe.ts";

interface Served extends CheckedCertificate {
  readonly context: SecureContext;
}

/** See the module. One for each listener. */
export class TlsServer {
  readonly groups: readonly string[];
  readonly #modules: TlsModules;
  readonly #options: TLSSocketOptions;
  readonly #verifies: boolean;
  #served: readonly Served[] = [];
  #byHost: ReadonlyMap<string, SecureContext> = new Map();

  private constructor(modules: TlsModules, tls: ServerTls) {
    this.#modules = modules;
    this.groups = tls.groups;
    this.#verifies = tls.clientCa !== undefined;
    this.#options = {
      isServer: true,
      ALPNProtocols: [...tls.alpn],
      requestCert: this.#verifies,
      rejectUnauthorized: this.#verifies,
    };
  }

  /**
   * Checks the material and proves it by a handshake with ourselves.
   *
   * @throws {TlsMaterialError} When it cannot be used.
   */
  static async create(modules: TlsModules, tls: ServerTls): Promise<TlsServer> {
    const server = new TlsServer(modules, tls);
    await server.rotate(tls);
    return server;
  }

  /** What is served now, the first for every name that no other has. */
  get certificates(): readonly CertificateFacts[] {
    return this.#served.map(({ facts }) => facts);
  }

  /**
   * Takes other certificates, after the same proof. On failure nothing changes.
   *
   * @throws {TlsMaterialError} When they cannot be used.
   */
  async rotate(tls: ServerTls): Promise<void> {
    const served = this.#load(tls);
    for (const { context, der } of served) {
      const options = { ALPNProtocols: [...tls.alpn], secureContext: context };
      await probe(this.#modules, { ...options, isServer: true }, der);
    }
    // Last, so that no await lies between the two.
    this.#byHost = hostTable(served);
    this.#served = served;
  }

  /** Starts the handshake on an accepted socket; `allowHalfOpen` is missing in the types. */
  wrap(raw: Duplex): TLSSocket {
    const options: TLSSocketOptions & { allowHalfOpen: boolean } = {
      ...this.#options,
      secureContext: this.#served[0]!.context,
      allowHalfOpen: true,
    };
    if (this.#served.length > 1) {
      options.SNICallback = (name, done) => done(null, this.#contextFor(name));
    }
    return new this.#modules.tls.TLSSocket(raw as never, options);
  }

  /** Why the client of a finished handshake must not be served, if so. */
  refusal(secure: TLSSocket): Error | undefined {
    return this.#verifies ? clientRefusal(secure) : undefined;
  }

  #load(tls: ServerTls): Served[] {
    try {
      const served = tls.certificates.map((pair) => {
        const checked = checkCertificate(this.#modules.crypto, pair);
        return { ...checked, context: this.#context(pair.cert, pair.key, tls) };
      });
      if (served.length === 0) throw new TlsMaterialError("there is no certificate");
      return served;
    } finally {
      if (tls.keepsNothing) { for (const { key } of tls.certificates) wipe(key); }
    }
  }

  #context(cert: string | Uint8Array, key: string | Uint8Array, tls: ServerTls): SecureContext {
    try {
      return this.#modules.tls.createSecureContext({
        cert: cert as string,
        key: key as string,
        ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa as string | string[] }),
        ...(tls.groups.length === 0 ? {} : { ecdhCurve: groupList(tls.groups) }),
        minVersion: "TLSv1.3",
        maxVersion: "TLSv1.3",
        sessionIdContext: "ron-transport", // without it OpenSSL fails resumption with client certificates
      });
    } catch (cause) {
      const code = String((cause as { code?: unknown } | null)?.code ?? "");
      throw new TlsMaterialError(`the runtime refuses the certificate, key or roots (${code})`);
    }
  }

  #contextFor(name: string): SecureContext {
    const host = name.toLowerCase();
    const wild = `*${host.slice(Math.max(0, host.indexOf(".")))}`;
    return this.#byHost.get(host) ?? this.#byHost.get(wild) ?? this.#served[0]!.context;
  }
}

/** The first certificate that has a name serves it. */
function hostTable(served: readonly Served[]): ReadonlyMap<string, SecureContext> {
  const table = new Map<string, SecureContext>();
  for (const { hosts, context } of served) {
    for (const host of hosts) if (!table.has(host)) table.set(host, context);
  }
  return table;
}

/**
 * Only a verdict that was given counts. Bun sets `authorized` and has no handle to ask; Node and
 * Deno leave `authorized` false and answer by the handle: `null` or "" is no error.
 */
function clientRefusal(secure: TLSSocket): Error | undefined {
  if (secure.authorized) return undefined;
  const handle = (secure as { _handle?: { verifyError?: () => unknown } })._handle;
  if (typeof handle?.verifyError === "function") {
    const verdict = handle.verifyError();
    if (verdict === null || verdict === "") return undefined;
    const code = (verdict as { code?: unknown } | undefined)?.code ?? verdict;
    return new Error(`The client's certificate was not verified (${String(code)})`);
  }
  return new Error("The client's certificate was not verified");
}
