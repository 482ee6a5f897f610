import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, it } from "../harness.ts";
import { throwAwayCertificate } from "../../src/testing/certificate.ts";

describe("throw-away certificate", () => {
  it("certifies the names asked for, for a day, signed by its own key", async () => {
    const { cert, key } = await throwAwayCertificate({ names: ["localhost", "127.0.0.1", "::1"] });
    const parsed = new X509Certificate(cert);
    const names = parsed.subjectAltName ?? "";
    assert.match(names, /DNS:localhost/);
    assert.match(names, /IP Address:127\.0\.0\.1/);
    assert.match(key, /^-----BEGIN PRIVATE KEY-----\n/);
    assert.equal(parsed.ca, false);
    assert.equal(parsed.subject, parsed.issuer);
    const hours = (Date.parse(parsed.validTo) - Date.now()) / 3_600_000;
    assert.ok(hours > 23 && hours < 25, `valid for ${hours} h`);
    assert.ok(parsed.verify(parsed.publicKey));
  });

  it("is another one each time", async () => {
    const [one, two] = await Promise.all([throwAwayCertificate(), throwAwayCertificate()]);
    assert.notEqual(one.cert, two.cert);
    assert.notEqual(one.key, two.key);
  });
});
