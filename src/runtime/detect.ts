/**
 * Finds out which runtime this is, and loads its adapter and no other.
 *
 * @module
 */

import type { Runtime } from "./runtime.ts";

export { CLASSICAL_GROUPS, HYBRID_GROUP, type KeyExchange, keyExchange } from "./key_exchange.ts";

interface Globals {
  readonly Bun?: { readonly version: string };
  readonly Deno?: { readonly version: { readonly deno: string } };
  readonly process?: { readonly versions: { readonly node?: string } };
}

/** The adapter of the runtime that runs this. */
export async function detectRuntime(): Promise<Runtime> {
  const { Bun, Deno, process } = globalThis as Globals;
  if (Bun !== undefined) {
    const { BunRuntime } = await import("./bun.ts");
    return new BunRuntime(Bun.version);
  }
  const { NodeRuntime } = await import("./node.ts");
  return Deno === undefined
    ? new NodeRuntime("node", process?.versions.node ?? "")
    : new NodeRuntime("deno", Deno.version.deno);
}
