/**
 * A TLS handshake with ourselves, in memory: no address is bound for it.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import type { TLSSocket, TLSSocketOptions } from "node:tls";
import { TlsMaterialError } from "./runtime.ts";
import type { TlsModules } from "./tls_modules.ts";

/** Longest time it may take, in milliseconds; it takes a few. */
const PROBE_MS = 5_000;

/**
 * Proves that a server with these options can serve: a client of ours finishes a TLS 1.3 handshake
 * and is shown this certificate.
 *
 * @param leaf The certificate to be shown, in DER.
 * @throws {TlsMaterialError} When it does not.
 */
export async function probe(
  { tls, Duplex }: TlsModules,
  options: TLSSocketOptions,
  leaf: Uint8Array,
): Promise<void> {
  const [near, far] = duplexPair(Duplex);
  const server = new tls.TLSSocket(near as never, options);
  const client = tls.connect({
    socket: far,
    ALPNProtocols: options.ALPNProtocols as string[],
    minVersion: "TLSv1.3",
    rejectUnauthorized: false, // it is proved to be the one below, whoever signed it
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const failed = (cause?: unknown): void => reject(probeError(cause));
      timer = setTimeout(failed, PROBE_MS);
      server.on("error", failed);
      client.on("error", failed);
      client.on("close", () => failed());
      client.on("secureConnect", () => {
        if (client.getProtocol() === "TLSv1.3" && showsLeaf(client, leaf)) resolve();
        else failed();
      });
    });
  } finally {
    clearTimeout(timer);
    client.destroy();
    server.destroy();
  }
}

function probeError(cause: unknown): TlsMaterialError {
  const code = (cause as { code?: unknown } | undefined)?.code;
  const detail = typeof code === "string" ? ` (${code})` : "";
  return new TlsMaterialError(`a handshake with ourselves failed with it${detail}`);
}

/** A certificate that the runtime cannot read (Deno: an impossible date) is none that can be served. */
function showsLeaf(client: TLSSocket, leaf: Uint8Array): boolean {
  try {
    const shown = client.getPeerX509Certificate()?.raw;
    return shown !== undefined && equal(shown, leaf);
  } catch {
    return false; // thrown in an event handler, it would end the process
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Two ends, each of which gets what is written to the other a turn later. */
function duplexPair(make: TlsModules["Duplex"]): [Duplex, Duplex] {
  const end = (other: () => Duplex): Duplex =>
    new make({
      read() {},
      write(bytes: Uint8Array, _encoding, done) {
        setTimeout(() => {
          if (!other().destroyed) other().push(bytes);
          done();
        }, 0);
      },
      final(done) {
        if (!other().destroyed) other().push(null);
        done();
      },
    });
  const near: Duplex = end(() => far);
  const far: Duplex = end(() => near);
  return [near, far];
}
