/** Who the other end is: names, certificates of clients, what is told of them, and who is let in. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type ConnectionInfo, TransportError } from "../../mod.ts";
import { throwAwayAuthority, type ThrowAwayCertificate } from "../../src/testing/mod.ts";
import { describe, it } from "../harness.ts";
import { Ends, testAuthority } from "./ends.ts";

const clientPair = async (subject: string): Promise<ThrowAwayCertificate> =>
  await (await testAuthority()).issue({ subject, use: "client", names: ["client.test"] });

async function failure(attempt: Promise<unknown>): Promise<TransportError> {
  const error = await attempt.then(() => undefined, (error) => error);
  assert.ok(TransportError.is(error), `no TransportError but ${String(error)}`);
  return error;
}

describe("tls: names", () => {
  it("each of several certificates serves its own names, the first every other", async () => {
    const ca = await testAuthority();
    const [one, two, wild] = await Promise.all([
      ca.issue({ subject: "one", names: ["one.test", "localhost", "127.0.0.1"] }),
      ca.issue({ subject: "two", names: ["two.test"] }),
      ca.issue({ subject: "wild", names: ["*.wild.test"] }),
    ]);
    await using ends = await Ends.open({ listen: { tls: () => [one, two, wild] } });
    for (
      const [serverName, subject] of [
        ["one.test", "one"],
        ["two.test", "two"],
        ["TWO.test", "two"],
        ["a.wild.test", "wild"],
        ["127.0.0.1", "one"],
      ] as const
    ) {
      const connection = await ends.dial({ serverName });
      assert.equal(connection.info.tls?.peer?.subject, `CN=${subject}`, serverName);
      const name = serverName === "127.0.0.1" ? undefined : serverName;
      assert.equal((await ends.accept()).info.tls?.serverName?.toLowerCase(), name?.toLowerCase());
    }
    // the first one serves it, and the client refuses that
    for (const serverName of ["other.test", "b.a.wild.test", "wild.test"]) {
      assert.equal((await failure(ends.dial({ serverName }))).kind, "tls");
    }
  });

  it("both ends tell what was settled", async () => {
    await using ends = await Ends.open();
    const near = await ends.dial({ serverName: "localhost" });
    const far = await ends.accept();
    for (const { info } of [near, far]) {
      assert.equal(info.tls?.version, "TLSv1.3");
      assert.equal(info.tls?.alpn, "oap/1");
      assert.equal(info.tls?.serverName, "localhost");
      assert.match(info.tls?.cipher ?? "", /AES|CHACHA/);
    }
    const { peer } = near.info.tls!;
    assert.equal(peer?.subject, "CN=ron-transport throw-away");
    assert.equal(peer?.issuer, "CN=ron-transport throw-away authority");
    assert.deepEqual(peer?.subjectAltNames, ["DNS:localhost", "IP Address:127.0.0.1"]);
    assert.match(peer?.fingerprint256 ?? "", /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    assert.match(peer?.serialNumber ?? "", /^[0-9A-F]{32}$/);
    assert.match(peer?.validTo ?? "", /^20\d\d-\d\d-\d\dT[\d:]+\.000Z$/);
    assert.equal(peer?.authorized, true);
    assert.equal(far.info.tls?.peer, undefined);
  });
});

describe("tls: client certificates", () => {
  const open = async (options: Parameters<typeof Ends.open>[0] = {}): Promise<Ends> => {
    const ca = await testAuthority();
    const material = await ca.issue();
    return await Ends.open({ ...options, listen: { tls: { material, ca: ca.cert } } });
  };
  it("a verified client is delivered with its facts", async () => {
    await using ends = await open();
    const near = await ends.dial({ material: await clientPair("client 1") });
    await near.write(new Uint8Array(3));
    const far = await ends.accept();
    assert.equal(far.info.tls?.peer?.subject, "CN=client 1");
    assert.deepEqual(far.info.tls?.peer?.subjectAltNames, ["DNS:client.test"]);
    assert.equal(far.info.tls?.peer?.authorized, true);
    assert.equal(await far.read(new Uint8Array(8)), 3);
  });

  const strangers: Readonly<Record<string, () => Promise<ThrowAwayCertificate | undefined>>> = {
    "without a certificate": () => Promise.resolve(undefined),
    "of another authority": async () =>
      await (await throwAwayAuthority()).issue({ use: "client", names: [] }),
    "of another authority with the same name": async () =>
      await (await throwAwayAuthority("ron-transport throw-away authority"))
        .issue({ use: "client", names: [] }),
    "with a certificate for servers": async () => await (await testAuthority()).issue(),
  };
  for (const [which, pair] of Object.entries(strangers)) {
    it(`a client ${which} is never delivered, and counted once`, async () => {
      await using ends = await open();
      const material = await pair();
      // with TLS 1.3 a client is done before the server has judged: it may hear of it at its first read
      const told = await ends.dial(material === undefined ? {} : { material })
        .then((connection) => connection.read(new Uint8Array(1))).catch((error: unknown) => error);
      await ends.until(() => ends.closed.length > 0);
      assert.equal(ends.accepted.length, 0);
      assert.equal(ends.closed[0]?.reason.kind, "tls");
      assert.ok(told === null || TransportError.is(told), String(told));
      assert.equal(ends.server.counters().rejected.tls, 1);
      assert.equal(ends.closed.length, 1);
    });
  }

  it("roots are needed to ask for certificates", async () => {
    const material = await (await testAuthority()).issue();
    for (const tls of [{ material, requestCert: true }, { material, ca: [], requestCert: true }]) {
      assert.equal((await failure(Ends.open({ listen: { tls } }))).kind, "config_invalid");
    }
  });

  it("material that cannot be used ends a dial before it connects", async () => {
    await using ends = await Ends.open();
    const one = await clientPair("one");
    const two = await clientPair("two");
    for (
      const [material, kind] of [
        [{ cert: one.cert, key: two.key }, "tls"],
        [{ cert: one.cert, key: "" }, "config_invalid"],
        [{ cert: "nonsense", key: one.key }, "tls"],
      ] as const
    ) {
      assert.equal((await failure(ends.dial({ material }))).kind, kind);
    }
    await delay(20);
    assert.equal(ends.server.counters().accepts, 0);
  });
});

describe("tls: authorize", () => {
  it("is asked with the facts, before delivery, on both ends", async () => {
    const ca = await testAuthority();
    const seen: ConnectionInfo[] = [];
    const authorize = async (info: ConnectionInfo): Promise<boolean> => {
      await delay(20);
      seen.push(info);
      return true;
    };
    await using ends = await Ends.open({
      listen: { tls: { material: await ca.issue(), ca: ca.cert }, authorize },
    });
    const material = await clientPair("client 9");
    const near = await ends.dial({ material }, { authorize });
    await near.write(new TextEncoder().encode("early"));
    near.closeWrite();
    const far = await ends.accept();
    assert.equal(seen.length, 2);
    assert.deepEqual(seen.map(({ role }) => role).sort(), ["dialer", "listener"]);
    const server = seen.find(({ role }) => role === "listener");
    assert.equal(server?.tls?.peer?.subject, "CN=client 9");
    assert.equal(server?.remote?.hostname, "127.0.0.1");
    // what came while it was asked is there, and so is the end
    assert.equal(await new Response(far.readable).text(), "early");
    far.closeWrite();
    near.abort();
  });

  const refusals: Readonly<Record<string, () => unknown>> = {
    "returns false": () => false,
    "throws": () => {
      throw new Error("not you");
    },
    "rejects": () => Promise.reject(new Error("not you")),
    "returns null": () => null,
    "returns a text": () => "yes",
  };
  for (const [which, hook] of Object.entries(refusals)) {
    it(`a hook of the listener that ${which} refuses`, async () => {
      await using ends = await Ends.open({ listen: { authorize: hook as () => boolean } });
      const told = await ends.dial()
        .then((connection) => connection.read(new Uint8Array(1))).catch((error: unknown) => error);
      assert.ok(told === null || TransportError.is(told));
      await ends.until(() => ends.closed.length > 0);
      assert.equal(ends.accepted.length, 0);
      assert.equal(ends.closed[0]?.reason.kind, "tls");
      assert.equal(ends.closed[0]?.reason.error?.op, "handshake");
      assert.equal(ends.server.counters().rejected.tls, 1);
    });

    it(`a hook of the dial that ${which} refuses`, async () => {
      await using ends = await Ends.open();
      const error = await failure(ends.dial({}, { authorize: hook as () => boolean }));
      assert.equal(error.kind, "tls");
      assert.equal(ends.client.counters().rejected.tls, 1);
      assert.ok(!error.message.includes("not you"));
    });
  }

  it("a hook that never answers is ended by the handshake's deadline, and its signal", async () => {
    let signal: AbortSignal | undefined;
    await using ends = await Ends.open({
      server: { handshake_timeout: "200ms" },
      listen: {
        authorize: (_info, given) => {
          signal = given;
          return new Promise(() => {});
        },
      },
    });
    await ends.dial().then((c) => c.read(new Uint8Array(1)), () => {}).catch(() => {});
    await ends.until(() => ends.closed.length > 0);
    assert.equal(ends.closed[0]?.reason.kind, "timeout");
    assert.equal(signal?.aborted, true);
    assert.equal(ends.server.counters().rejected.timeout, 1);
    assert.equal(ends.server.counters().rejected.tls, 0);
  });

  it("a hook that never answers is ended by the dial's signal at once", async () => {
    await using ends = await Ends.open();
    const abort = new AbortController();
    let asked: AbortSignal | undefined;
    const dialling = ends.dial({}, {
      signal: abort.signal,
      authorize: (_info, signal) => {
        asked = signal;
        abort.abort(new Error("enough"));
        return new Promise(() => {});
      },
    });
    await assert.rejects(dialling, /enough/);
    assert.equal(asked?.aborted, true);
    assert.equal(ends.client.counters().inflight <= 1, true);
  });

  it("is asked without TLS too, and refuses as a peer", async () => {
    const { Transport } = await import("../../mod.ts");
    await using server = new Transport();
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      authorize: ({ remote }) => remote?.hostname !== "127.0.0.1",
    });
    await using client = new Transport();
    const near = await client.dial(listener.address);
    await near.read(new Uint8Array(1)).catch(() => {});
    await delay(10);
    assert.equal(server.counters().rejected.peer_limit, 1);
    assert.equal(listener.size, 0);
  });
});

describe("tls: protocols", () => {
  it("no protocol in common refuses on both ends", async () => {
    await using ends = await Ends.open();
    assert.equal((await failure(ends.dial({ alpn: ["other/1"] }))).kind, "tls");
    await ends.until(() => ends.closed.length > 0);
    assert.equal(ends.closed[0]?.reason.kind, "tls");
    assert.equal(ends.server.counters().rejected.tls, 1);
  });

  it("a client without protocols is refused by a listener that has some", async () => {
    await using ends = await Ends.open();
    await ends.dial({ alpn: [] }).then((c) => c.read(new Uint8Array(1))).catch(() => {});
    await ends.until(() => ends.closed.length > 0);
    assert.equal(ends.closed[0]?.reason.kind, "tls");
    assert.equal(ends.accepted.length, 0);
  });

  it("a listener without protocols is refused by a client that has some", async () => {
    const material = await (await testAuthority()).issue();
    await using ends = await Ends.open({ listen: { tls: { material, alpn: [] } } });
    assert.equal((await failure(ends.dial())).kind, "tls");
    const connection = await ends.dial({ alpn: [] });
    assert.equal(connection.info.tls?.alpn, undefined);
  });

  it("the first protocol of the listener that the client has is chosen", async () => {
    const material = await (await testAuthority()).issue();
    await using ends = await Ends.open({ listen: { tls: { material, alpn: ["b/2", "a/1"] } } });
    const connection = await ends.dial({ alpn: ["a/1", "b/2"] });
    assert.equal(connection.info.tls?.alpn, "b/2");
  });
});

describe("tls: a source of certificates that takes its time", () => {
  it("is within the dial's deadline, and the slot is free again", async () => {
    await using ends = await Ends.open({ client: { dial_timeout: "100ms" } });
    const asked = new Promise<never>(() => {});
    const error = await failure(ends.dial({ material: () => asked }));
    assert.equal(error.kind, "timeout");
    assert.equal(ends.client.counters().timeouts["dial"], 1);
  });

  it("is given up by the dial's signal, and what it gives later is not used", async () => {
    await using ends = await Ends.open();
    const abort = new AbortController();
    const pair = await clientPair("late");
    let give: (pair: ThrowAwayCertificate) => void = () => {};
    const material = (): Promise<ThrowAwayCertificate> => {
      setTimeout(() => abort.abort(new Error("enough")), 5);
      return new Promise((resolve) => give = resolve);
    };
    await assert.rejects(ends.dial({ material }, { signal: abort.signal }), /enough/);
    give(pair);
    await delay(20);
    assert.equal(ends.server.counters().accepts, 0);
    assert.equal(ends.client.counters().inflight, 0);
  });

  it("that throws ends the dial with what it threw", async () => {
    await using ends = await Ends.open();
    const material = (): never => {
      throw new RangeError("no such secret");
    };
    await assert.rejects(ends.dial({ material }), RangeError);
    await delay(5);
    assert.equal(ends.client.counters().inflight, 0);
  });
});
