/**
 * Raising a cap, by configuration and behind its back: both must fail, each on its own.
 *
 * @module
 */

import { CAPS } from "../caps.ts";
import { TransportError } from "../errors.ts";
import { CAP_REFUSED, GUARD, NO_IDS } from "../oap/abi.ts";
import { hot } from "../oap/instance.ts";
import { memoryUse } from "../runtime/host.ts";
import { Transport } from "../transport.ts";
import type { Observed } from "./demo_report.ts";

/** Makes a transport with a frame limit above the cap. */
export function raiseByConfiguration(): Observed | undefined {
  return measured(() => {
    try {
      new Transport({ limits: { max_frame_bytes: CAPS.frameBytes + 1 } });
      return undefined;
    } catch (error) {
      if (!TransportError.is(error)) throw error;
      return { kind: error.kind, reason: pathsOf(error) };
    }
  });
}

/** Calls the module itself with arguments above its constants, past every check in TypeScript. */
export function raiseByArgument(): Observed | undefined {
  const empty = new Uint8Array(1);
  return measured(() => {
    const module = hot();
    const refused = {
      index: module.index(0, CAPS.frameBytes + 1) === CAP_REFUSED,
      chunk: module.chunk(1, 0, CAPS.chunkBytes + 1, 1, 0, NO_IDS) === CAP_REFUSED,
      guard: module.inflate(0, empty, CAPS.frameBytes + 1, 0) === GUARD.REFUSED,
    };
    const names = Object.entries(refused).flatMap(([name, yes]) => yes ? [name] : []);
    return names.length === 0 ? undefined : { kind: "refused", reason: names.join(", ") };
  });
}

function pathsOf(error: TransportError): string {
  const issues = "issues" in error ? error.issues as readonly { readonly path: string }[] : [];
  return issues.map(({ path }) => path).join(", ");
}

function measured(
  run: () => { readonly kind: string; readonly reason: string } | undefined,
): Observed | undefined {
  const before = memoryUse();
  const start = performance.now();
  const found = run();
  const refusedAfterMs = performance.now() - start;
  const after = memoryUse();
  if (found === undefined) return undefined;
  const memory = { rss: after.rss - before.rss, heap: after.heap - before.heap };
  return { ...found, counted: 0, refusedAfterMs, memory };
}
