/**
 * Builds and signs certificates (ECDSA P-256) in JavaScript.
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
  id_kp_clientAuth,
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

/** What a certificate says. */
export interface CertificateTemplate {
  /** The common name of its subject. */
  readonly subject: string;
  /** DNS names and IP addresses it certifies. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Whether it may sign others, or is for a server or a client. */
  readonly use: "authority" | "server" | "client";
}

/** Who signs: `undefined` in a self-signed one. */
export interface Signer {
  readonly subject: string;
  readonly privateKey: CryptoKey;
}

/** A certificate and its key, as PEM and as a signer of others. */
export interface Signed extends Signer {
  readonly cert: string;
  readonly key: string;
}

const ECDSA_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const KEY = { name: "ECDSA", namedCurve: "P-256" } as const;

/** Makes a key and a certificate for it. */
export async function certify(template: CertificateTemplate, by?: Signer): Promise<Signed> {
  const keys = await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
  const { publicKey, privateKey } = keys;
  const spki = await crypto.subtle.exportKey("spki", publicKey);
  const tbs = toBeSigned(template, by, AsnConvert.parse(spki, SubjectPublicKeyInfo));
  const signature = await crypto.subtle.sign(
    { ...KEY, hash: "SHA-256" },
    by?.privateKey ?? privateKey,
    AsnConvert.serialize(tbs),
  );
  const certificate = new Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: new AlgorithmIdentifier({ algorithm: ECDSA_SHA256 }),
    signatureValue: derSignature(new Uint8Array(signature)),
  });
  return {
    cert: pem("CERTIFICATE", AsnConvert.serialize(certificate)),
    key: pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", privateKey)),
    subject: template.subject,
    privateKey,
  };
}

function toBeSigned(
  { subject, names, notBefore, notAfter, use }: CertificateTemplate,
  by: Signer | undefined,
  key: SubjectPublicKeyInfo,
): TBSCertificate {
  const ca = use === "authority";
  const bits = ca ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature;
  const extensions = [
    // Strict clients refuse an authority's certificate as a server's own.
    extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: ca })),
    extension(id_ce_keyUsage, true, new KeyUsage(bits)),
  ];
  if (!ca) {
    const purpose = use === "server" ? id_kp_serverAuth : id_kp_clientAuth;
    extensions.push(extension(id_ce_extKeyUsage, false, new ExtendedKeyUsage([purpose])));
  }
  if (names.length > 0) {
    const value = new SubjectAlternativeName(names.map(generalName));
    extensions.push(extension(id_ce_subjectAltName, false, value));
  }
  return new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: new AlgorithmIdentifier({ algorithm: ECDSA_SHA256 }),
    issuer: nameOf(by?.subject ?? subject),
    subject: nameOf(subject),
    validity: new Validity({ notBefore, notAfter }),
    subjectPublicKeyInfo: key,
    extensions: new Extensions(extensions),
  });
}

function nameOf(commonName: string): Name {
  return new Name([
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({
        type: COMMON_NAME,
        value: new AttributeValue({ utf8String: commonName }),
      }),
    ]),
  ]);
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
