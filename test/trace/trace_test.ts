/** Spans as a real SDK and as Deno's own OpenTelemetry export them. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { type Connection, Transport } from "../../mod.ts";
import { FLAGS, framed } from "../../src/oap/mod.ts";
import { tracing } from "../../src/trace/mod.ts";
import { describe, it, runtimeName, spawnRuntime } from "../harness.ts";

async function receive(connection: Connection): Promise<void> {
  const peer = framed(connection);
  peer.onBatch(() => {});
  await peer.closed;
}

describe("traces", () => {
  it("a connection gives its span and what is below it; a frame its own", async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    const spans = tracing({ tracer: provider.getTracer("test"), prefix: "test" });
    const told: string[] = [];
    await using server = new Transport(
      {},
      spans.hooks({ onConnectionClosed: ({ info }) => void told.push(info.id) }),
    );
    await using client = new Transport();
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: receive,
    });
    const peer = framed(await client.dial(listener.address));
    const payload = new Uint8Array(100);
    await peer.send({
      flags: FLAGS.EVENT,
      code: 0,
      appProtoId: 7,
      tenantId: 0n,
      corrId: 1n,
      payload,
    });
    await peer.close();
    await server.drain();
    const found = exporter.getFinishedSpans();
    const named = (name: string): ReadableSpan => {
      const all = found.filter((span) => span.name === name);
      assert.equal(all.length, 1, name);
      return all[0]!;
    };
    const whole = named("transport.conn");
    assert.equal(told.length, 1, "the host's own hook is called too");
    assert.equal(whole.attributes["conn_id"], told[0]);
    assert.equal(whole.attributes["backend"], "tcp");
    assert.match(String(whole.attributes["local_addr"]), /^127\.0\.0\.1:\d+$/);
    assert.match(String(whole.attributes["peer_addr"]), /^127\.0\.0\.1:\d+$/);
    for (const name of ["transport.handshake", "transport.read"]) {
      assert.equal(named(name).parentSpanContext?.spanId, whole.spanContext().spanId, name);
    }
    assert.equal(named("transport.read").attributes["bytes"], 138);
    assert.equal(found.length, 3, "nothing was written");
  });

  it("a refused frame and a broken connection say so; a peer can be left out", async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    const spans = tracing({ tracer: provider.getTracer("test"), peerAddress: false });
    await using server = new Transport({}, spans.hooks());
    await using client = new Transport();
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: receive,
    });
    const peer = await client.dial(listener.address);
    await peer.write(new Uint8Array(38).fill(255));
    await peer.closed;
    await server.drain();
    const whole = exporter.getFinishedSpans().find(({ name }) => name === "transport.conn")!;
    assert.equal(whole.status.code, 2);
    assert.equal(whole.attributes["error.type"], "malformed");
    assert.equal("peer_addr" in whole.attributes, false);

    exporter.reset();
    const frame = { flags: FLAGS.REQ, code: 0, appProtoId: 7, payload: new Uint8Array(9) };
    assert.throws(() => spans.decode(frame, () => JSON.parse("{")), SyntaxError);
    await assert.rejects(spans.encode(frame, () => Promise.reject(new Error("no"))));
    assert.equal(await spans.encode(frame, () => Promise.resolve(7), { seq: 3, ackUpTo: 2 }), 7);
    const [first, second, third] = exporter.getFinishedSpans();
    assert.deepEqual([first?.name, first?.status.code], ["ron.oap.decode_frame", 2]);
    assert.equal(second?.status.code, 2);
    assert.deepEqual({ ...third?.attributes }, {
      frame_kind: "DATA",
      len: 9,
      seq: 3,
      ack_up_to: 2,
    });
  });

  it("Deno's own OpenTelemetry exports them to a collector", {
    skip: runtimeName() !== "deno" && "only Deno has one built in",
    leaks: false,
  }, async () => {
    const names: string[] = [];
    const collector = createServer((request, response) => {
      let text = "";
      request.on("data", (part) => text += String(part)).on("end", () => {
        if (request.url === "/v1/traces") {
          names.push(...Array.from(text.matchAll(/"name":\s*"([a-z_.]+)"/g), ([, name]) => name!));
        }
        response.setHeader("content-type", "application/json");
        response.end("{}");
      });
    });
    await new Promise<void>((done) => collector.listen(0, "127.0.0.1", done));
    const { port } = collector.address() as AddressInfo;
    await using program = spawnRuntime("deno", "test/trace/program.ts", [], {
      env: {
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      },
    });
    assert.equal(await program.nextLine(), "done");
    assert.equal((await program.exit).code, 0, program.stderr());
    await new Promise((done) => {
      collector.close(done);
      collector.closeAllConnections();
    });
    const count = (name: string): number => names.filter((one) => one === name).length;
    for (const name of ["conn", "handshake", "read", "write"]) {
      assert.equal(count(`transport.${name}`), 2, `transport.${name} in ${names}`);
    }
    assert.equal(count("test.oap.decode_frame"), 1);
    assert.equal(count("test.oap.encode_frame"), 1);
  });
});
