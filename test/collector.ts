/** Garbage collection on demand, on any of the three runtimes. */
import { runtimeName } from "./runtimes.ts";

/** What collects garbage, on this runtime. */
export async function collector(): Promise<() => void> {
  if (runtimeName() === "bun") {
    const { Bun } = globalThis as unknown as { Bun: { gc(force: boolean): void } };
    return () => Bun.gc(true);
  }
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
