/** Which key exchange is negotiated, read off the wire, and what is said about it. */
import assert from "node:assert/strict";
import { createServer as createTls } from "node:tls";
import {
  ConfigError,
  type Connection,
  type ConnectionInfo,
  Transport,
  type TransportConfig,
} from "../../mod.ts";
import { unable } from "../../src/config/platform.ts";
import { parseConfig } from "../../src/config/schema.ts";
import { keyExchange } from "../../src/runtime/detect.ts";
import { describe, it } from "../harness.ts";
import { runtimeName } from "../runtimes.ts";
import { Ends, testAuthority } from "./ends.ts";
import { type KeyExchangeSeen, P256, X25519, X25519MLKEM768 } from "./hello.ts";
import { sniff } from "./sniffer.ts";

type Pq = NonNullable<TransportConfig["pq"]>;

const CODES: Readonly<Record<string, number>> = { X25519, "P-256": P256, X25519MLKEM768 };
const able = keyExchange();

/** One handshake between two transports of this runtime, and what the wire showed of it. */
async function handshake(
  server: Pq,
  client: Pq,
): Promise<{ near: ConnectionInfo; far: ConnectionInfo; wire: KeyExchangeSeen }> {
  await using ends = await Ends.open({ server: { pq: server }, client: { pq: client } });
  await using sniffer = await sniff(ends.port);
  const { cert } = await testAuthority();
  const near: Connection = await ends.client.dial(`tls://127.0.0.1:${sniffer.port}`, {
    tls: { ca: cert },
  });
  const far = await ends.accept();
  const [wire] = sniffer.seen();
  return { near: near.info, far: far.info, wire: wire! };
}

/** What is told is what was negotiated, or nothing is told. */
function honest(info: ConnectionInfo, wire: KeyExchangeSeen): void {
  const { group, pq } = info.tls!;
  if (group !== undefined) assert.equal(CODES[group], wire.chosen, `${info.role} says ${group}`);
  const truth = wire.chosen === X25519MLKEM768 ? "hybrid" : "off";
  assert.ok(pq === truth || pq === "unknown", `${info.role} says ${pq}, the wire says ${truth}`);
}

describe("I-10: tls: key exchange", () => {
  it("off is classical where the runtime can restrict, and told truly everywhere", async () => {
    const { near, far, wire } = await handshake({ mode: "off" }, { mode: "off" });
    honest(near, wire);
    honest(far, wire);
    assert.equal(wire.chosen, X25519);
    assert.equal(near.tls?.pq, "off");
    assert.equal(far.tls?.pq, "off");
    assert.equal(wire.offered.includes(X25519MLKEM768), !able.restricts);
  });

  const hybrid = able.hybrid
    ? {}
    : { skip: `${able.runtime} cannot offer X25519MLKEM768 first; that it refuses is shown below` };

  it("hybrid is offered first and negotiated", hybrid, async () => {
    const { near, far, wire } = await handshake({ mode: "hybrid" }, { mode: "hybrid" });
    assert.equal(wire.offered[0], X25519MLKEM768);
    assert.ok(wire.offered.includes(X25519));
    assert.equal(wire.chosen, X25519MLKEM768);
    honest(near, wire);
    honest(far, wire);
  });

  it("I-G9: the same calls, with another configuration, and the same facts", hybrid, async () => {
    const off = await handshake({ mode: "off" }, { mode: "off" });
    const on = await handshake({ mode: "hybrid" }, { mode: "hybrid" });
    for (const end of ["near", "far"] as const) {
      assert.deepEqual(Object.keys(on[end]), Object.keys(off[end]));
      assert.deepEqual(Object.keys(on[end].tls!), Object.keys(off[end].tls!));
    }
  });

  it("hybrid with a classical peer falls back, and is told truly", hybrid, async () => {
    for (const [server, client] of [["hybrid", "off"], ["off", "hybrid"]] as const) {
      const { near, far, wire } = await handshake({ mode: server }, { mode: client });
      assert.equal(wire.chosen, X25519);
      honest(near, wire);
      honest(far, wire);
      // the end that allows nothing else knows it
      assert.equal((server === "off" ? far : near).tls?.pq, "off");
    }
  });

  it("an enforced mode is the only one, at both ends, and is known", hybrid, async () => {
    const only: Pq = { mode: "hybrid", enforce: true };
    const { near, far, wire } = await handshake(only, only);
    assert.deepEqual(wire.offered, [X25519MLKEM768]);
    assert.equal(wire.chosen, X25519MLKEM768);
    for (const info of [near, far]) {
      assert.equal(info.tls?.pq, "hybrid");
      assert.equal(info.tls?.group, "X25519MLKEM768");
    }
    for (const [server, client] of [[only, { mode: "off" }], [{ mode: "off" }, only]] as const) {
      await assert.rejects(handshake(server, client), { kind: "tls" });
    }
  });

  const restricts = able.restricts ? {} : { skip: `${able.runtime} cannot restrict groups` };

  it("an enforced off never meets a hybrid", restricts, async () => {
    const off: Pq = { mode: "off", enforce: true };
    const { near, far, wire } = await handshake(off, off);
    assert.equal(wire.chosen, X25519);
    assert.equal(near.tls?.pq, "off");
    assert.equal(far.tls?.pq, "off");
  });

  it("what the runtime cannot do is refused at load, by its name, before any socket", () => {
    const asked: readonly Pq[] = [
      { mode: "hybrid" },
      { mode: "hybrid", enforce: true },
      { mode: "off", enforce: true },
      { mode: "off" },
    ];
    for (const pq of asked) {
      const possible = (pq.mode === "off" || able.hybrid) && (!pq.enforce || able.restricts);
      if (possible) {
        new Transport({ pq });
        continue;
      }
      assert.throws(() => new Transport({ pq }), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.kind, "config_invalid");
        assert.ok(error.message.includes(able.runtime), error.message);
        return true;
      });
    }
  });

  it("the same is judged from versions for the runtimes that do not run this", () => {
    const of = (versions: Parameters<typeof keyExchange>[0], pq: Pq): readonly string[] =>
      unable(parseConfig({ pq }), keyExchange(versions)).map(({ path }) => path);
    const node20 = { node: "20.20.2", openssl: "3.0.19+quic" };
    const node24 = { node: "24.21.0", openssl: "3.5.8" };
    const deno = { deno: "2.9.5", node: "26.3.0", openssl: "3.5.0" };
    const bun = { bun: "1.4.5", node: "24.3.0" };
    assert.deepEqual(of(node20, { mode: "hybrid" }), ["pq.mode"]);
    assert.deepEqual(of(node20, { mode: "off", enforce: true }), []);
    assert.deepEqual(of(node24, { mode: "hybrid", enforce: true }), []);
    assert.deepEqual(of(bun, { mode: "hybrid", enforce: true }), []);
    assert.deepEqual(of(deno, { mode: "hybrid", enforce: true }), ["pq.mode", "pq.enforce"]);
    assert.deepEqual(of(deno, { mode: "off", enforce: true }), ["pq.enforce"]);
    assert.deepEqual(of(deno, { mode: "off" }), []);
  });

  // That a refusal above is still needed: what the runtime does with the option, on the wire.
  it("a runtime that is said to ignore groups does ignore them", {
    ...(able.restricts && { skip: `${able.runtime} obeys them; shown above` }),
  }, async () => {
    const material = await (await testAuthority()).issue();
    const server = createTls({ ...material, ecdhCurve: "P-384", ALPNProtocols: ["oap/1"] });
    server.on("secureConnection", (secure) => secure.on("error", () => {}).resume());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await using sniffer = await sniff((server.address() as { port: number }).port);
    await using client = new Transport();
    const { cert } = await testAuthority();
    const near = await client.dial(`tls://127.0.0.1:${sniffer.port}`, { tls: { ca: cert } });
    const [wire] = sniffer.seen();
    assert.equal(wire?.chosen, X25519, "ecdhCurve is obeyed now: offer pq on this runtime");
    honest(near.info, wire!);
    near.abort();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it("this runtime was judged by its own name", () => {
    assert.match(able.runtime.toLowerCase(), new RegExp(`^${runtimeName()}`));
  });
});
