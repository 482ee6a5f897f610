/**
 * The metrics of transports, on a registry of `prom-client`.
 *
 * @module
 */

import { Registry } from "prom-client";
import { TransportError } from "../errors.ts";
import type { Histogram } from "../histogram.ts";
import type { TransportStats } from "../stats.ts";
import { FAMILIES } from "./families.ts";
import type { Family, Labels, Window } from "./family.ts";

/** What metrics are read of: a `Transport`. */
export interface Watched {
  /** @internal */
  stats(): TransportStats;
}

/** The part of a `Registry` of `prom-client` that is used. */
export interface MetricsRegistry {
  /** Prometheus text or OpenMetrics. */
  readonly contentType: string;
  /** The exposition. */
  metrics(): Promise<string>;
  /** A metric by its name. */
  getSingleMetric(name: string): unknown;
  /** Adds a metric. */
  registerMetric(metric: never): void;
}

/** Options of {@linkcode createMetrics}. */
export interface MetricsOptions {
  /** Where to register; one that belongs to the host keeps its own metrics beside these. @default A new registry. */
  registry?: MetricsRegistry;
}

/** The metrics of the transports that are watched, summed. */
export class Metrics {
  /** Where they are registered. */
  readonly registry: MetricsRegistry;
  readonly #watched = new Set<Watched>();
  readonly #windows = new Set<Window>();

  /** @internal Made by {@linkcode createMetrics}. */
  constructor(registry: MetricsRegistry) {
    this.registry = registry;
    for (const family of FAMILIES) {
      const metric = new FamilyMetric(family, registry, this);
      registry.registerMetric(metric as never);
    }
  }

  /** Adds a transport. What it counted stays in the sums for as long as these metrics live. */
  watch(transport: Watched): this {
    this.#watched.add(transport);
    return this;
  }

  /**
   * Adds a window of acknowledgements to `oap_ack_window`, which otherwise knows the unanswered requests of
   * framed connections only. Give it back when the stream is over, or it is kept for good.
   *
   * @param window An `AckWindow`.
   * @returns Disposing it gives the window back.
   */
  watchWindow(window: Window): Disposable {
    this.#windows.add(window);
    return { [Symbol.dispose]: () => void this.#windows.delete(window) };
  }

  /** The exposition: Prometheus text, or OpenMetrics where the registry's content type says so. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /**
   * The exposition as an HTTP answer, for a host to mount in `Deno.serve` or `Bun.serve`.
   *
   * @returns A new response with the registry's content type.
   */
  async response(): Promise<Response> {
    const headers = { "content-type": this.registry.contentType };
    return new Response(await this.text(), { headers });
  }

  /** @internal */
  stats(): TransportStats[] {
    return Array.from(this.#watched, (transport) => transport.stats());
  }

  /** @internal */
  windows(): Window[] {
    return [...this.#windows];
  }
}

/**
 * Registers the metrics of this library. Figures are plain numbers that are summed when a scrape asks.
 *
 * @param options The registry.
 * @returns The metrics; give them transports to watch.
 * @throws {TransportError} `misuse` when the registry has a metric of one of these names already.
 *
 * @example
 * ```ts
 * import { Transport } from "@ron/transport";
 * import { createMetrics } from "@ron/transport/metrics";
 * import assert from "node:assert/strict";
 *
 * await using transport = new Transport();
 * const metrics = createMetrics().watch(transport);
 * assert.match(await metrics.text(), /^transport_accepts_total\{backend="tcp"\} 0$/m);
 * const handler = () => metrics.response(); // for Deno.serve or Bun.serve
 * assert.equal((await handler()).status, 200);
 * ```
 */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = options.registry ?? new Registry();
  const taken = FAMILIES.find(({ name }) => registry.getSingleMetric(name) !== undefined);
  if (taken === undefined) return new Metrics(registry);
  throw new TransportError(
    "misuse",
    `The registry has a metric ${taken.name} already: register once, and watch several transports`,
    { op: "metrics" },
  );
}

/** One figure of the exposition. */
export interface Figure {
  /** Name of the series, such as `rejected_total` or `io_read_size_bytes_bucket`. */
  readonly name: string;
  /** Its labels, `le` included. */
  readonly labels: Readonly<Record<string, string>>;
  /** Its value now. */
  readonly value: number;
}

/** @internal All figures of this library, as the exposition has them. */
export function seriesOf(metrics: Metrics): Figure[] {
  return FAMILIES.flatMap((family) =>
    valuesOf(family, family.name, metrics).map(({ metricName = family.name, labels, value }) => ({
      name: metricName,
      labels: Object.fromEntries(Object.entries(labels).map(([k, v]) => [k, String(v)])),
      value,
    }))
  );
}

interface Value {
  readonly metricName?: string;
  readonly labels: Record<string, string | number>;
  readonly value: number;
}

/** One family as the registry asks for it. */
class FamilyMetric {
  readonly name: string;
  readonly help: string;
  readonly type: Family["type"];
  readonly aggregator: "sum" | "min";
  readonly #family: Family;
  readonly #registry: MetricsRegistry;
  readonly #metrics: Metrics;

  constructor(family: Family, registry: MetricsRegistry, metrics: Metrics) {
    this.name = family.name;
    this.help = family.help;
    this.type = family.type;
    this.#family = family;
    this.#registry = registry;
    this.#metrics = metrics;
    this.aggregator = family.name === "oap_ack_window" ? "min" : "sum";
  }

  /** What a scrape gets. In OpenMetrics the registry itself adds `_total` to a counter. */
  get(): Promise<Record<string, unknown>> {
    const family = this.#family;
    const { help, type, aggregator } = this;
    const open = this.#registry.contentType === Registry.OPENMETRICS_CONTENT_TYPE;
    const name = open && type === "counter" ? family.name.replace(/_total$/, "") : family.name;
    const values = valuesOf(family, name, this.#metrics);
    return Promise.resolve({ name, help, type, aggregator, values });
  }

  /** Nothing to forget: the figures are the transports'. */
  reset(): void {}
}

function valuesOf(family: Family, name: string, metrics: Metrics): Value[] {
  const all = metrics.stats();
  return family.type === "histogram"
    ? family.read(all).flatMap(({ labels, value }) => buckets(name, labels, value))
    : family.read(all, metrics.windows()).map(({ labels, value }) => ({
      labels: { ...labels },
      value,
    }));
}

function buckets(name: string, labels: Labels, histogram: Histogram): Value[] {
  const { edges, counts, sum } = histogram;
  let n = 0;
  const values: Value[] = edges.map((le, i) => {
    n += counts[i]!;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: n };
  });
  n += counts[edges.length]!;
  values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: n });
  values.push({ metricName: `${name}_sum`, labels: { ...labels }, value: sum });
  values.push({ metricName: `${name}_count`, labels: { ...labels }, value: n });
  return values;
}
