/**
 * Deno's standard assertions for the three runtimes, behind one typed door.
 *
 * The official packages are on JSR only, so an npm repackaging without types stands in here. Where
 * JSR can be reached, replace the specifier below by `jsr:@std/assert@1`; CONTRIBUTING says more.
 *
 * @module
 */

// @ts-types="./std_assert.d.ts"
export {
  assert,
  assertEquals,
  assertExists,
  assertInstanceOf,
  AssertionError,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "deno-std/assert/mod.js";
