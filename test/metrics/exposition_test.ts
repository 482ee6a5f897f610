/** IT-OBS-01: names, labels and edges; what each figure moves by. */
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { Transport } from "../../mod.ts";
import { FAMILIES } from "../../src/metrics/families.ts";
import { createMetrics } from "../../src/metrics/mod.ts";
import { AckWindow, encodeFrame, FLAGS, framed } from "../../src/oap/mod.ts";
import { duplexPair, throwAwayCertificate } from "../../src/testing/mod.ts";
import type { OnAccept, Runtime } from "../../src/runtime/runtime.ts";
import { describe, it } from "../harness.ts";

/** Every metric with its type and labels: frozen. */
const FROZEN = `
transport_dials_total counter backend,pq,result
transport_accepts_total counter backend
handshake_latency_seconds histogram backend,pq 0.01 0.025 0.05 0.1 0.25 0.5 1 2
rejected_total counter reason
conn_inflight gauge backend
bytes_in_total counter backend
bytes_out_total counter backend
io_chunk_bytes histogram backend 1024 2048 4096 8192 16384 32768 65536 131072 262144 524288 1048576
io_read_size_bytes histogram backend 1024 2048 4096 8192 16384 32768 65536 131072 262144 524288 1048576
io_write_size_bytes histogram backend 1024 2048 4096 8192 16384 32768 65536 131072 262144 524288 1048576
throughput_bytes_per_sec histogram backend 1024 2048 4096 8192 16384 32768 65536 131072 262144 524288 1048576
tls_handshake_failures_total counter backend
io_timeouts_total counter op
io_closed_total counter 
transport_read_pauses_total counter scope
wasm_reinstantiations_total counter 
busy_rejections_total counter queue
queue_dropped_total counter queue
queue_depth gauge queue
bus_lagged_total counter 
tasks_spawned_total counter kind
tasks_aborted_total counter kind
pq_handshake_total counter backend,mode,result
oap_frames_total counter kind
oap_rejects_total counter reason
oap_frame_bytes counter 
oap_inflight_frames gauge 
oap_ack_window gauge 
oap_read_frame_seconds histogram  0.005 0.01 0.025 0.05 0.1 0.25 0.5 1
oap_write_frame_seconds histogram  0.005 0.01 0.025 0.05 0.1 0.25 0.5 1
`.trim();

interface Exposed {
  readonly types: Map<string, string>;
  readonly series: Map<string, number>;
}

/** Reads an exposition, strictly. */
function parse(text: string): Exposed {
  const types = new Map<string, string>();
  const series = new Map<string, number>();
  for (const line of text.split("\n")) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) types.set(type[1]!, type[2]!);
    if (line === "" || line.startsWith("#")) continue;
    const match = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line);
    assert.ok(match !== null, line);
    assert.ok(!series.has(match[1]!), `twice: ${line}`);
    series.set(match[1]!, Number(match[2]));
  }
  return { types, series };
}

function frozen({ types, series }: Exposed): string {
  return [...types].map(([name, type]) => {
    const of = [...series.keys()].filter((key) =>
      key.replace(/_bucket(?=\{)/, "").split("{")[0] === name
    );
    const labels = new Set<string>();
    const edges = new Set<string>();
    for (const key of of) {
      for (const [, label, value] of key.matchAll(/([a-z]+)="([^"]*)"/g)) {
        if (label === "le") edges.add(value!);
        else labels.add(label!);
      }
    }
    const numbers = type === "histogram"
      ? ` ${[...edges].filter((edge) => edge !== "+Inf").join(" ")}`
      : "";
    return `${name} ${type} ${[...labels].sort().join(",")}${numbers}`;
  }).join("\n");
}

describe("metrics", () => {
  it("I-G7, I-9, I-15: IT-OBS-01: names, types, labels and edges are these", async () => {
    await using transport = new Transport();
    const exposed = parse(await createMetrics().watch(transport).text());
    assert.equal(frozen(exposed), FROZEN);
    assert.ok(exposed.series.size < 200, `${exposed.series.size} series`);
  });

  it("refuses a registry that has them already, and keeps the host's own metrics", async () => {
    const registry = new Registry();
    createMetrics({ registry });
    assert.throws(() => createMetrics({ registry }), { kind: "misuse" });
    const response = await createMetrics().response();
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  });

  it("speaks OpenMetrics on a registry that does", async () => {
    const registry = new Registry();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    const text = await createMetrics({ registry }).text();
    assert.match(text, /^# TYPE rejected counter$/m);
    assert.match(text, /^rejected_total\{reason="tls"\} 0$/m);
    assert.match(text, /# EOF\s*$/);
  });

  it("I-9: IT-OBS-02: moves by exactly what happened, summed over transports", async () => {
    await using server = new Transport({ max_conns: 2 });
    await using client = new Transport();
    const metrics = createMetrics().watch(server).watch(client);
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: async (connection) => {
        const peer = framed(connection);
        peer.onBatch((batch) =>
          batch.forEach((frame) => {
            if ((frame.flags & FLAGS.REQ) === 0) return;
            peer.trySend({ ...frame.toFrame(), flags: FLAGS.RESP, code: 200 });
          })
        );
        await peer.closed;
      },
    });
    const before = parse(await metrics.text()).series;
    const peers = [
      framed(await client.dial(listener.address)),
      framed(await client.dial(listener.address)),
    ];
    const head = { code: 0, appProtoId: 7, tenantId: 0n, flags: FLAGS.REQ };
    for (let i = 1n; i <= 200n; i++) {
      await peers[0]!.request({ ...head, corrId: i, payload: new Uint8Array(100) });
    }
    await peers[1]!.sendStream(new Uint8Array(150_000), {
      ...head,
      flags: FLAGS.EVENT,
      corrId: 7n,
    });
    // One too many is refused; the dial is told, or sees its end.
    await client.dial(listener.address).then((c) => c.close(), () => {});
    const open = parse(await metrics.text()).series;
    const moved = (name: string): number => open.get(name)! - before.get(name)!;
    assert.equal(moved('transport_accepts_total{backend="tcp"}'), 2);
    assert.ok(moved('transport_dials_total{backend="tcp",result="ok",pq="off"}') >= 2);
    assert.equal(moved('rejected_total{reason="peer_limit"}'), 1);
    assert.ok(moved('handshake_latency_seconds_count{backend="tcp",pq="off"}') >= 4);
    assert.equal(moved('io_chunk_bytes_count{backend="tcp"}'), 3);
    assert.equal(moved('io_chunk_bytes_sum{backend="tcp"}'), 150_000);
    assert.equal(moved("oap_write_frame_seconds_count"), 403); // 200 asked, 200 answered, 3 chunks
    for (const peer of peers) await peer.close();
    await client.drain();
    await server.drain();
    const after = parse(await metrics.text()).series;
    assert.equal(after.get('conn_inflight{backend="tcp"}'), 0);
    assert.equal(after.get("oap_inflight_frames"), 0);
    const total = (name: string): number => after.get(name)! - before.get(name)!;
    assert.equal(
      total('bytes_in_total{backend="tcp"}'),
      total('bytes_out_total{backend="tcp"}'),
      "both ends are watched",
    );
    assert.equal(
      total('oap_frames_total{kind="DATA"}') + total('oap_frames_total{kind="END"}') +
        total('oap_frames_total{kind="START"}'),
      403,
    );
    assert.equal(total("oap_read_frame_seconds_count"), 403);
    assert.equal(
      total('io_read_size_bytes_sum{backend="tcp"}'),
      total('bytes_in_total{backend="tcp"}'),
    );
  });

  it("counts payload bytes without headers and capabilities, one by one and by the read", async () => {
    await using transport = new Transport();
    await using client = new Transport();
    const metrics = createMetrics().watch(transport);
    const listener = await transport.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: (connection) => {
        const peer = framed(connection);
        peer.onBatch(() => {});
        return peer.closed.then(() => {});
      },
    });
    const peer = framed(await client.dial(listener.address));
    const head = { code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n };
    const capability = new Uint8Array(300);
    let bytes = 0;
    for (let i = 0; i < 500; i++) {
      const payload = new Uint8Array(i % 7 === 0 ? 20_000 : i);
      const flags = FLAGS.EVENT | (i % 3 === 0 ? FLAGS.START : 0);
      await peer.send({ ...head, flags, ...(i % 3 === 0 ? { capability } : {}), payload });
      bytes += payload.length;
    }
    await peer.close();
    await transport.drain();
    const { series } = parse(await metrics.text());
    assert.equal(series.get("oap_frame_bytes"), bytes);
    assert.equal(series.get('oap_frames_total{kind="START"}'), 167);
  });

  it("shows the least of all windows, and forgets those that are given back", async () => {
    await using transport = new Transport();
    const metrics = createMetrics().watch(transport);
    const window = async (): Promise<number> =>
      parse(await metrics.text()).series.get("oap_ack_window")!;
    assert.equal(await window(), 64);
    const ack = new AckWindow({ frames: 8 });
    const watched = metrics.watchWindow(ack);
    ack.send(8);
    assert.equal(await window(), 0);
    ack.ack(5n);
    assert.equal(await window(), 5);
    watched[Symbol.dispose]();
    assert.equal(await window(), 64);

    await using server = new Transport();
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: (connection) => framed(connection).closed.then(() => {}),
    });
    const peer = framed(await transport.dial(listener.address), { maxInflight: 3 });
    const head = { code: 0, appProtoId: 7, tenantId: 0n, flags: FLAGS.REQ };
    const ask = (corrId: bigint) =>
      peer.request({ ...head, corrId, payload: new Uint8Array(0) }).catch((error) => error.kind);
    const waits = [1n, 2n, 3n].map(ask);
    assert.equal(await window(), 0);
    assert.equal(await ask(4n), "busy");
    const { series } = parse(await metrics.text());
    assert.equal(series.get('busy_rejections_total{queue="work"}'), 1);
    assert.equal(series.get("oap_inflight_frames"), 3);
    await transport.close();
    await Promise.all(waits);
    assert.equal(await window(), 64);
  });

  it("counts the fault that ends a connection once, whatever comes after it", async () => {
    await using pair = await duplexPair();
    const peer = framed(pair.far);
    const hello = new Uint8Array(38 + 5); // a HELLO whose body is no JSON, then a header of nonsense
    const view = new DataView(hello.buffer);
    view.setUint32(0, 43);
    view.setUint16(4, 1);
    view.setUint16(6, FLAGS.REQ);
    await pair.near.write(new Uint8Array([...hello, ...new Uint8Array(38).fill(255)]));
    await peer.closed;
    const { rejects } = peer.counters;
    assert.deepEqual(Object.values(rejects), [1]);
  });

  it("stays below 200 series with TCP and TLS in one registry, all of them counted", async () => {
    for (const backend of ["tcp", "tls", "arti", "tcp+tls"]) {
      await using transport = new Transport();
      const real = transport.stats();
      const metrics = createMetrics().watch({
        stats: () => ({ ...real, backend: backend.split("+")[0] as "tcp" }),
      });
      for (const one of backend.split("+")) {
        const traffic = real.counters.of(one);
        traffic.accepts = traffic.dialsErr = traffic.tlsFailures = 1;
        for (const pq of one === "tcp" ? ["off"] as const : ["off", "hybrid"] as const) {
          traffic.dialsOk[pq] = 1;
          traffic.handshakes[pq].observe(1);
        }
        for (const histogram of [traffic.reads, traffic.writes, traffic.chunks]) {
          histogram.observe(1);
        }
        traffic.throughput.observe(1);
      }
      const { size } = parse(await metrics.text()).series;
      assert.ok(size < 200, `${backend}: ${size} series`);
    }
  });

  it("has no series with a label or a value that is not declared", async () => {
    await using transport = new Transport();
    transport.stats().counters.of("tls").handshakes.unknown.observe(1);
    for (const { name, labels, read } of FAMILIES) {
      for (const series of read([transport.stats()], [])) {
        assert.deepEqual(Object.keys(series.labels), Object.keys(labels), name);
        for (const [label, value] of Object.entries(series.labels)) {
          assert.ok(labels[label]?.includes(value), `${name} ${label}=${value}`);
        }
      }
    }
  });

  it("I-G7: 100 000 peers, each with its own name and tenant, add no series", {
    timeout: 180_000,
  }, async () => {
    let taken: OnAccept | undefined;
    const runtime: Runtime = {
      name: "memory",
      version: "0",
      connect: () => Promise.reject(new Error("nobody dials")),
      listen(address, _tls, onAccept) {
        taken = onAccept;
        return Promise.resolve({ address, close: () => Promise.resolve() });
      },
    };
    await using transport = new Transport({ backend: "tls", tls: { enabled: true } }, { runtime });
    await transport.listen({
      address: "tls://127.0.0.1:7000",
      tls: () => throwAwayCertificate(),
      onConnection: async (connection) => {
        const peer = framed(connection);
        peer.onBatch(() => {});
        await peer.closed;
      },
    });
    const head = { flags: FLAGS.EVENT, code: 0, appProtoId: 7, payload: new Uint8Array(10) };
    const stranger = (i: number): () => void => {
      const hostname = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
      const remote = { hostname, port: 1_024 + i % 60_000 };
      const handler = taken!({ remote, destroy() {} })!;
      handler.onOpen({
        info: {
          remote,
          tls: {
            version: "TLSv1.3",
            alpn: "oap/1",
            cipher: undefined,
            serverName: `name-${i}.example`,
            group: "X25519",
            pq: "off",
            peer: undefined,
          },
        },
        lends: false,
        write: (bytes) => bytes.length,
        cork() {},
        uncork() {},
        shutdown() {},
        destroy() {},
        pause() {},
        resume() {},
      });
      return () => {
        handler.onBytes(encodeFrame({ ...head, tenantId: BigInt(i), corrId: BigInt(i) }), false);
        handler.onEnd();
        handler.onClose(undefined);
      };
    };
    const wave = async (first: number, n: number): Promise<void> => {
      const sends = Array.from({ length: n }, (_, i) => stranger(first + i));
      await turn(); // onConnection comes by then
      for (const send of sends) send();
      await turn();
    };
    const metrics = createMetrics().watch(transport);
    await wave(0, 1);
    const before = parse(await metrics.text()).series;
    for (let i = 1; i <= 100_000; i += 500) await wave(i, 500);
    const { series } = parse(await metrics.text());
    assert.deepEqual([...series.keys()], [...before.keys()]);
    assert.ok(series.size < 200, `${series.size} series`);
    assert.equal(series.get('transport_accepts_total{backend="tls"}'), 100_001);
    assert.equal(series.get('oap_frames_total{kind="DATA"}'), 100_001);
    assert.equal(series.get('conn_inflight{backend="tls"}'), 0);
  });
});

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
