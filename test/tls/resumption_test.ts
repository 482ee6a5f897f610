/** Sessions that clients take up again, as the wire shows them, and where they must not. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "../../mod.ts";
import type { PeerCertificate } from "../../src/runtime/runtime.ts";
import { TlsSessions } from "../../src/runtime/tls_sessions.ts";
import { describe, it, runtimeName } from "../harness.ts";
import { Ends, type EndsOptions, testAuthority } from "./ends.ts";
import { sniff, type Sniffer } from "./sniffer.ts";

const RESUMES = runtimeName() === "deno"
  ? { skip: "Deno: takes a session and does not offer it (2.9.5); that is shown below" }
  : {};

type Tls = Parameters<Ends["dial"]>[0];

/** A server behind a proxy that reads the hellos. */
class Watched implements AsyncDisposable {
  readonly ends: Ends;
  readonly proxy: Sniffer;

  private constructor(ends: Ends, proxy: Sniffer) {
    this.ends = ends;
    this.proxy = proxy;
  }

  static async open(options: EndsOptions = {}): Promise<Watched> {
    const ends = await Ends.open(options);
    return new Watched(ends, await sniff(ends.port));
  }

  /** Dials, exchanges a byte each way, and closes in order. */
  async visit(tls: Tls = {}): Promise<Connection["info"]> {
    const { cert } = await testAuthority();
    const address = `tls://127.0.0.1:${this.proxy.port}`;
    const near = await this.ends.client.dial(address, { tls: { ca: cert, ...tls } });
    const far = await this.ends.accept();
    await near.write(new Uint8Array([1]));
    assert.equal(await far.read(new Uint8Array(1)), 1);
    await far.write(new Uint8Array([2])); // the tickets came before it
    assert.equal(await near.read(new Uint8Array(1)), 1);
    await delay(5);
    far.closeWrite();
    await near.close();
    await far.close();
    return near.info;
  }

  /** Of the last dial: `full`, `offered` and refused, or `resumed`. */
  get last(): string {
    const { offersSession, resumed } = this.proxy.seen().at(-1)!;
    return resumed ? "resumed" : offersSession ? "offered" : "full";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ends[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
  }
}

describe("tls: sessions of a client", () => {
  it("are taken up again, and tell the same of the server", RESUMES, async () => {
    await using watched = await Watched.open();
    const first = await watched.visit();
    assert.equal(watched.last, "full");
    for (let i = 0; i < 2; i++) {
      const again = await watched.visit();
      assert.equal(watched.last, "resumed");
      assert.deepEqual(again.tls, first.tls);
    }
  });

  it("are taken up with client certificates, which the server still knows", RESUMES, async () => {
    const ca = await testAuthority();
    const material = await ca.issue();
    const own = await ca.issue({ subject: "ann", use: "client", names: [] });
    let asked = 0;
    await using watched = await Watched.open({
      listen: {
        tls: { material, ca: ca.cert },
        authorize: ({ tls }) => {
          asked++;
          return tls?.peer?.subject === "CN=ann";
        },
      },
    });
    await watched.visit({ material: own });
    await watched.visit({ material: own });
    assert.equal(watched.last, "resumed");
    assert.equal(asked, 2);
    const other = await ca.issue({ subject: "ann", use: "client", names: [] });
    await watched.visit({ material: other });
    assert.equal(watched.last, "full", "another certificate of our own");
  });

  it(
    "are never taken up under another name, other roots, or another protocol",
    RESUMES,
    async () => {
      const ca = await testAuthority();
      await using watched = await Watched.open({
        listen: { tls: { material: await ca.issue(), alpn: ["oap/1", "b"] } },
      });
      await watched.visit();
      for (
        const tls of [{ serverName: "localhost" }, { ca: [ca.cert, ca.cert] }, { alpn: ["b"] }]
      ) {
        await watched.visit(tls);
        assert.equal(watched.last, "full", JSON.stringify(Object.keys(tls)));
      }
      await assert.rejects(watched.visit({ serverName: "elsewhere.test" }), { kind: "tls" });
      assert.equal(watched.last, "full");
      await watched.visit();
      assert.equal(watched.last, "resumed");
    },
  );

  it("are not known after the server has rotated: a full handshake follows", RESUMES, async () => {
    await using watched = await Watched.open();
    await watched.visit();
    await watched.ends.listener.rotate();
    await watched.visit();
    assert.equal(watched.last, "offered");
    await watched.visit();
    assert.equal(watched.last, "resumed");
  });

  it("are not kept with amnesia", async () => {
    await using watched = await Watched.open({ client: { amnesia: { enabled: true } } });
    await watched.visit();
    await watched.visit();
    assert.equal(watched.last, "full");
  });

  it("are not offered by Deno", {
    ...(runtimeName() !== "deno" && { skip: "it does: shown above" }),
  }, async () => {
    await using watched = await Watched.open();
    await watched.visit();
    await watched.visit();
    assert.equal(watched.last, "full");
  });

  it("are bounded in number, size and time, and used once", () => {
    const sessions = new TlsSessions();
    const hour = 3_600_000;
    const put = (key: string, bytes: number, hours: number): void => {
      const peer = { validTo: new Date(hours * hour).toISOString() } as PeerCertificate;
      sessions.put(key, { bytes: new Uint8Array(bytes), peer }, 0);
    };
    put("a", 3, 2);
    assert.equal(sessions.take("a", hour)?.bytes.length, 3);
    assert.equal(sessions.take("a", hour), undefined);
    put("a", 3, 2);
    assert.equal(sessions.take("a", 2 * hour), undefined, "the certificate has ended");
    put("a", 3, 100);
    assert.equal(sessions.take("a", 24 * hour), undefined, "a day is over");
    put("a", 16_385, 2);
    assert.equal(sessions.take("a", 0), undefined, "it is too large");
    for (let i = 1; i <= 5; i++) put("a", i, 2);
    const lengths = Array.from({ length: 5 }, () => sessions.take("a", 0)?.bytes.length);
    assert.deepEqual(lengths, [5, 4, 3, 2, undefined]);
    for (let i = 0; i <= 256; i++) put(`${i}`, 1, 2);
    assert.equal(sessions.take("0", 0), undefined);
    assert.equal(sessions.take("1", 0)?.bytes.length, 1);
  });
});
