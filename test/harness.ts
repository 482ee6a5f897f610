/**
 * The one door to the test runner: `describe` and `it` of node:test, with a leak check after each
 * test, the same on Deno, Bun and Node.
 *
 * `beforeEach` and `afterEach` are run by this module and not by the runner, because only so is
 * their order the same everywhere and the leak check the last thing that happens.
 *
 * @module
 */

import { after, before, describe as suite, it as test } from "node:test";
import process from "node:process";
import { assertNoLeaks, takeCensus } from "./leaks.ts";
import { runtimeName } from "./runtimes.ts";

export { after, before };
export { type Census, type CountedSignal, countedSignal, leaksSince, takeCensus } from "./leaks.ts";
export { BUILD, findRuntime, ROOT, type RuntimeName, runtimeName } from "./runtimes.ts";
export { type Spawned, type SpawnOptions, spawnRuntime } from "./spawn.ts";

type Hook = () => void | Promise<void>;

interface Scope {
  readonly name: string;
  readonly parent: Scope | undefined;
  readonly beforeEach: Hook[];
  readonly afterEach: Hook[];
}

/** Options of one test. */
export interface TestOptions {
  /** Skip, or skip for the reason given. */
  readonly skip?: boolean | string;
  /**
   * Which real part is missing, such as a Prometheus, or `false`. The test is skipped for want of it; with
   * `RON_REAL=1`, as in the nightly run, it fails.
   */
  readonly needs?: false | string;
  /** Milliseconds until the test fails. @default {60000} */
  readonly timeout?: number;
  /** `false` turns the leak check off; say why beside it. */
  readonly leaks?: false;
}

/** Registers a test: name, options if any, body. */
export interface It {
  (name: string, body: Hook): void;
  (name: string, options: TestOptions, body: Hook): void;
  /** Registers a test that is not run. */
  skip(name: string, body?: Hook): void;
}

/** How the reason of a skip begins, where something real is missing. */
export const NEEDS = "a real part is missing";

/** How long Node may go on after the last test of a file; then something still holds the process. */
const GRACE_MS = 5_000;

// Deno and Bun end by themselves. Node waits for whatever is left, and with it the whole run would.
if (runtimeName() === "node") {
  after(() => {
    const held = (): void => {
      const what = process.getActiveResourcesInfo().join(", ");
      console.error(`the process does not end after its tests; it is held by: ${what}`);
      process.exit(1);
    };
    setTimeout(held, GRACE_MS).unref();
  });
}

let scope: Scope = { name: "", parent: undefined, beforeEach: [], afterEach: [] };

/**
 * Groups tests. The body runs at once and must be synchronous.
 *
 * @param name What is described.
 * @param body Registers the tests.
 */
export function describe(name: string, body: () => void): void {
  const own: Scope = { name, parent: scope, beforeEach: [], afterEach: [] };
  suite(name, () => {
    const outer = scope;
    scope = own;
    try {
      body();
    } finally {
      scope = outer;
    }
  });
}

/** Runs before each test of the surrounding group, outer groups first. */
export function beforeEach(hook: Hook): void {
  scope.beforeEach.push(hook);
}

/** Runs after each test of the surrounding group, inner groups first, even when the test failed. */
export function afterEach(hook: Hook): void {
  scope.afterEach.push(hook);
}

function chain(from: Scope): Scope[] {
  const scopes: Scope[] = [];
  for (let s: Scope | undefined = from; s !== undefined; s = s.parent) scopes.push(s);
  return scopes;
}

async function runAfterEach(inner: Scope): Promise<unknown[]> {
  const errors: unknown[] = [];
  for (const { afterEach: hooks } of chain(inner)) {
    for (const hook of hooks.toReversed()) {
      try {
        await hook();
      } catch (error) {
        errors.push(error);
      }
    }
  }
  return errors;
}

async function runTest(own: Scope, name: string, options: TestOptions, body: Hook): Promise<void> {
  const census = takeCensus();
  const errors: unknown[] = [];
  try {
    for (const { beforeEach: hooks } of chain(own).toReversed()) {
      for (const hook of hooks) await hook();
    }
    await body();
  } catch (error) {
    errors.push(error);
  }
  errors.push(...await runAfterEach(own));
  // a failed test has good reasons to leave things behind: its own error is the news
  if (errors.length > 0) throw errors[0];
  if (options.leaks !== false) await assertNoLeaks(census, name);
}

function register(name: string, options: TestOptions, body: Hook): void {
  const own = scope;
  const { needs = false, timeout = 60_000 } = options;
  const fails = needs !== false && process.env["RON_REAL"] === "1";
  const skip = needs !== false && !fails && !options.skip ? `${NEEDS}: ${needs}` : options.skip;
  const native = skip === undefined ? { timeout } : { timeout, skip };
  if (typeof skip === "string" && skip.startsWith(NEEDS)) {
    console.log(`${skip}: "${name}" is skipped`);
  }
  test(name, native, () => {
    if (fails) throw new Error(`${NEEDS}: ${needs}`);
    return runTest(own, name, options, body);
  });
}

/** Registers a test whose leftovers fail it: sockets, timers, abort listeners. */
export const it: It = Object.assign(
  (name: string, second: TestOptions | Hook, third?: Hook): void => {
    if (typeof second === "function") register(name, {}, second);
    else if (third !== undefined) register(name, second, third);
    else throw new Error(`it("${name}") has options but no body`);
  },
  {
    skip(name: string, body: Hook = () => {}): void {
      register(name, { skip: true }, body);
    },
  },
);

/**
 * Tells the test run how many vectors passed, for the summary of `deno task test`.
 *
 * @param file Name of the vector file.
 * @param mode How they were run: `whole`, `bytes`, `splits` …
 * @param count How many passed.
 */
export function countVectors(file: string, mode: string, count: number): void {
  console.log(`vectors ${file} ${mode} ${count}`);
}
