/**
 * Fuzzes one target for some time: `worker.ts TARGET SECONDS SEED [CORPUS]`. Prints a line of progress each
 * second, and at the end what it found, as JSON.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import process from "node:process";
import { corpusOf } from "./corpus.ts";
import { fuzz } from "./engine.ts";
import { TARGETS } from "./targets/mod.ts";

const [name = "", seconds = "1", seed = "1", folder] = process.argv.slice(2);
const target = TARGETS.find((one) => one.name === name);
if (target === undefined) {
  throw new Error(`no target "${name}": there are ${TARGETS.map((one) => one.name).join(", ")}`);
}
const end = performance.now() + Number(seconds) * 1_000;
let next = performance.now() + 1_000;
const { findings, ...sums } = await fuzz(target, {
  seed: Number(seed),
  corpus: [...corpusOf(name), ...folder === undefined ? [] : corpusOf(name, folder)],
  goOn: (executions) => {
    const now = performance.now();
    if (now >= next) {
      next = now + 1_000;
      console.log(`executions ${executions}`);
    }
    return now < end;
  },
});
const found = findings.map(({ message, input }) => {
  return { message, hex: Buffer.from(input).toString("hex") };
});
console.log(`outcome ${JSON.stringify({ ...sums, findings: found })}`);
