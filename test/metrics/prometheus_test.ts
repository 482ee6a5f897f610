/** IT-OBS-03: metrics as a real Prometheus sees them, scraped and pushed. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { Registry } from "prom-client";
import { Transport } from "../../mod.ts";
import { createMetrics, remoteWrite } from "../../src/metrics/mod.ts";
import { seriesOf } from "../../src/metrics/metrics.ts";
import { serveHttp } from "../../src/runtime/host_http.ts";
import { describe, it, ROOT } from "../harness.ts";
import { MixedLoad } from "./mixed_load.ts";
import { MISSING, Prometheus, promtool, scraping } from "./prometheus.ts";

if (MISSING === false) console.log(promtool(["--version"]).output.split("\n")[0]);

/** What `promtool check metrics` says of names that are frozen; it knows no way to leave them out. */
const FROZEN_LINTS = [
  'oap_frame_bytes counter metrics should have "_total" suffix',
  "throughput_bytes_per_sec metric names should not contain abbreviated units",
];

/** The time that is promised, or one round: RON_FULL=1 asks for the former. */
const SECONDS = process.env["RON_FULL"] === "1" ? 60 : 0;

/** `fetch` keeps its connections to a Prometheus for a while. */
const REAL = { needs: MISSING, leaks: false, timeout: 60_000 + 3_000 * SECONDS } as const;

const matcher = (series: string, job: string): string => {
  const [name, labels = ""] = series.replace(/\}$/, "").split("{");
  return `sum(${name}{${[`job="${job}"`, labels].filter((part) => part !== "").join(",")}})`;
};

describe("metrics in Prometheus", () => {
  it("promtool check metrics: nothing but two names that are frozen", REAL, async () => {
    await using load = new MixedLoad();
    for (const transport of [load.tcp, load.tls]) {
      const text = await createMetrics().watch(transport).text();
      const { output } = promtool(["check", "metrics"], text);
      assert.deepEqual(output.trim().split("\n").sort(), FROZEN_LINTS);
    }
  });

  it("each series moves by what clients did: good, slow and hostile", REAL, async () => {
    await using load = new MixedLoad();
    await load.start();
    const open = new Registry();
    open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    const all = {
      server: createMetrics().watch(load.tcp).watch(load.tls).watch(load.paced).watch(load.rated),
      client: createMetrics().watch(load.client),
      open: createMetrics({ registry: open as never }).watch(load.tcp).watch(load.tls)
        .watch(load.paced).watch(load.rated),
    };
    const hosts = await Promise.all(
      Object.values(all).map((metrics) => serveHttp("127.0.0.1", 0, () => metrics.response())),
    );
    const [server, client, opened] = hosts.map(({ port }) => port) as [number, number, number];
    try {
      await using prometheus = await Prometheus.start(scraping({ server, client, open: opened }));
      await prometheus.until("sum(up)", (value) => value === 3);
      const before = new Map<string, number>();
      const expected = await (async () => {
        const found = await prometheus.query('{job=~"server|client"}');
        for (const { labels, value } of found) {
          if (value !== 0) before.set(labels["__name__"]!, value);
        }
        return await load.run(SECONDS);
      })();
      // The last scrape that began before the load ended is over after two more.
      const scrapes = (await prometheus.value(
        'count_over_time(up{job="server"}[5m])',
      ))!;
      await prometheus.until(
        'count_over_time(up{job="server"}[5m])',
        (value) => (value ?? 0) >= scrapes + 3,
      );
      for (const job of ["server", "client"] as const) {
        for (const [series, moved] of Object.entries(expected[job])) {
          const value = await prometheus.value(matcher(series, job));
          assert.equal(value, moved, `${job} ${series}`);
        }
      }
      assert.deepEqual(
        [...before.keys()].filter((name) => name !== "up" && !/^scrape_|_window$/.test(name)),
        [],
      );
      // How often is the pacer's affair; that it did is the client's, who sent twice the rate.
      const pauses = 'sum(transport_read_pauses_total{job="server",scope="conn"})';
      assert.ok((await prometheus.value(pauses))! > 0);
      // OpenMetrics has other names only where it must: a counter ends in _total.
      for (
        const [name, other] of [
          ["rejected_total", "rejected_total"],
          ["oap_frame_bytes", "oap_frame_bytes_total"],
          ["handshake_latency_seconds_bucket", "handshake_latency_seconds_bucket"],
        ]
      ) {
        const text = await prometheus.value(`sum(${name}{job="server"})`);
        assert.equal(await prometheus.value(`sum(${other}{job="open"})`), text);
      }
      for (const expression of panelQueries()) {
        const found = await prometheus.query(expression);
        assert.ok(found.length > 0, `an empty panel: ${expression}`);
        // The p50 of nothing is no figure; here there was something.
        assert.ok(found.some(({ value }) => !Number.isNaN(value)), expression);
      }
      const series = await prometheus.value(
        'count({job="server",__name__!~"up|scrape_.*"})',
      );
      const seen = await prometheus.value('count_over_time(up{job="server"}[5m])');
      console.log(`series of TCP and TLS in one registry: ${series}; ${seen} scrapes`);
      assert.ok(seen! >= SECONDS * 0.9, `${seen} scrapes in ${SECONDS} s`);
      assert.ok(series! < 200, `${series} series`);
      // Left out where there are two backends; alone it is there.
      const alone = await createMetrics().watch(load.tls).text();
      const closed = expected.server['handshake_latency_seconds_count{backend="tls"}'];
      assert.ok(alone.includes(`throughput_bytes_per_sec_count{backend="tls"} ${closed}\n`));
    } finally {
      await Promise.all(hosts.map((host) => host.close()));
    }
  });

  it("pushed series are stored as they are, histograms and labels included", REAL, async () => {
    await using load = new MixedLoad();
    await load.start();
    await load.run();
    const metrics = createMetrics().watch(load.tcp).watch(load.tls);
    await using prometheus = await Prometheus.start(scraping({}));
    const writer = remoteWrite(metrics, {
      url: `${prometheus.url}/api/v1/write`,
      labels: { job: "push", zone: "a" },
      intervalMs: 3_600_000,
    });
    await writer.close();
    assert.deepEqual(writer.counters, { sent: 1, retried: 0, refused: 0, dropped: 0 });
    const stored = await prometheus.query('{job="push"}');
    const key = (labels: Readonly<Record<string, string>>): string =>
      JSON.stringify(Object.entries(labels).sort());
    assert.deepEqual(
      stored.map(({ labels, value }) => [key(labels), value]).sort(),
      seriesOf(metrics).map(({ name, labels, value }) => [
        key({ ...labels, __name__: name, job: "push", zone: "a" }),
        value,
      ]).sort(),
    );
  });

  it(
    "a receiver that is killed and comes back: the gap is bounded, and counted",
    REAL,
    async () => {
      await using transport = new Transport();
      await using prometheus = await Prometheus.start(scraping({}));
      const writer = remoteWrite(createMetrics().watch(transport), {
        url: `${prometheus.url}/api/v1/write`,
        labels: { job: "push" },
        intervalMs: 100,
        queue: 5,
      });
      const { counters } = writer;
      const samples = 'count_over_time(conn_inflight{job="push"}[5m])';
      await until(() => counters.sent >= 5);
      await prometheus.kill();
      await until(() => counters.dropped >= 5);
      assert.ok(writer.waiting <= 6);
      await prometheus.restart();
      const { sent } = counters;
      await until(() => counters.sent > sent + 5);
      await writer.close();
      assert.equal(writer.waiting, 0);
      assert.equal(counters.refused, 0);
      assert.equal(await prometheus.value(samples), counters.sent, "what was sent is stored, once");
      const gap = await prometheus.value(
        'max_over_time((time() - timestamp(conn_inflight{job="push"}))[5m:50ms])',
      );
      console.log(`gap of ${gap?.toFixed(2)} s, ${counters.dropped} samples dropped and counted`);
    },
  );
});

/** The queries of all panels, as Grafana would ask this server. */
function panelQueries(): string[] {
  const text = readFileSync(join(ROOT, "docs/ops/dashboard.json"), "utf8");
  const { panels } = JSON.parse(text) as { panels: { targets?: { expr: string }[] }[] };
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok(queries.length >= 20);
  return queries.map((expr) =>
    expr.replaceAll("$job", "server").replaceAll("$__rate_interval", "1m")
  );
}

async function until(met: () => boolean): Promise<void> {
  for (let i = 0; i < 1_500 && !met(); i++) await delay(10);
  assert.ok(met(), String(met));
}
