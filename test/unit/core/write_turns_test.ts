/** What sockets write in one turn of the event loop is bounded, and whoever waits is served in order. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { WriteTurns } from "../../../src/runtime/write_turns.ts";
import { describe, it } from "../../harness.ts";

const MIB = 1_048_576;

/** Has `mib` to write, and writes what it may, as a socket does. */
class Writer {
  written = 0;
  readonly #turns: WriteTurns;
  readonly #log: string[];
  readonly #name: string;
  #mib: number;

  constructor(turns: WriteTurns, log: string[], name: string, mib: number) {
    this.#turns = turns;
    this.#log = log;
    this.#name = name;
    this.#mib = mib;
  }

  onTurn(): void {
    this.#log.push(this.#name);
    while (this.#mib > 0) {
      const room = this.#turns.room(MIB);
      this.#turns.spend(room);
      this.written += room;
      if (room < MIB) return this.#turns.wait(this);
      this.#mib--;
    }
  }
}

describe("writes in turns", () => {
  it("are bounded in each turn, whoever asks, and go on in the next", async () => {
    const turns = new WriteTurns();
    const log: string[] = [];
    const writers = ["a", "b", "c"].map((name) => new Writer(turns, log, name, 6));
    let before = 0;
    for (const writer of writers) writer.onTurn();
    for (;;) {
      const all = writers.reduce((sum, { written }) => sum + written, 0);
      assert.ok(all - before <= 4 * MIB, `${all - before} B in one turn`);
      before = all;
      if (all === 18 * MIB) break;
      await new Promise(setImmediate);
    }
  });

  it("serve who waits in the order of asking, before those who ask again", async () => {
    const turns = new WriteTurns();
    const log: string[] = [];
    for (const name of ["a", "b", "c", "d"]) new Writer(turns, log, name, 5).onTurn();
    await delay(50);
    // four MiB a turn: a; the last of a, and b; c; d; what is left of b, c and d
    assert.equal(log.join(""), "abcd" + "ab" + "c" + "d" + "bcd");
  });

  it("go on with the others when one of them throws", () => {
    const immediate = globalThis.setImmediate;
    const turns = new WriteTurns();
    const due: (() => void)[] = [];
    globalThis.setImmediate = ((callback: () => void) => void due.push(callback)) as never;
    try {
      const log: string[] = [];
      const fault = new Error("a socket of the runtime is broken");
      turns.wait({
        onTurn: () => {
          throw fault;
        },
      });
      turns.wait({ onTurn: () => void log.push("next") });
      assert.throws(() => due.shift()!(), fault);
      due.shift()!();
      assert.deepEqual(log, ["next"]);
    } finally {
      globalThis.setImmediate = immediate;
    }
  });

  it("do not wait while there is room", () => {
    const turns = new WriteTurns();
    turns.spend(MIB);
    assert.equal(turns.room(MIB), MIB);
    turns.spend(3 * MIB);
    assert.equal(turns.room(1), 0);
  });
});
