/** I-G4, I-G5 and the small parts. */
import assert from "node:assert/strict";
import {
  CAPS,
  formatAddress,
  KINDS,
  parseAddress,
  type Readiness,
  rejectReason,
  Transport,
  TransportError,
} from "../../../mod.ts";
import { Permits } from "../../../src/limits/permits.ts";
import { ReadinessState } from "../../../src/readiness.ts";
import { ManualClock, MemoryNetwork } from "../../../src/testing/mod.ts";
import { describe, it } from "../../harness.ts";

describe("errors", () => {
  it("I-G5, I-13: the kinds, their reasons and hints are these", () => {
    const table = Object.entries(KINDS).map(([kind, { reason, retry }]) =>
      `${kind} ${reason ?? "-"} ${retry}`
    );
    assert.deepEqual(table, [
      "timeout timeout caller",
      "peer_limit peer_limit later",
      "rate_limited rate_limited later",
      "too_large too_large no",
      "tls tls no",
      "arti_bootstrap arti_bootstrap later",
      "io_closed - caller",
      "busy - caller",
      "bind_failed - no",
      "config_invalid - no",
      "misuse - no",
      "malformed - no",
      "internal - no",
    ]);
    assert.equal(rejectReason("a kind of a later version"), undefined);
    assert.equal(rejectReason("constructor"), undefined);
  });

  it("I-13: carries the kind through JSON and structured clone", () => {
    const error = new TransportError("busy", "full", { op: "write", origin: "local" });
    const copy = structuredClone(error.toJSON());
    assert.deepEqual(copy, {
      kind: "busy",
      op: "write",
      origin: "local",
      retry: "caller",
      message: "full",
    });
    assert.deepEqual(JSON.parse(JSON.stringify(error)), copy);
  });

  it("I-13: is recognised across copies of the package, and nothing else is", () => {
    const twin = Object.defineProperty(
      new Error("x"),
      Symbol.for("ron-transport.TransportError"),
      { value: true },
    );
    assert.ok(TransportError.is(twin));
    for (const value of [new Error("x"), null, undefined, "busy", {}]) {
      assert.equal(TransportError.is(value), false);
    }
    const cause = new RangeError("deep");
    const wrapped = TransportError.from(cause, "internal", { op: "test" });
    assert.equal(wrapped.cause, cause);
    assert.equal(TransportError.from(wrapped, "busy", { op: "other" }), wrapped);
  });
});

describe("addresses", () => {
  it("are read and written back", () => {
    for (
      const text of [
        "tcp://127.0.0.1:0",
        "tls://[::1]:7443",
        "example.com:1",
        "a_b.c:65535",
        "unix:/run/a b.sock",
        `unix:/${"x".repeat(106)}`,
      ]
    ) {
      assert.equal(formatAddress(parseAddress(text)), text);
    }
    for (
      const text of [
        "",
        "127.0.0.1",
        "udp://h:1",
        "h:65536",
        "h:-1",
        "::1:80",
        "tcp://h:1/x",
        "h :1",
        "h:1\n",
        "unix:",
        "unix:a.sock",
        "unix:/a\0b",
        `unix:/${"x".repeat(107)}`,
        `unix:/${"é".repeat(54)}`,
        `${"h".repeat(500)}:99999`,
      ]
    ) assert.throws(() => parseAddress(text), { kind: "config_invalid" }, text);
  });
});

describe("permits", () => {
  it("give back one slot a permit, however often it is released", () => {
    const permits = new Permits(() => 2);
    const first = permits.take();
    using second = permits.take();
    assert.ok(first && second);
    assert.equal(permits.take(), undefined);
    first.release();
    first.release();
    first[Symbol.dispose]();
    assert.equal(permits.used, 1);
    assert.ok(permits.take());
    assert.equal(permits.take(), undefined);
  });

  it("take none back when there are fewer", () => {
    let max = 3;
    const permits = new Permits(() => max);
    const held = [permits.take(), permits.take(), permits.take()];
    max = 1;
    assert.equal(permits.take(), undefined);
    held[0]!.release();
    held[1]!.release();
    assert.equal(permits.take(), undefined);
    held[2]!.release();
    assert.ok(permits.take());
  });
});

describe("readiness", () => {
  it("I-G4, I-14: tells each change once, and equal states not at all", () => {
    const seen: string[] = [];
    const text = (r: Readiness): string => r.state === "Ready" ? r.state : `${r.state} ${r.reason}`;
    const state = new ReadinessState(({ from, to }) => seen.push(`${text(from)} > ${text(to)}`));
    state.set({ state: "NotReady", reason: "starting" });
    state.set({ state: "Ready" });
    state.set({ state: "Ready" });
    state.set({ state: "Degraded", reason: "arti_bootstrap" });
    state.set({ state: "NotReady", reason: "arti_bootstrap" });
    assert.deepEqual(seen, [
      "NotReady starting > Ready",
      "Ready > Degraded arti_bootstrap",
      "Degraded arti_bootstrap > NotReady arti_bootstrap",
    ]);
  });

  it("I-G4, I-14: follows what a transport can do", async () => {
    const runtime = new MemoryNetwork();
    const clock = new ManualClock();
    const seen: string[] = [];
    const server = new Transport({}, {
      runtime,
      clock,
      onReadiness: ({ to }) => seen.push(to.state === "Ready" ? "Ready" : to.reason),
    });
    assert.deepEqual(server.readiness, { state: "NotReady", reason: "starting" });
    const listener = await server.listen();
    assert.deepEqual(server.readiness, { state: "Ready" });
    await assert.rejects(server.listen({ address: listener.address }), { kind: "bind_failed" });
    assert.deepEqual(server.readiness, { state: "NotReady", reason: "bind_failed" });
    await assert.rejects(server.listen({ address: "tls://127.0.0.1:0" }), {
      kind: "config_invalid",
    });
    assert.deepEqual(server.readiness, { state: "NotReady", reason: "tls_config_missing" });
    await server.listen();
    await server.close();
    assert.deepEqual(seen, ["Ready", "bind_failed", "tls_config_missing", "Ready", "draining"]);
    await assert.rejects(server.listen(), { kind: "misuse" });
    await assert.rejects(server.dial("127.0.0.1:1"), { kind: "misuse" });
    assert.equal(new Transport({ bind_addr: null }).readiness.state, "Ready");
  });

  it("ignores a hook that throws, and counts it", async () => {
    const transport = new Transport({}, {
      runtime: new MemoryNetwork(),
      onReadiness: () => {
        throw new Error("a bug of the host");
      },
    });
    await transport.listen();
    await transport.close();
    assert.equal(transport.counters().hookFailures, 2);
  });
});

describe("transport", () => {
  it("never uses plain TCP where TLS is configured", async () => {
    const transport = new Transport(
      { backend: "tls", tls: { enabled: true } },
      { runtime: new MemoryNetwork() },
    );
    await assert.rejects(transport.dial("tcp://127.0.0.1:1"), { kind: "config_invalid" });
    await assert.rejects(
      transport.listen({ address: "tcp://127.0.0.1:0", tls: () => ({ cert: "c", key: "k" }) }),
      { kind: "config_invalid" },
    );
  });

  it("refuses a dial when all slots are taken, and counts it once", async () => {
    const runtime = new MemoryNetwork();
    const server = new Transport({}, { runtime });
    const listener = await server.listen({ onConnection: (c) => c.closed.then() });
    const client = new Transport({ max_conns: 1 }, { runtime });
    await client.dial(listener.address);
    await assert.rejects(client.dial(listener.address), { kind: "peer_limit", retry: "later" });
    assert.equal(client.counters().rejected.peer_limit, 1);
    assert.equal(client.counters().dialsOk, 1);
    assert.equal(client.counters().dialsErr, 1);
    await client.close();
    await server.close();
  });

  it("I-G1: caps are what they are", () => {
    assert.deepEqual({ ...CAPS }, {
      frameBytes: 1_048_576,
      chunkBytes: 65_536,
      inflateRatio: 8,
      headerBytes: 38,
      capabilityBytes: 65_535,
      inflightFrames: 64,
      inboxItems: 256,
      workItems: 512,
      events: 1_024,
    });
  });
});
