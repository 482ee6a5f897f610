/**
 * Every interleaving of a few sequences of steps, each on fresh objects, in the order that fast-check's
 * scheduler is told.
 *
 * @module
 */

import fc from "fast-check";

/** One step of a sequence. What it returns is not awaited: the steps of others come in between. */
export type Step = () => unknown;

/** What is run in each order. */
export interface Model {
  /** The sequences; the steps of one keep their order. */
  readonly threads: Readonly<Record<string, readonly Step[]>>;
  /** No step has promises: they are called one after the other, without the scheduler, which costs less. */
  readonly synchronous?: true;
  /** Throws when an invariant is broken; called after each step. */
  check?(): void;
  /** Throws when what must hold in the end does not. */
  end(): void | Promise<void>;
}

/** All orders in which sequences of these lengths can be merged, as the indices of the sequences. */
export function* merges(lengths: readonly number[]): Generator<number[]> {
  if (lengths.every((n) => n === 0)) yield [];
  for (let i = 0; i < lengths.length; i++) {
    if (lengths[i] === 0) continue;
    for (const rest of merges(lengths.map((n, j) => j === i ? n - 1 : n))) yield [i, ...rest];
  }
}

/**
 * Runs a model in every order of its steps.
 *
 * @param make Makes fresh objects for one order.
 * @returns How many orders there were.
 */
export async function everyInterleaving(make: () => Model | Promise<Model>): Promise<number> {
  let first: Model | undefined = await make();
  const shape = Object.values(first.threads).map((steps) => steps.length);
  let orders = 0;
  for (const order of merges(shape)) {
    const model: Model = first ?? await make();
    first = undefined;
    const names = Object.keys(model.threads);
    const threads = Object.values(model.threads);
    const runs = model.synchronous ? called(threads, order) : scheduled(threads, order);
    try {
      for (let i = 0; i < order.length; i++) {
        const run = runs();
        if (run !== undefined) await run;
        model.check?.();
      }
      await model.end();
    } catch (error) {
      const steps = order.map((thread) => names[thread]).join(", ");
      throw new Error(`in the order ${steps}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
    orders++;
  }
  return orders;
}

/** Calls the next step. */
type Run = () => Promise<void> | undefined;

function called(threads: readonly (readonly Step[])[], order: readonly number[]): Run {
  const next = threads.map(() => 0);
  let at = 0;
  return () => {
    const thread = order[at++]!;
    threads[thread]![next[thread]!++]!();
    return undefined;
  };
}

function scheduled(threads: readonly (readonly Step[])[], order: readonly number[]): Run {
  // The scheduler numbers tasks from 1, in the order they are given to it.
  const starts: number[] = [];
  for (let i = 0, n = 1; i < threads.length; n += threads[i++]!.length) starts.push(n);
  const scheduler = fc.schedulerFor(order.map((thread) => starts[thread]!++));
  for (const step of threads.flat()) {
    void scheduler.schedule(Promise.resolve()).then(() => void step());
  }
  return () => scheduler.waitNext(1);
}

/** Lets promise callbacks run. */
export async function turns(n: number = 40): Promise<void> {
  for (let i = 0; i < n; i++) await null;
}

/** A promise whose outcome can be asked for. */
export interface Outcome {
  /** `waits`, `ok`, or the kind or message of the error. */
  readonly now: string;
}

/** Watches a promise. */
export function outcome(promise: Promise<unknown>): Outcome {
  const state = { now: "waits" };
  promise.then(
    () => state.now = "ok",
    (error: { kind?: string; message?: string }) =>
      state.now = error.kind ?? error.message ?? "error",
  );
  return state;
}
