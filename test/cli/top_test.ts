import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseExposition } from "../../src/cli/top_exposition.ts";
import { figuresOf, quantile } from "../../src/cli/top_figures.ts";
import { screenOf } from "../../src/cli/top_screen.ts";
import { createMetrics } from "../../src/metrics/mod.ts";
import { framed } from "../../src/oap/mod.ts";
import { serveHttp } from "../../src/runtime/host_http.ts";
import { Transport } from "../../src/transport.ts";
import { describe, it, runtimeName, spawnRuntime } from "../harness.ts";
import { run } from "./terminal.ts";

describe("cli top and serve --metrics", () => {
  it("serve --metrics answers /metrics, /ready and /live; top reads them", async () => {
    await using server = spawnRuntime(runtimeName(), "src/cli/main.ts", [
      ...["serve", "--addr", "tcp://127.0.0.1:0", "--metrics", "127.0.0.1:0", "--json", "--log"],
    ]);
    const first = JSON.parse(await server.nextLine());
    const base = `http://${first.metrics}`;
    await using client = new Transport();
    const peer = framed(await client.dial(first.listening));
    const text = await (await fetch(`${base}/metrics`)).text();
    assert.match(text, /^conn_inflight\{backend="tcp"\} 1$/m);
    const ready = await fetch(`${base}/ready`);
    assert.deepEqual([ready.status, await ready.json()], [200, { ready: true }]);
    assert.equal(await (await fetch(`${base}/live`)).text(), "live\n");
    for (const [path, method, status] of [["/", "GET", 404], ["/metrics", "POST", 405]] as const) {
      const response = await fetch(base + path, { method });
      await response.text();
      assert.equal(response.status, status);
    }
    const once = await run("top", first.metrics, "--once", "--json");
    assert.equal(once.code, 0, once.err);
    const data = JSON.parse(once.out);
    assert.deepEqual(data.readiness, { state: "Ready" });
    assert.deepEqual(data.connections, { tcp: 1 });
    assert.equal(data.accepts.total, 1);
    assert.equal(data.handshake.count, 1);
    const shown = await run("top", first.metrics, "--once");
    assert.match(shown.out, / {2}Ready {2}/);
    assert.match(shown.out, /^connections {2}1 \(tcp 1\)$/m);
    await peer.close();
    server.kill("SIGINT");
    assert.equal((await server.exit).code, 0);
    const log = server.stderr().trim().split("\n").map((line) => JSON.parse(line));
    assert.ok(log.some(({ crate, event }) => crate === "ron-transport" && event === "shutdown"));
  });

  it("a place that is taken, or none: one line and its exit code", async () => {
    const http = await serveHttp("127.0.0.1", 0, () => new Response("x"));
    const place = `127.0.0.1:${http.port}`;
    const taken = await run("serve", "--addr", "tcp://127.0.0.1:0", "--metrics", place);
    assert.match(taken.err, /cannot serve metrics on .*: it is in use; name another --metrics/);
    assert.equal(taken.code, 1);
    const none = await run("top", place, "--once");
    assert.match(none.err, /has no metrics of a transport: name the address of `serve --metrics`/);
    assert.equal(none.code, 2);
    await http.close();
    const gone = await run("top", place, "--once");
    assert.match(gone.err, /cannot read http:.*; see that `serve --metrics` runs there/);
    assert.equal(gone.code, 1);
    const wrong = await run("serve", "--metrics", "tcp://127.0.0.1:1");
    assert.match(wrong.err, /--metrics must be HOST:PORT/);
    assert.equal(wrong.code, 2);
    assert.equal((await run("top", place, "--interval", "x")).code, 2);
  });

  it("reads a file, and whatever a stranger may have put there", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ron-top-"));
    const path = join(folder, "metrics.txt");
    await using transport = new Transport();
    const hostile = [
      'rejected_total{reason="\x1b[2J\u202e"} 5',
      "rejected_total{reason=} x",
      "\0\r{{{{",
      `a{b="${"x".repeat(100_000)}"} 1`,
    ];
    await writeFile(path, [await createMetrics().watch(transport).text(), ...hostile].join("\n"));
    const { out, code } = await run("top", path, "--once");
    assert.equal(code, 0);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(out, /[\x00-\x09\x0b-\x1f\u202e]/);
    assert.match(out, /readiness unknown/);
    assert.equal((await run("top", join(folder, "gone"), "--once")).code, 2);
    await rm(folder, { recursive: true });
  });

  it("figures: rates between two looks, quantiles as Prometheus has them", () => {
    assert.equal(quantile([[1, 0], [2, 0], [Infinity, 0]], 0.5), undefined);
    assert.equal(quantile([[1, 10], [2, 10], [Infinity, 10]], 0.5), 0.5);
    assert.equal(quantile([[1, 10], [2, 20], [Infinity, 20]], 0.75), 1.5);
    assert.equal(quantile([[1, 0], [2, 0], [Infinity, 7]], 0.99), 2);
    const look = (at: number, n: number) => ({
      at,
      samples: parseExposition([
        "# TYPE conn_inflight gauge",
        'conn_inflight{backend="tls"} 3',
        `bytes_in_total{backend="tls"} ${n * 4096}`,
        `rejected_total{reason="tls"} ${n}`,
        `handshake_latency_seconds_bucket{backend="tls",pq="off",le="0.01"} ${n}`,
        `handshake_latency_seconds_bucket{backend="tls",pq="hybrid",le="0.01"} ${n}`,
        `handshake_latency_seconds_bucket{backend="tls",pq="off",le="+Inf"} ${n}`,
        `handshake_latency_seconds_bucket{backend="tls",pq="hybrid",le="+Inf"} ${n}`,
      ].join("\n")),
    });
    const figures = figuresOf(look(4_000, 30), look(2_000, 10));
    assert.deepEqual(figures.rejects, { tls: { total: 30, perSecond: 10 } });
    assert.equal(figures.bytesIn.perSecond, 40_960);
    assert.deepEqual(figures.handshake, { count: 40, p50: 5, p95: 9.5, p99: 9.9 });
    assert.equal(figuresOf(look(2, 1), look(1, 2)).bytesIn.perSecond, null, "it was restarted");
    const subject = { source: "x", readiness: "Ready", time: "12:00:00" };
    assert.ok(screenOf(subject, figures, 30).every((line) => line.length < 30));
    const tls = screenOf(subject, figures, 80).find((line) => line.startsWith("  tls"));
    assert.match(tls ?? "", /^ {2}tls +30 +10\.0$/);
  });
});
