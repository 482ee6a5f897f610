/** Certificates that change under way: no connection drops, no handshake fails, a bad one changes nothing. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import process from "node:process";
import {
  type Connection,
  type TlsMaterial,
  Transport,
  TransportError,
  type TransportWarning,
} from "../../mod.ts";
import { throwAwayAuthority } from "../../src/testing/mod.ts";
import { describe, it } from "../harness.ts";
import { Ends, testAuthority } from "./ends.ts";

/** The size that is promised, or one that leaves time for other tests: RON_FULL=1 asks for the former. */
const FULL = process.env["RON_FULL"] === "1";
const STORM = FULL ? { rotations: 200, live: 500 } : { rotations: 25, live: 40 };

const subjectOf = (connection: Connection): string | undefined =>
  connection.info.tls?.peer?.subject;

describe("tls: rotation", () => {
  it("new handshakes get the new certificate, open connections go on", async () => {
    const ca = await testAuthority();
    let material: TlsMaterial = await ca.issue({ subject: "first" });
    await using ends = await Ends.open({ listen: { tls: () => material } });
    const before = await ends.dial();
    const far = await ends.accept();
    material = await ca.issue({ subject: "second" });
    await ends.listener.rotate();
    const after = await ends.dial();
    assert.equal(subjectOf(before), "CN=first");
    assert.equal(subjectOf(after), "CN=second");
    await before.write(new Uint8Array([1, 2, 3]));
    assert.equal(await far.read(new Uint8Array(8)), 3);
  });

  it("one certificate can become several, and one again", async () => {
    const ca = await testAuthority();
    const one = await ca.issue({ subject: "one" });
    const two = await ca.issue({ subject: "two", names: ["two.test"] });
    let material: TlsMaterial | TlsMaterial[] = one;
    await using ends = await Ends.open({ listen: { tls: () => material } });
    const refused = (): Promise<boolean> =>
      ends.dial({ serverName: "two.test" }).then((c) => (c.abort(), false), () => true);
    assert.equal(await refused(), true);
    material = [one, two];
    await ends.listener.rotate();
    assert.equal(subjectOf(await ends.dial({ serverName: "two.test" })), "CN=two");
    material = one;
    await ends.listener.rotate();
    assert.equal(await refused(), true);
  });

  it("what cannot be used is refused with its reason, and the last good one stays", async () => {
    const ca = await testAuthority();
    const good = await ca.issue({ subject: "good" });
    const other = await ca.issue({ subject: "other" });
    const day = 86_400_000;
    const expired = await ca.issue({
      subject: "expired",
      notBefore: new Date(Date.now() - 2 * day),
      notAfter: new Date(Date.now() - day),
    });
    const early = await ca.issue({ subject: "early", notBefore: new Date(Date.now() + day / 2) });
    let give: () => unknown = () => good;
    await using ends = await Ends.open({ listen: { tls: () => give() as TlsMaterial } });
    const live = await ends.dial();
    const far = await ends.accept();
    const bad: readonly (readonly [string, () => unknown, string, RegExp])[] = [
      ["another's key", () => ({ cert: good.cert, key: other.key }), "tls", /does not belong/],
      ["expired", () => expired, "tls", /CN=expired expired on 20/],
      ["not yet valid", () => early, "tls", /CN=early is not valid before 20/],
      ["no certificate", () => ({ cert: "none", key: good.key }), "tls", /certificate is not PEM/],
      ["no key", () => ({ cert: good.cert, key: "secret-abc" }), "tls", /key is not PEM/],
      ["empty", () => ({ cert: good.cert, key: "" }), "config_invalid", /is empty/],
      ["nothing", () => undefined, "config_invalid", /needs a certificate/],
      ["one bad of two", () => [other, expired], "tls", /expired/],
      ["cut off", () => ({ ...good, cert: good.cert.slice(0, 300) }), "tls", /not PEM/],
    ];
    for (const [what, source, kind, text] of bad) {
      give = source;
      const error = await ends.listener.rotate().then(() => undefined, (error) => error);
      assert.ok(TransportError.is(error), what);
      assert.equal(error.kind, kind, what);
      assert.match(error.message, text, what);
      assert.ok(!error.message.includes("secret-abc"), what);
      assert.equal(subjectOf(await ends.dial()), "CN=good", what);
    }
    give = () => Promise.reject(new Error("the store is down"));
    await assert.rejects(ends.listener.rotate(), /the store is down/);
    give = () => other;
    await ends.listener.rotate();
    assert.equal(subjectOf(await ends.dial()), "CN=other");
    await live.write(new Uint8Array(5));
    assert.equal(await far.read(new Uint8Array(8)), 5);
    assert.equal(ends.server.readiness.state, "Ready");
  });

  it("the same things refuse a listener, which is then not ready", async () => {
    const ca = await testAuthority();
    const good = await ca.issue();
    const other = await throwAwayAuthority();
    const cases = [
      [{ cert: good.cert, key: (await other.issue()).key }, "tls"],
      [await ca.issue({ notAfter: new Date(Date.now() - 1000) }), "tls"],
      [{ cert: "", key: "" }, "config_invalid"],
    ] as const;
    for (const [material, kind] of cases) {
      await using server = new Transport({ backend: "tls", tls: { enabled: true } });
      const error = await server.listen({ tls: () => material }).then(() => undefined, (e) => e);
      assert.ok(TransportError.is(error));
      assert.equal(error.kind, kind);
      const reason = kind === "tls" ? "tls" : "tls_config_missing";
      assert.deepEqual(server.readiness, { state: "NotReady", reason });
    }
  });

  it("rotations asked for at once run one after the other, and the last one counts", async () => {
    const ca = await testAuthority();
    const pairs = await Promise.all([0, 1, 2, 3].map((i) => ca.issue({ subject: `n${i}` })));
    let asked = 0;
    await using ends = await Ends.open({ listen: { tls: () => pairs[asked++]! } });
    await Promise.all([1, 2, 3].map(() => ends.listener.rotate()));
    assert.equal(asked, 4);
    assert.equal(subjectOf(await ends.dial()), "CN=n3");
  });

  it("needs TLS, and a listener that is open", async () => {
    await using plain = new Transport();
    const listener = await plain.listen({ address: "tcp://127.0.0.1:0" });
    await assert.rejects(listener.rotate(), { kind: "misuse" });
    await using ends = await Ends.open();
    await ends.listener.close();
    await assert.rejects(ends.listener.rotate(), { kind: "misuse" });
  });

  it("a certificate of more than 90 days is used, and warned of", async () => {
    const ca = await testAuthority();
    const aged = (days: number): Promise<TlsMaterial> =>
      ca.issue({ subject: `age ${days}`, notBefore: new Date(Date.now() - days * 86_400_000) });
    const warnings: TransportWarning[] = [];
    let material = await aged(92);
    await using ends = await Ends.open({
      listen: { tls: () => material },
      serverHooks: { onWarning: (warning) => warnings.push(warning) },
    });
    assert.equal(warnings.length, 1);
    assert.equal(warnings[0]?.code, "certificate_old");
    assert.match(warnings[0].message, /CN=age 92 is 92 days old/);
    material = await aged(89);
    await ends.listener.rotate();
    assert.equal(warnings.length, 1);
    assert.equal(subjectOf(await ends.dial()), "CN=age 89");
  });

  it(`${STORM.rotations} rotations under ${STORM.live} connections fail no handshake`, {
    timeout: 240_000,
  }, async () => {
    const ca = await testAuthority();
    const pairs = await Promise.all(
      Array.from({ length: 8 }, (_, i) => ca.issue({ subject: `pair ${i}` })),
    );
    let turn = 0;
    await using ends = await Ends.open({
      server: {
        max_conns: 4_000,
        per_peer: { max_conns: 0 },
        handshake_timeout: "60s",
        idle_timeout: "10m",
      },
      client: {
        max_conns: 4_000,
        per_peer: { max_conns: 0 },
        dial_timeout: "60s",
        idle_timeout: "10m",
      },
      listen: { tls: () => pairs[turn % pairs.length]! },
    });
    const live: Connection[] = [];
    for (let i = 0; i < STORM.live; i += 20) {
      live.push(...await Promise.all(Array.from({ length: 20 }, () => ends.dial())));
    }
    await ends.until(() => ends.accepted.length === STORM.live);
    const fars = ends.accepted.splice(0);
    let rotating = true;
    const seen = new Set<string | undefined>();
    let dials = 0;
    const dialling = (async () => {
      while (rotating) {
        const connection = await ends.dial();
        seen.add(subjectOf(connection));
        dials++;
        connection.abort();
        await delay(1);
      }
    })();
    for (; turn < STORM.rotations; turn++) await ends.listener.rotate();
    rotating = false;
    await dialling;
    assert.equal(ends.client.counters().dialsErr, 0);
    assert.equal(ends.server.counters().rejected.tls, 0);
    assert.ok(dials >= 5 && seen.size >= 2, `${dials} dials saw ${seen.size} certificates`);
    // every connection of before still carries bytes
    await Promise.all(live.map((connection, i) => connection.write(new Uint8Array([i & 0xff]))));
    const got = await Promise.all(fars.map((far) => far.read(new Uint8Array(4))));
    assert.equal(got.filter((n) => n === 1).length, STORM.live);
    if (FULL) console.log(`rotation storm: ${dials} dials under ${STORM.rotations} rotations`);
  });
});
