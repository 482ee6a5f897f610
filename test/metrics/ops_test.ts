/** Alerts: rules that load, each fires on its series and is silent on a healthy server, and is explained. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FAMILIES } from "../../src/metrics/families.ts";
import { describe, it, ROOT } from "../harness.ts";
import { MISSING, promtool } from "./prometheus.ts";

const OPS = join(ROOT, "docs/ops");
const read = (path: string): string => readFileSync(join(ROOT, "docs", path), "utf8");
const alerts = [...read("ops/alerts.yml").matchAll(/alert: (\w+)/g)].map(([, name]) => name!);

describe("alerts and dashboard", () => {
  it("promtool takes the rules and the configuration, and its tests of the rules hold", {
    needs: MISSING,
  }, () => {
    for (
      const args of [
        ["check", "rules", join(OPS, "alerts.yml")],
        ["check", "config", join(OPS, "prometheus.yml")],
        ["test", "rules", join(OPS, "alerts_test.yml")],
      ]
    ) {
      const { code, output } = promtool(args);
      assert.equal(code, 0, output);
    }
  });

  it("each alert is tested both ways, and has its section in the runbook", () => {
    assert.equal(new Set(alerts).size, alerts.length);
    const tests = read("ops/alerts_test.yml");
    const runbook = read("RUNBOOK.md");
    for (const alert of alerts) {
      assert.ok(tests.includes(`alertname: ${alert}, exp_alerts: []`), `${alert}: silent`);
      assert.ok(tests.includes(`alertname: ${alert}\n`), `${alert}: fires`);
      assert.ok(runbook.includes(`\n### ${alert}\n`), `${alert}: no section in RUNBOOK.md`);
      assert.ok(read("ops/alerts.yml").includes(`docs/RUNBOOK.md#${alert.toLowerCase()}`));
    }
  });

  it("rules and panels name metrics that there are, and METRICS.md names all of them", () => {
    const known = new Set(
      FAMILIES.flatMap(({ name, type }) =>
        type === "histogram" ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name]
      ),
    );
    const text = read("ops/alerts.yml") + read("ops/dashboard.json");
    const used = [...text.matchAll(/\b((?:[a-z]+_)+[a-z]+)\s*(?:\{|\[|\()/g)].map(([, name]) =>
      name!
    )
      .filter((name) =>
        /^(?:transport|handshake|rejected|conn|bytes|io|tls|busy|queue|pq|oap|wasm)_/.test(name)
      );
    assert.ok(used.length > 30);
    for (const name of used) assert.ok(known.has(name), name);
    for (const { name } of FAMILIES) assert.ok(read("METRICS.md").includes(`\`${name}\``), name);
  });
});
