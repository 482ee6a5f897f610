/**
 * The one writer of a connection, into a socket that takes everything at once.
 *
 * @module
 */

import { BlockPool } from "../src/block_pool.ts";
import type { Socket } from "../src/runtime/runtime.ts";
import { Writer } from "../src/writer.ts";
import { noise } from "./data.ts";
import { bench } from "./harness.ts";

const HEAD = noise(38);
const BODY = noise(65_536 - 38);
const SMALL = noise(64);

/** A writer whose socket takes all; `writes` counts what would be system calls. */
function writer(): { writer: Writer; socket: { writes: number } } {
  const socket = { writes: 0 };
  const taking: Socket = {
    info: {},
    lends: false,
    write(bytes: Uint8Array): number {
      socket.writes++;
      return bytes.length;
    },
    cork() {},
    uncork() {},
    shutdown() {},
    destroy() {},
    pause() {},
    resume() {},
  };
  const made = new Writer({ items: 1024, bytes: 4 << 20, pool: new BlockPool() }, {
    onBusy: () => {},
    onUnpaid: () => {},
    onTaken: () => {},
    onRefused: () => {
      throw new Error("writer_bench: an item was refused");
    },
  });
  made.start(taking);
  return { writer: made, socket };
}

const large = writer();
bench({
  id: "write_coalesce_64k_chunks",
  group: "write_coalesce_64k_chunks",
  bytes: 16 * 65_536,
  units: 16,
  wait: async () => {
    for (let i = 0; i < 16; i++) large.writer.push(HEAD, BODY, undefined);
    await Promise.resolve();
    return large.socket.writes;
  },
});
const joined = new Uint8Array(65_536);
bench({
  id: "write_coalesce_64k_chunks.copied",
  group: "write_coalesce_64k_chunks",
  baseline: true,
  bytes: 16 * 65_536,
  units: 16,
  wait: async () => {
    for (let i = 0; i < 16; i++) {
      joined.set(HEAD);
      joined.set(BODY, HEAD.length);
    }
    await Promise.resolve();
    return joined;
  },
});
const small = writer();
bench({
  id: "write_coalesce_64b",
  group: "write_coalesce_64b",
  bytes: 600 * 64,
  units: 600,
  wait: async () => {
    for (let i = 0; i < 600; i++) small.writer.push(undefined, SMALL, undefined);
    await Promise.resolve();
    return small.socket.writes;
  },
});
