/**
 * Throw-away certificates for loopback: made in JavaScript, with no other program and no file.
 *
 * @module
 */

import { certify } from "./x509.ts";

/** What {@linkcode throwAwayCertificate} is asked for. */
export interface ThrowAwayOptions {
  /** DNS names and IP addresses to certify. @default {["localhost", "127.0.0.1"]} */
  readonly names?: readonly string[];
  /** How long it is valid, in hours; it also starts one hour early, for clocks that differ. @default {24} */
  readonly hours?: number;
}

/** A certificate and its private key, as PEM text. */
export interface ThrowAwayCertificate {
  /** The certificate; a self-signed one is its own root, and clients trust it by this same text. */
  readonly cert: string;
  /** The private key, PKCS #8. Keep it in the process that made it. */
  readonly key: string;
}

/** What {@linkcode ThrowAwayAuthority.issue} is asked for. */
export interface IssueOptions extends ThrowAwayOptions {
  /** Its common name. @default {"ron-transport throw-away"} */
  readonly subject?: string;
  /** Whether it proves a server or a client. @default {"server"} */
  readonly use?: "server" | "client";
  /** Start of its validity. @default One hour ago. */
  readonly notBefore?: Date;
  /** End of its validity. @default `hours` from now. */
  readonly notAfter?: Date;
}

/** An authority that lasts as long as the process; see {@linkcode throwAwayAuthority}. */
export interface ThrowAwayAuthority {
  /** Its certificate, to be trusted as a root. */
  readonly cert: string;
  /** Makes a key and a certificate for it, signed by this authority. */
  issue(options?: IssueOptions): Promise<ThrowAwayCertificate>;
}

const SUBJECT = "ron-transport throw-away";
const NAMES: readonly string[] = ["localhost", "127.0.0.1"];
const HOUR_MS = 3_600_000;

/**
 * Makes a self-signed server certificate (ECDSA P-256) that proves nothing beyond one test or demo.
 *
 * @param options Names to certify and how long.
 * @returns The certificate, to be handed to clients as their root, and its key.
 *
 * @example
 * ```ts
 * import { throwAwayCertificate } from "@ron/transport/testing";
 * import assert from "node:assert/strict";
 *
 * const { cert, key } = await throwAwayCertificate({ names: ["localhost", "127.0.0.1"] });
 * assert.match(cert, /^-----BEGIN CERTIFICATE-----/);
 * assert.match(key, /^-----BEGIN PRIVATE KEY-----/);
 * ```
 */
export async function throwAwayCertificate(
  options: ThrowAwayOptions = {},
): Promise<ThrowAwayCertificate> {
  const { cert, key } = await certify({
    subject: SUBJECT,
    names: options.names ?? NAMES,
    use: "server",
    ...validity(options),
  });
  return { cert, key };
}

/**
 * Makes an authority that signs certificates of servers and clients, valid or not, for tests.
 *
 * @param subject Its common name.
 *
 * @example A client that proves who it is
 * ```ts
 * import { Transport } from "@ron/transport";
 * import { throwAwayAuthority } from "@ron/transport/testing";
 * import assert from "node:assert/strict";
 *
 * const authority = await throwAwayAuthority();
 * const server = await authority.issue();
 * const client = await authority.issue({ subject: "client 7", use: "client", names: [] });
 *
 * await using listening = new Transport({ backend: "tls", tls: { enabled: true } });
 * const listener = await listening.listen({ tls: { material: server, ca: authority.cert } });
 * await using dialling = new Transport();
 * await dialling.dial(listener.address, { tls: { ca: authority.cert, material: client } });
 * for await (const connection of listener) {
 *   assert.equal(connection.info.tls?.peer?.subject, "CN=client 7");
 *   break;
 * }
 * ```
 */
export async function throwAwayAuthority(
  subject: string = "ron-transport throw-away authority",
): Promise<ThrowAwayAuthority> {
  const root = await certify({ subject, names: [], use: "authority", ...validity({}) });
  return {
    cert: root.cert,
    async issue(options: IssueOptions = {}) {
      const { subject = SUBJECT, names = NAMES, use = "server" } = options;
      const { cert, key } = await certify({ subject, names, use, ...validity(options) }, root);
      return { cert, key };
    },
  };
}

function validity(
  { hours = 24, notBefore, notAfter }: IssueOptions,
): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return {
    notBefore: notBefore ?? new Date(now - HOUR_MS),
    notAfter: notAfter ?? new Date(now + hours * HOUR_MS),
  };
}
