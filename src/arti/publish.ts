/**
 * An onion service that can be reached once it is given.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { deferred } from "../deferred.ts";
import { TransportError } from "../errors.ts";
import { heldOpen } from "../runtime/host_addon.ts";
import type { AddonClient, AddonListener } from "./addon.ts";
import { codeOf, serveError } from "./faults.ts";

/** Until it must be reachable, in milliseconds. The public network takes half a minute. */
const PUBLISH_MS = 120_000;
/**
 * The first attempt to reach it, the longest, and the pause between, in milliseconds. The next takes twice as
 * long as the one before: of a service that has started anew, the first may have found the way to where it was,
 * where relays still take what is said to it, and nobody answers.
 */
const FIRST_MS = 4_000;
const LONGEST_MS = 30_000;
const PAUSE_MS = 250;

/** What a service says of a port that it does not have. */
const REFUSALS: ReadonlySet<string> = new Set([
  "RemoteConnectionRefused",
  "RemoteStreamClosed",
  "RemoteStreamError",
  "RemoteStreamReset",
]);

/**
 * Offers a service, and waits until a dial of ours arrives at it: at a port that it does not have, so that
 * the answer is a refusal by the service itself.
 *
 * @param client Bootstrapped.
 * @param nickname Its name on this machine.
 * @param port The port it has.
 * @param clock Time.
 * @throws {TransportError} `bind_failed` when Arti refuses it, `timeout` when it could not be reached.
 */
export async function publish(
  client: AddonClient,
  nickname: string,
  port: number,
  clock: Clock,
): Promise<AddonListener> {
  const service = await client.serveOnion(nickname, [port]).catch((cause) => {
    throw serveError(cause, nickname);
  });
  const other = port === 65_535 ? port - 1 : port + 1;
  const until = clock.now() + PUBLISH_MS;
  try {
    for (let limit = FIRST_MS;; limit = Math.min(2 * limit, LONGEST_MS)) {
      const code = await refusedWith(client, service.address, other, limit);
      if (REFUSALS.has(code)) return service;
      if (code === "Closed" || clock.now() >= until) throw unreachable(code);
      await pause(clock);
    }
  } catch (error) {
    await service.close();
    throw error;
  }
}

async function refusedWith(
  client: AddonClient,
  host: string,
  port: number,
  limit: number,
): Promise<string> {
  try {
    // Isolated: a service that has started anew is not found by the descriptor of before, which Arti would keep.
    (await client.connect(host, port, limit, true)).close();
    return "RemoteStreamError"; // it has more ports than it was given, and is there
  } catch (cause) {
    return codeOf(cause) ?? "unknown";
  }
}

function unreachable(code: string): TransportError {
  const what = code === "Closed"
    ? "The Tor client was closed before the onion service could be reached"
    : `The onion service could not be reached within ${PUBLISH_MS / 1_000} s (${code}): see that ` +
      "this machine's clock is right and its network lets Tor pass";
  return new TransportError(code === "Closed" ? "misuse" : "timeout", what, { op: "listen" });
}

async function pause(clock: Clock): Promise<void> {
  const { promise, resolve } = deferred<void>();
  clock.after(PAUSE_MS, resolve);
  await heldOpen(promise);
}
