/**
 * What every backend must do, as a list of cases that any test runner can run.
 *
 * @module
 */

import type { Connection } from "../connection.ts";
import type { Listener } from "../listener.ts";
import type { ListenOptions } from "../options.ts";
import type { Transport } from "../transport.ts";
import { CASES, HALF_CLOSE_CASES } from "./conformance_cases.ts";

/** The two ends that a case works with; made anew for each. */
export interface ConformanceEnds {
  /** The transport that listens; `max_conns` is 8. */
  readonly server: Transport;
  /** The transport that dials. */
  readonly client: Transport;
  /** Listens on `server`, on any free address. */
  listen(options?: Pick<ListenOptions, "onConnection" | "signal">): Promise<Listener>;
  /** Dials `listener` from `client`. */
  dial(listener: Listener, signal?: AbortSignal): Promise<Connection>;
}

/** What a backend cannot do by its nature. */
export interface ConformanceGaps {
  /** Whether one side can end and still receive. Over Tor, without TLS, it cannot. @default {true} */
  halfCloses?: boolean;
}

/** One requirement. */
export interface ConformanceCase {
  /** What must hold. */
  readonly name: string;
  /** Checks it; rejects with what did not hold. */
  run(): Promise<void>;
}

/**
 * The cases, for one backend.
 *
 * @param setup Makes the two ends of one case; both are closed after it.
 * @param gaps Cases to leave out, as the backend cannot.
 * @returns Cases to be run one by one.
 *
 * @example
 * ```ts
 * import { Transport } from "@ron/transport";
 * import { conformance, MemoryNetwork } from "@ron/transport/testing";
 *
 * const cases = conformance(() => {
 *   const runtime = new MemoryNetwork();
 *   const server = new Transport({ max_conns: 8 }, { runtime });
 *   const client = new Transport({}, { runtime });
 *   return {
 *     server,
 *     client,
 *     listen: (options) => server.listen({ address: "tcp://127.0.0.1:0", ...options }),
 *     dial: (listener, signal) => client.dial(listener.address, signal && { signal }),
 *   };
 * });
 * for (const { run } of cases) await run();
 * ```
 */
export function conformance(
  setup: () => ConformanceEnds | Promise<ConformanceEnds>,
  gaps: ConformanceGaps = {},
): ConformanceCase[] {
  const cases = gaps.halfCloses === false ? CASES : { ...CASES, ...HALF_CLOSE_CASES };
  return Object.entries(cases).map(([name, check]) => ({
    name,
    async run(): Promise<void> {
      const ends = await setup();
      try {
        await check(ends);
      } finally {
        await ends.client.close();
        await ends.server.close();
      }
    },
  }));
}
