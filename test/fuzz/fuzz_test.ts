/** FUZZ-RSN-01, FUZZ-PEM-01, FUZZ-INFL-01, FUZZ-CFG-01, FUZZ-LG-01: short runs of every target, and the engine. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Transport } from "../../mod.ts";
import { throwAwayCertificate } from "../../src/testing/certificate.ts";
import { describe, it } from "../harness.ts";
import { corpusOf } from "./corpus.ts";
import { fuzz } from "./engine.ts";
import type { FuzzTarget } from "./target.ts";
import { TARGETS } from "./targets/mod.ts";

const EXECUTIONS = 400;

describe("fuzz targets", () => {
  for (const target of TARGETS) {
    it(`${target.name}: what was found once, and ${EXECUTIONS} inputs more`, async () => {
      const least = target.seeds.length + EXECUTIONS;
      const outcome = await fuzz(target, {
        seed: 20_261_129,
        corpus: corpusOf(target.name),
        goOn: (executions) => executions < least,
      });
      // under the load of a whole test run, time tells nothing
      const broken = outcome.findings.filter(({ message }) => !message.startsWith("slow:"));
      assert.deepEqual(broken.map(({ message }) => message), []);
      assert.ok(outcome.executions >= least);
      assert.ok(outcome.behaviours >= 3, `${outcome.behaviours} behaviours`);
    });
  }
});

/** A certificate with some of its bytes changed; its signature is wrong, which nobody asks of one's own. */
function damaged(pem: string, find: readonly number[], put: readonly number[]): string {
  const body = pem.replace(/-----[^-]+-----|\s/g, "");
  const der = Buffer.from(body, "base64");
  const at = der.indexOf(Buffer.from(find));
  assert.ok(at > 0);
  Buffer.from(put).copy(der, at);
  const lines = der.toString("base64").match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

describe("what fuzzing found", () => {
  const UTC_TIME = [0x17, 0x0d];
  const EC_KEY = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
  const faults: Readonly<Record<string, readonly [readonly number[], readonly number[]]>> = {
    "an impossible date": [UTC_TIME, [...UTC_TIME, ...Buffer.from("999999")]],
    "a key of no known kind": [EC_KEY, [...EC_KEY.slice(0, 8), 0x55]],
  };
  for (const [what, [find, put]] of Object.entries(faults)) {
    it(`a certificate with ${what} is refused as tls, and ends no process`, async () => {
      const { cert, key } = await throwAwayCertificate();
      const transport = new Transport();
      const material = { cert: damaged(cert, find, put), key };
      try {
        await assert.rejects(
          transport.listen({ address: "tls://127.0.0.1:0", tls: () => material }),
          { kind: "tls" },
        );
      } finally {
        await transport.close();
      }
    });
  }
});

describe("fuzz engine", () => {
  const planted: FuzzTarget = {
    name: "planted",
    most: 256,
    seeds: [new Uint8Array(100).fill(65)],
    tokens: [new TextEncoder().encode("bug")],
    run: (input) => {
      const text = new TextDecoder("latin1").decode(input);
      if (text.includes("bug")) throw new RangeError("it broke");
      return String(input.length >> 4);
    },
  };

  it("finds a planted fault and shortens the input to it", async () => {
    const { findings } = await fuzz(planted, { seed: 1, goOn: (executions) => executions < 5_000 });
    assert.equal(findings.length, 1); // the same fault again is no other finding
    assert.equal(new TextDecoder().decode(findings[0]!.input), "bug");
    assert.equal(findings[0]!.message, "RangeError: it broke");
  });

  it("repeats a seed, and runs what was kept first", async () => {
    const run = (seed: number): Promise<unknown> =>
      fuzz({ ...planted, run: (input) => String(input.length) }, {
        seed,
        goOn: (executions) => executions < 300,
      }).then(({ behaviours }) => behaviours);
    assert.equal(await run(7), await run(7));
    const kept = new TextEncoder().encode("a bug");
    const { findings } = await fuzz(planted, { seed: 1, corpus: [kept], goOn: () => false });
    assert.equal(findings.length, 1);
  });

  it("reports an input that takes too long", async () => {
    const slow: FuzzTarget = {
      ...planted,
      slowMs: 3,
      run: (input) => {
        for (const end = performance.now() + (input.length > 60 ? 4 : 0); performance.now() < end;);
        return "";
      },
    };
    const { findings } = await fuzz(slow, { seed: 1, goOn: () => false });
    assert.match(findings[0]?.message ?? "", /^slow: more than 3 ms for 100 bytes/);
  });
});
