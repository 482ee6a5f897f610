/** The types written by hand are those of the table: the compiler holds both directions. */
import assert from "node:assert/strict";
import type { ConfigSnapshot, TransportConfig } from "../../mod.ts";
import type { ConfigPath, InputAt, KeyTable, ValueAt } from "../../src/config/key.ts";
import { KEY_LIST, KEYS } from "../../src/config/keys.ts";
import { valueAt } from "../../src/config/own.ts";
import { parseConfig } from "../../src/config/schema.ts";
import * as a from "../../src/config/value_types.ts";
import { describe, it } from "../harness.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
type Leaf = string | number | boolean | null | readonly unknown[];
type Paths<T> = {
  [K in keyof T & string]: NonNullable<T[K]> extends Leaf ? K
    : `${K}.${keyof NonNullable<T[K]> & string}`;
}[keyof T & string];

describe("configuration types", () => {
  it("what a document may hold and what a snapshot holds have the same keys", () => {
    const same: Equal<Paths<Required<TransportConfig>>, Paths<ConfigSnapshot>> = true;
    const table: Equal<keyof KeyTable, ConfigPath> = true;
    const input: Equal<InputAt<"limits.chunk_bytes">, string | number> = true;
    const value: Equal<ValueAt<"bind_addr">, string | null> = true;
    assert.ok(same && table && input && value);
  });

  it("a row of another type does not compile", () => {
    const row = KEYS.max_conns;
    // @ts-expect-error: a duration is no count
    const wrongInput: KeyTable["max_conns"] = { ...row, type: a.duration(1), default: "5s" };
    // @ts-expect-error: the document may hold a number, too
    const tooNarrow: KeyTable["limits.chunk_bytes"] = { ...row, type: a.path(""), default: "" };
    const rest: Partial<KeyTable> = KEYS;
    // @ts-expect-error: a row is missing
    const missing: KeyTable = { ...rest, max_conns: undefined };
    assert.ok(wrongInput && tooNarrow && missing);
  });

  it("every key of a snapshot has a row, and every row a value", () => {
    const keys = (value: object, prefix: string): string[] =>
      Object.entries(value).flatMap(([name, inner]) => {
        const isTable = typeof inner === "object" && inner !== null && !Array.isArray(inner);
        return isTable ? keys(inner, `${prefix}${name}.`) : [prefix + name];
      });
    const config = parseConfig();
    assert.deepEqual(keys(config, "").sort(), KEY_LIST.map(({ path }) => path as string).sort());
    for (const { path, type, default: otherwise } of KEY_LIST) {
      assert.deepEqual(type.schema().parse(otherwise), valueAt(config, path), path);
      assert.deepEqual(
        type.schema().parse(type.toDocument(valueAt(config, path))),
        valueAt(config, path),
      );
      assert.ok(type.schema().safeParse(type.example).success, `the example of ${path}`);
    }
  });
});
