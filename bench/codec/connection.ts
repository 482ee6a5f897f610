/**
 * Frames on a connection that exists in memory only: what `framed()` adds to the decoder.
 *
 * @module
 */

import { type Frame, framed, type FramedConnection } from "../../src/oap/mod.ts";
import type { Attachable, Carrier, Sink } from "../../src/sink.ts";
import { frame, noise } from "../data.ts";
import { type Effort, measure, median, type Timing } from "./paired.ts";
import process from "node:process";
import { against, type Table } from "./report.ts";
import { READ_BYTES, wire } from "./wire.ts";

const BLOCK = new Uint8Array(65_536);
const BLOCK_VIEW = new DataView(BLOCK.buffer);

/** A connection that reads what it is given, and writes into one block over and over. */
export function connection(): { attachable: Attachable; receive(bytes: Uint8Array): void } {
  let sink: Sink | undefined;
  let end = 0;
  const outbox = {
    failure: undefined,
    items: 0,
    smallBytes: 16_384,
    block: BLOCK,
    blockView: BLOCK_VIEW,
    reserve(n: number): number {
      if (end + n > BLOCK.length) end = 0;
      const at = end;
      end += n;
      return at;
    },
    push: (): boolean => true,
    crowded: false,
    refusal: (): never => {
      throw new Error("the bench's inbox refuses nothing");
    },
    inTurn: (): Promise<void> => Promise.resolve(),
  };
  const carrier: Carrier = {
    info: { id: "bench", role: "listener", backend: "tcp" },
    role: "listener",
    outbox,
    maxFrameBytes: 1_048_576,
    chunkBytes: 65_536,
    signal: new AbortController().signal,
    closed: new Promise(() => {}),
    now: () => 0,
    after: () => ({ cancel() {} }),
    resume() {},
    retain() {},
    leave: () => true,
    chunked() {},
    shared: (_key, make) => make(),
    reserve: () => true,
    fail(error) {
      throw error;
    },
    close: () => Promise.resolve(),
  };
  return {
    attachable: {
      attach(make) {
        const made = make(carrier);
        sink = made;
        return made;
      },
    },
    receive: (bytes) => void sink?.push(bytes, false),
  };
}

function lending(size: number, look: (link: FramedConnection) => void): () => void {
  const { reads } = wire(size);
  const { attachable, receive } = connection();
  look(framed(attachable));
  return () => reads.forEach(receive);
}

/** `onBatch` by fields and by views, and sending small frames. */
export function onBatch(effort: Effort): Table {
  const seen = { sum: 0, view: BLOCK };
  const { frames } = wire(64);
  const one: Frame = { ...frame(noise(64)), tenantId: 0x1122n };
  const { attachable } = connection();
  const sender = framed(attachable);
  const timings = measure(
    [
      {
        name: "onBatch, fields",
        run: lending(
          64,
          (link) =>
            link.onBatch((batch) =>
              batch.forEach((f) => void (seen.sum = (seen.sum + f.flags + f.code + f.len) | 0))
            ),
        ),
      },
      {
        name: "onBatch, payload view",
        run: lending(64, (link) =>
          link.onBatch((batch) =>
            batch.forEach((f) => {
              seen.view = f.payload as Uint8Array<ArrayBuffer>;
              seen.sum = (seen.sum + f.flags + f.code + f.len) | 0;
            })
          )),
      },
      {
        name: "trySend, one a call",
        run: () => {
          for (let i = 0; i < frames; i++) sender.trySend(one);
        },
      },
    ],
    frames,
    effort,
  );
  return { id: "framed_64", title: "framed(), 64 B", unit: "ns/frame", timings, ratios: [] };
}

/** What the conveniences cost: a batch for each turn of a loop, and a frame for each turn. */
export async function loops(effort: Effort): Promise<Table> {
  const { reads, frames } = wire(64, 8 * READ_BYTES);
  const rounds: { batches: number[]; frames: number[] } = { batches: [], frames: [] };
  const times = effort.rounds < 5 ? 2 : 40;
  let sum = 0;
  const run = async (kind: "batches" | "frames"): Promise<number> => {
    const { attachable, receive } = connection();
    const link = framed(attachable);
    const feeding = async (): Promise<void> => {
      for (let i = 0; i < times; i++) {
        for (const read of reads) {
          receive(read);
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    };
    const start = process.cpuUsage();
    const fed = feeding();
    let n = 0;
    const total = times * frames - 1;
    if (kind === "batches") {
      for await (const batch of link.batches()) {
        batch.forEach((f) => void (sum = (sum + f.len) | 0));
        if ((n += batch.length) >= total) break;
      }
    } else {
      for await (const f of link.frames()) {
        sum = (sum + f.len) | 0;
        if (++n >= total) break;
      }
    }
    await fed;
    const { user, system } = process.cpuUsage(start);
    return (user + system) * 1000 / (times * frames);
  };
  for (let i = 0; i < effort.rounds + 1; i++) {
    for (const kind of ["batches", "frames"] as const) {
      const ns = await run(kind);
      if (i > 0) rounds[kind].push(ns);
    }
  }
  const timing = (name: "batches" | "frames"): Timing => ({
    name: `${name}()`,
    ns: median(rounds[name]),
    rounds: rounds[name],
  });
  const [batches, single] = [timing("batches"), timing("frames")];
  return {
    id: "loops_64",
    title: "loops over a connection, 64 B",
    unit: "ns/frame",
    timings: [batches, single],
    ratios: [against(batches, single)],
  };
}
