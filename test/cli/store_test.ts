import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "../harness.ts";
import { type StoredStream, StreamStore, type Taken } from "../../src/cli/store.ts";
import { FLAGS, type Frame } from "../../src/oap/mod.ts";

const { REQ, START, END } = FLAGS;

function frame(flags: number, text: string, corrId = 1n, code = 0): Frame {
  const payload = new TextEncoder().encode(text);
  return { flags: REQ | flags, code, appProtoId: 1, tenantId: 0n, corrId, payload };
}

function stored(taken: Taken): StoredStream {
  assert.ok(taken !== undefined && "file" in taken, JSON.stringify(taken));
  return taken;
}

function status(taken: Taken): number {
  assert.ok(taken !== undefined && "status" in taken, JSON.stringify(taken));
  return taken.status;
}

describe("cli stream store", () => {
  let directory = "";
  let names = 0;
  const make = (mostBytes = 1_000): StreamStore =>
    new StreamStore({ directory, name: () => `s${++names}.bin`, mostBytes, now: () => 0 });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ron-store-"));
    names = 0;
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("puts a stream in its place only when it is whole", async () => {
    const store = make();
    assert.equal(await store.take(frame(START, "ab")), undefined);
    assert.ok(store.append(frame(0, "cd")));
    assert.ok(!store.append(frame(0, "cd", 2n)), "of no open stream");
    assert.ok(!store.append(frame(END, "cd")), "the last one has an answer");
    assert.deepEqual(await readdir(directory), [".s1.bin.part"]);
    const { file, bytes, frames, sha256 } = stored(await store.take(frame(END, "e")));
    assert.deepEqual(await readdir(directory), ["s1.bin"]);
    assert.equal(file, join(directory, "s1.bin"));
    assert.equal(await readFile(file, "utf8"), "abcde");
    assert.deepEqual([bytes, frames], [5, 3]);
    assert.equal(sha256, createHash("sha256").update("abcde").digest("hex"));
  });

  it("stores a stream of one frame, and an empty one", async () => {
    const store = make();
    assert.equal(stored(await store.take(frame(START | END, "x"))).bytes, 1);
    assert.equal(stored(await store.take(frame(START | END, ""))).bytes, 0);
  });

  it("keeps interleaved streams apart", async () => {
    const store = make();
    await store.take(frame(START, "a", 1n));
    await store.take(frame(START, "x", 2n));
    await store.take(frame(0, "b", 1n));
    const two = stored(await store.take(frame(END, "y", 2n)));
    const one = stored(await store.take(frame(END, "c", 1n)));
    assert.equal(await readFile(one.file, "utf8"), "abc");
    assert.equal(await readFile(two.file, "utf8"), "xy");
  });

  it("leaves nothing of a stream that was cancelled, given up or too large", async () => {
    const store = make(4);
    await store.take(frame(START, "ab", 1n));
    assert.equal(status(await store.take(frame(END, "", 1n, 499))), 499);
    await store.take(frame(START, "ab", 2n));
    assert.ok(!store.append(frame(0, "cde", 2n)));
    assert.equal(status(await store.take(frame(0, "cde", 2n))), 413);
    assert.ok(store.isPart(frame(0, "more", 2n)), "the rest of it is no message of its own");
    assert.equal(await store.take(frame(0, "more", 2n)), undefined);
    assert.equal(await store.take(frame(END, "end", 2n)), undefined);
    assert.ok(!store.isPart(frame(0, "", 2n)));
    await store.take(frame(START, "ab", 3n));
    assert.equal(await store.abandon(), 1);
    assert.deepEqual(await readdir(directory), []);
  });

  it("refuses chunks of a stream that is not open, and too many streams", async () => {
    const store = make();
    assert.equal(status(await store.take(frame(END, "x", 9n))), 400);
    for (let id = 10n; id < 74n; id++) {
      assert.equal(await store.take(frame(START, "x", id)), undefined);
    }
    assert.equal(status(await store.take(frame(START, "x", 74n))), 400);
    assert.equal(await store.abandon(), 64);
  });

  it("tells when the disk refuses", async () => {
    const store = new StreamStore({
      directory: join(directory, "gone"),
      name: () => "x",
      mostBytes: 9,
      now: () => 0,
    });
    assert.equal(status(await store.take(frame(START, "x"))), 500);
  });
});
