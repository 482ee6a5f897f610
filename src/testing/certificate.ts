/**
 * Throw-away certificates for loopback: made in JavaScript, with no other program and no file.
 *
 * @module
 */

import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";

/** What {@linkcode throwAwayCertificate} is asked for. */
export interface ThrowAwayOptions {
  /** DNS names and IP addresses to certify. @default {["localhost", "127.0.0.1"]} */
  readonly names?: readonly string[];
  /** How long it is valid, in hours; it also starts one hour early, for clocks that differ. @default {24} */
  readonly hours?: number;
}

/** A certificate and its private key, as PEM text. */
export interface ThrowAwayCertificate {
  /** The certificate. It is its own root: clients trust it by this same text. */
  readonly cert: string;
  /** The private key, PKCS #8. Keep it in the process that made it. */
  readonly key: string;
}

const ECDSA_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const KEY = { name: "ECDSA", namedCurve: "P-256" } as const;
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
  const keys = await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
  const tbs = toBeSigned(
    options.names ?? ["localhost", "127.0.0.1"],
    options.hours ?? 24,
    AsnConvert.parse(await crypto.subtle.exportKey("spki", keys.publicKey), SubjectPublicKeyInfo),
  );
  const signed = AsnConvert.serialize(tbs);
  const signature = await crypto.subtle.sign({ ...KEY, hash: "SHA-256" }, keys.privateKey, signed);
  const certificate = new Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: new AlgorithmIdentifier({ algorithm: ECDSA_SHA256 }),
    signatureValue: derSignature(new Uint8Array(signature)),
  });
  return {
    cert: pem("CERTIFICATE", AsnConvert.serialize(certificate)),
    key: pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", keys.privateKey)),
  };
}

function toBeSigned(
  names: readonly string[],
  hours: number,
  key: SubjectPublicKeyInfo,
): TBSCertificate {
  const name = new Name([
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({
        type: COMMON_NAME,
        value: new AttributeValue({ utf8String: "ron-transport throw-away" }),
      }),
    ]),
  ]);
  const now = Date.now();
  return new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: new AlgorithmIdentifier({ algorithm: ECDSA_SHA256 }),
    issuer: name,
    subject: name,
    validity: new Validity({
      notBefore: new Date(now - HOUR_MS),
      notAfter: new Date(now + hours * HOUR_MS),
    }),
    subjectPublicKeyInfo: key,
    extensions: new Extensions([
      // Not an authority: strict clients refuse a CA certificate as a server's own.
      extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: false })),
      extension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.digitalSignature)),
      extension(id_ce_extKeyUsage, false, new ExtendedKeyUsage([id_kp_serverAuth])),
      extension(id_ce_subjectAltName, false, new SubjectAlternativeName(names.map(generalName))),
    ]),
  });
}

function extension(id: string, critical: boolean, value: object): Extension {
  const extnValue = new OctetString(AsnConvert.serialize(value));
  return new Extension({ extnID: id, critical, extnValue });
}

function generalName(name: string): GeneralName {
  return isIpAddress(name)
    ? new GeneralName({ iPAddress: name })
    : new GeneralName({ dNSName: name });
}

function isIpAddress(name: string): boolean {
  return name.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
}

/** 16 random bytes, positive and without a leading zero. */
function serialNumber(): ArrayBuffer {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.buffer;
}

/** WebCrypto signs as r || s; certificates carry SEQUENCE { INTEGER r, INTEGER s }. */
function derSignature(raw: Uint8Array): ArrayBuffer {
  const half = raw.length / 2;
  const body = [...derInteger(raw.subarray(0, half)), ...derInteger(raw.subarray(half))];
  return new Uint8Array([0x30, body.length, ...body]).buffer;
}

function derInteger(bytes: Uint8Array): number[] {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = [...bytes.subarray(start)];
  if ((digits[0] ?? 0) >= 0x80) digits.unshift(0);
  return [0x02, digits.length, ...digits];
}

function pem(label: string, der: ArrayBuffer): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(der)));
  const lines = text.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
