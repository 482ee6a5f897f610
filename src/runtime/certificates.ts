/**
 * Certificates: checked before they are used, and told about afterwards.
 *
 * @module
 */

import type { X509Certificate } from "node:crypto";
import { type CertificateFacts, type KeyPair, TlsMaterialError } from "./runtime.ts";
import type { TlsModules } from "./tls_modules.ts";

/** A certificate that can be used now. */
export interface CheckedCertificate {
  readonly facts: CertificateFacts;
  /** The leaf in DER. */
  readonly der: Uint8Array;
  /** Host names it certifies, in lower case; `*.` stands for one label. */
  readonly hosts: readonly string[];
}

/**
 * Checks that a pair parses, belongs together and is valid now. Not every runtime looks at that
 * before the first handshake.
 *
 * @throws {TlsMaterialError} Saying what is wrong, without a byte of the key.
 */
export function checkCertificate(
  { X509Certificate, createPrivateKey }: TlsModules["crypto"],
  { cert, key }: KeyPair,
): CheckedCertificate {
  const x509 = parse("the certificate", () => new X509Certificate(cert as string));
  const privateKey = parse("the key", () => createPrivateKey(key as string));
  // Deno parses the parts of a certificate only when it is asked for them
  if (!parse("the certificate", () => x509.checkPrivateKey(privateKey))) {
    throw new TlsMaterialError("the key does not belong to the certificate");
  }
  const facts = parse("the certificate", () => factsOf(x509));
  const now = Date.now();
  if (Number.isNaN(Date.parse(facts.validFrom) + Date.parse(facts.validTo))) {
    throw new TlsMaterialError("the certificate has a date that there is not");
  }
  if (Date.parse(facts.validTo) <= now) {
    throw new TlsMaterialError(`the certificate of ${facts.subject} expired on ${facts.validTo}`);
  }
  if (Date.parse(facts.validFrom) > now) {
    throw new TlsMaterialError(
      `the certificate of ${facts.subject} is not valid before ${facts.validFrom}`,
    );
  }
  const hosts = facts.subjectAltNames.filter((name) => name.startsWith("DNS:"))
    .map((name) => name.slice(4).toLowerCase());
  return { facts, der: x509.raw, hosts };
}

/** What a certificate says. */
export function factsOf(x509: X509Certificate): CertificateFacts {
  return Object.freeze({
    subject: oneLine(x509.subject),
    issuer: oneLine(x509.issuer),
    subjectAltNames: Object.freeze(splitNames(x509.subjectAltName ?? "")),
    serialNumber: x509.serialNumber,
    fingerprint256: x509.fingerprint256,
    validFrom: isoDate(x509.validFrom),
    validTo: isoDate(x509.validTo),
  });
}

/** A parser's own error can quote its input, so that only its code is told. */
function parse<T>(what: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const code = (cause as { code?: unknown } | null)?.code;
    const detail = typeof code === "string" && code !== "" ? ` (${code})` : "";
    throw new TlsMaterialError(`${what} is not PEM that can be read${detail}`);
  }
}

function oneLine(name: string | undefined): string {
  return (name ?? "").trim().replaceAll("\n", ", ");
}

/** A name that has a comma itself comes in quotes. */
function splitNames(text: string): string[] {
  return text.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g)?.map((name) => name.trim()) ?? [];
}

function isoDate(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toISOString();
}
