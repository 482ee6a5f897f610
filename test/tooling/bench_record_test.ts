import { describe, it } from "../harness.ts";
import { assertEquals, assertThrows } from "../_std.ts";
import { parseRecord, reached, type Row } from "../../bench/report/record.ts";

const ROW: Row = {
  id: "decode_64",
  work: "decode, 64 B",
  ours: 10,
  peer: 20,
  against: "pure TS",
  unit: "ns/frame",
  ratio: 2,
  goal: 0.8,
  rounds: 9,
};

function record(...rows: readonly object[]): unknown {
  return { suite: "codec", runtime: "deno", version: "2.9.5", rows };
}

describe("bench records", () => {
  it("takes a full record as it is", () => {
    const full = { ...ROW, note: "a note", series: { x: 1, y: 2 }, measures: { p95: 1 } };
    const value = record(full, { ...ROW, id: "alone", peer: null, ratio: null, goal: null });
    assertEquals(parseRecord(value, "f"), value);
  });

  it("names the field that is wrong", () => {
    const bad: [object, string][] = [
      [{ ...ROW, ours: "10" }, "f: rows[0].ours must be a finite number"],
      [{ ...ROW, ours: NaN }, "f: rows[0].ours must be a finite number"],
      [{ ...ROW, id: "Two words" }, "f: rows[0].id must be lower case"],
      [{ ...ROW, extra: 1 }, "f: rows[0].extra must be left out"],
      [{ ...ROW, peer: null }, "f: rows[0].ratio must be null without a peer"],
      [{ ...ROW, rounds: 0.5 }, "f: rows[0].rounds must be a whole number from 1"],
      [{ ...ROW, series: { x: 1 } }, "f: rows[0].series.y must be there"],
      [{ ...ROW, measures: { p95: -1 } }, "f: rows[0].measures.p95 must be 0 or more"],
      [{ ...ROW, measures: { p42: 1 } }, "f: rows[0].measures.p42 must be left out"],
    ];
    for (const [row, message] of bad) {
      assertThrows(() => parseRecord(record(row), "f"), TypeError, message);
    }
    assertThrows(
      () => parseRecord(record(ROW, ROW), "f"),
      TypeError,
      "rows[1].id must be used once",
    );
    assertThrows(() => parseRecord([], "f"), TypeError, "f must be an object");
    assertThrows(
      () => parseRecord({ ...record() as object, runtime: "python" }, "f"),
      TypeError,
      "f: runtime must be deno, bun or node",
    );
  });

  it("knows whether a goal is reached", () => {
    assertEquals(reached(ROW), true);
    assertEquals(reached({ ...ROW, ratio: 0.79 }), false);
    assertEquals(reached({ ...ROW, goal: null }), undefined);
    assertEquals(reached({ ...ROW, peer: null, ratio: null }), undefined);
  });
});
