/** Certificates, keys and tokens: never a crash, never a byte of them in what is told, wiped under amnesia. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Transport, TransportError } from "../../../mod.ts";
import { checkToken } from "../../../src/config/files.ts";
import { parseConfig } from "../../../src/config/schema.ts";
import { checkCertificate } from "../../../src/runtime/certificates.ts";
import { holdsCertificates, materialFault } from "../../../src/runtime/host_config.ts";
import { TlsMaterialError } from "../../../src/runtime/runtime.ts";
import { loadTlsModules } from "../../../src/runtime/tls_modules.ts";
import { throwAwayCertificate } from "../../../src/testing/certificate.ts";
import { concat } from "../../vectors.ts";
import { chosen, type FuzzTarget, texts } from "../target.ts";

const pair = await throwAwayCertificate();
const { crypto } = await loadTlsModules();
const CERT = new TextEncoder().encode(pair.cert);
const KEY = new TextEncoder().encode(pair.key);
/** A stretch of the key's base64 that no message may have. */
const SECRET = pair.key.split("\n")[1]!.slice(8, 40);

/** The first byte: the certificate or the key is the input; 0 of 32 also listens with it. */
async function run(input: Uint8Array): Promise<string> {
  const choice = input[0] ?? 0;
  const bytes = input.subarray(1);
  const given = (choice & 1) === 0 ? { cert: bytes, key: KEY } : { cert: CERT, key: bytes };
  const fault = materialFault(given.cert, given.key);
  assert.ok([undefined, "certificate", "key", "pair"].includes(fault));
  holdsCertificates(bytes);
  let checked = "ok";
  try {
    const text = (part: Uint8Array): string => new TextDecoder().decode(part);
    checkCertificate(crypto, { cert: text(given.cert), key: text(given.key) });
  } catch (error) {
    assert.ok(error instanceof TlsMaterialError, String(error));
    assert.ok(!error.message.includes(SECRET), "a message with a part of the key");
    checked = error.message.slice(0, 50);
  }
  return `${fault} ${checked} ${(choice & 31) === 0 ? await listens(given) : ""}`;
}

async function listens({ cert, key }: { cert: Uint8Array; key: Uint8Array }): Promise<string> {
  const given = key.slice();
  const transport = new Transport({ amnesia: { enabled: true } });
  let outcome = "listens";
  try {
    const text = new TextDecoder().decode(cert);
    await transport.listen({
      address: "tls://127.0.0.1:0",
      tls: () => ({ cert: text, key: given }),
    });
  } catch (error) {
    assert.ok(TransportError.is(error), String(error));
    assert.ok(!error.message.includes(SECRET), "a message with a part of the key");
    outcome = error.kind;
  } finally {
    await transport.close();
  }
  // an empty key is refused before it is anybody's
  if (cert.length > 0) assert.ok(given.every((byte) => byte === 0), "key bytes are left");
  return outcome;
}

let folder: string | undefined;

/** The first byte is the low bits of the file's mode, the rest is its content. */
async function runToken(input: Uint8Array): Promise<string> {
  if (folder === undefined) {
    const made = folder = mkdtempSync(join(tmpdir(), "ron-fuzz-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  }
  const path = join(folder, "token");
  const content = input.subarray(1);
  const mode = 0o600 | ((input[0] ?? 0) & 0o77);
  writeFileSync(path, content);
  chmodSync(path, mode);
  const { issues, warnings } = await checkToken(named(path), Date.now());
  assert.deepEqual(warnings, []);
  assert.equal(issues.length === 0, content.length > 0 && mode === 0o600);
  const told = JSON.stringify(issues);
  assert.ok(!told.includes(folder), "the path is told");
  const said = new TextDecoder().decode(content);
  if (said.length > 16) assert.ok(!told.includes(said), "the content is told");
  return `${issues.map(({ rule }) => rule).join()} ${content.length === 0}`;
}

function named(path: string): ReturnType<typeof parseConfig> {
  const config = parseConfig();
  return { ...config, auth: { ...config.auth, macaroon_path: path } };
}

export const pem: FuzzTarget = {
  name: "pem",
  most: 4_096,
  slowMs: 2_000, // one of 32 makes a whole handshake
  seeds: [
    ...[0, 1, 2, 3].flatMap((choice) => [chosen(choice, CERT), chosen(choice, KEY)]),
    chosen(0, concat([CERT, CERT])),
    chosen(1, concat([KEY, CERT])),
  ],
  tokens: texts(
    ...[
      "-----BEGIN CERTIFICATE-----\n",
      "-----END CERTIFICATE-----\n",
      "-----BEGIN PRIVATE KEY-----\n",
    ],
    ...[
      "-----END PRIVATE KEY-----\n",
      "-----BEGIN EC PRIVATE KEY-----\n",
      "=",
      "\r\n",
      "\u0000",
      "MIIB",
    ],
    ...["-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "Proc-Type: 4,ENCRYPTED\n"],
  ),
  run,
};

export const token: FuzzTarget = {
  name: "token",
  most: 4_096,
  seeds: texts("\0canary-6f1d-canary-6f1d", "\0", "\u0024abc"),
  tokens: texts("\n", "\u0000", "MDAxY2xvY2F0aW9u"),
  run: runToken,
};
