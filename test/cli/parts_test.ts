import assert from "node:assert/strict";
import { describe, it } from "../harness.ts";
import { bytesText, mibPerSecond, msText, shareText } from "../../src/cli/figures.ts";
import { barText, progressBar } from "../../src/cli/progress.ts";
import { decodeReceipt, encodeReceipt } from "../../src/cli/receipt.ts";
import { tableLines } from "../../src/cli/table.ts";
import { configFromFlags, flagsGiven, TRANSPORT_FLAGS } from "../../src/cli/transport_flags.ts";
import { parseFor } from "../../src/cli/args.ts";
import { KEY_LIST } from "../../src/config/keys.ts";
import { parseConfig } from "../../src/config/schema.ts";
import { caught } from "./terminal.ts";

describe("cli output", () => {
  it("writes figures with their units", () => {
    assert.equal(bytesText(0), "0 B");
    assert.equal(bytesText(1_536), "1.5 KiB");
    assert.equal(bytesText(64 * 1_048_576), "64.0 MiB");
    assert.equal(bytesText(-2_097_152), "-2.0 MiB");
    assert.equal(msText(0.042), "0.04 ms");
    assert.equal(msText(3.14), "3.1 ms");
    assert.equal(msText(512.3), "512 ms");
    assert.equal(shareText(1, 4), "25.0 %");
    assert.equal(shareText(0, 0), "-");
    assert.equal(mibPerSecond(2_097_152, 2), 1);
    assert.equal(mibPerSecond(1, 0), 0);
  });

  it("lays out columns as wide as they need to be", () => {
    const rows = [["a", "1"], ["long", "22"], ["b"]];
    assert.deepEqual(tableLines(rows, ["left", "right"]), ["a      1", "long  22", "b"]);
    assert.deepEqual(tableLines([]), []);
  });

  it("draws progress on a terminal only, and at most ten times a second", () => {
    const [pipe, screen] = [caught(false), caught(true)];
    let time = 0;
    const now = (): number => time;
    for (const err of [pipe, screen]) {
      time = 0;
      const bar = progressBar(err, "file", 100, now);
      for (let done = 0; done < 100; done++, time += 10) bar.at(done);
      bar.at(100);
      bar.end();
    }
    assert.equal(pipe.text(), "");
    assert.equal(screen.text().split("\r").length - 1, 12);
    assert.match(screen.text(), /100 % {2}100 B/);
  });

  it("keeps the bar within the terminal", () => {
    for (const columns of [10, 40, 80, 200]) {
      const text = barText("some-file.bin", 1_000, 3_000, 5e6, columns);
      assert.ok(text.length < columns, `${text.length} of ${columns}`);
    }
    assert.match(barText("f", 0, 0, 0, 80), /100 %/);
  });
});

describe("cli receipt", () => {
  it("comes back as it was, and as nothing else", () => {
    const receipt = { bytes: 5, sha256: "0".repeat(64) };
    assert.deepEqual(decodeReceipt(encodeReceipt(receipt)), receipt);
    const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
    for (
      const wrong of [
        new Uint8Array(),
        new Uint8Array([0xff]),
        new Uint8Array(5_000).fill(0x20),
        text(null),
        text({ bytes: "5", sha256: receipt.sha256 }),
        text({ bytes: 1.5, sha256: receipt.sha256 }),
        text({ bytes: 5, sha256: "x" }),
      ]
    ) assert.equal(decodeReceipt(wrong), undefined);
  });
});

describe("cli transport flags", () => {
  const spec = { name: "t", summary: "", examples: [], arguments: [], flags: TRANSPORT_FLAGS };

  it("has one flag for every key that has one", () => {
    const flagged = KEY_LIST.filter(({ flag }) => flag !== undefined);
    assert.deepEqual(
      TRANSPORT_FLAGS.map(({ name }) => name),
      flagged.map(({ flag }) => `transport.${flag}`),
    );
    assert.ok(TRANSPORT_FLAGS.length >= 20);
  });

  it("makes a configuration of the flags that are given", () => {
    const config = configFromFlags(flagsGiven(parseFor(spec, [
      "--transport.max-conns",
      "7",
      "--transport.max-frame=512KiB",
      "--transport.chunk=32KiB",
      "--transport.tls-client-alpn=a,b",
    ])));
    assert.deepEqual(config, {
      max_conns: 7,
      limits: { max_frame_bytes: "512KiB", chunk_bytes: "32KiB" },
      tls_client: { alpn: ["a", "b"] },
    });
    assert.equal(parseConfig(config).limits.max_frame_bytes, 524_288);
  });

  it("leaves what is wrong to the configuration's own check", () => {
    const config = configFromFlags(
      flagsGiven(parseFor(spec, ["--transport.max-conns", "many"])),
    );
    assert.throws(() => parseConfig(config), /max_conns must be a whole number/);
  });
});
