/**
 * What must hold after every step, and what must be left when all is over.
 *
 * @module
 */

import { CAPS } from "../../caps.ts";
import type { Subject, World } from "./world.ts";

/** For so long a timer that paces may wait for nobody any more. */
const TIDY_MS = 1_000;

/** Checks every transport after a step. */
export function checkStep(world: World): void {
  for (const subject of world.subjects) checkTables(world, subject);
  checkRates(world);
  const { quietSince, clock } = world;
  if (quietSince === undefined || clock.now() < quietSince + TIDY_MS) return;
  for (const { name, clock: { waiting } } of world.subjects) {
    if (waiting > 0) {
      world.fail("nothing is left", `${name}: ${waiting} timers of a closed transport`);
    }
  }
}

/** What a token bucket lets through by a time: what it holds at first, and what flows in. */
function atMost(rate: number, ms: number): number {
  return rate === 0 ? Infinity : Math.max(1, rate / 2) + rate * ms / 1_000 + 1;
}

/** Checks that nothing goes faster than its bucket lets it. */
function checkRates(world: World): void {
  const { runtime, transport: { config: { rates, per_peer } } } = world.subjects[0]!;
  const now = world.clock.now();
  const fast = (what: string, n: number, rate: number): void => {
    if (n > atMost(rate, now)) {
      world.fail("no faster than the rate", `${n} ${what} in ${now} ms at ${rate} a second`);
    }
  };
  fast("bytes delivered", world.delivered, rates.global_ingress_bytes_per_sec);
  fast("bytes sent", runtime.sent, rates.global_egress_bytes_per_sec);
  fast("connections accepted", runtime.accepted, rates.accepts_per_sec);
  const most = per_peer.max_conns || Infinity;
  for (const [peer, n] of runtime.byPeer) {
    if (n > most) world.fail("slots of a peer <= per_peer.max_conns", `${peer}: ${n} open`);
  }
}

/** Compares the counters with what was seen; dearer than a step's checks. */
export function checkCounters(world: World): void {
  for (const { name, transport, runtime, readings } of world.subjects) {
    const { rejected, accepts, dialsOk, dialsErr } = transport.counters();
    const seen = (reason: keyof typeof rejected): number => readings.rejects.get(reason) ?? 0;
    for (const reason of ["timeout", "too_large", "tls", "arti_bootstrap"] as const) {
      if (rejected[reason] !== seen(reason)) {
        world.fail(
          "each refusal counted once",
          `${name}: rejected ${reason} is ${rejected[reason]}, closed for it: ${seen(reason)}`,
        );
      }
    }
    // A refused write counts as rate_limited too, where there is an egress rate.
    const { rates } = transport.config;
    const paced = rates.per_conn_bytes_per_sec + rates.per_peer_bytes_per_sec +
        rates.global_egress_bytes_per_sec > 0;
    const counted = rejected.peer_limit + rejected.rate_limited;
    const turned = runtime.refused + seen("peer_limit") + seen("rate_limited");
    if (paced ? counted < turned : counted !== turned) {
      world.fail(
        "each refusal counted once",
        `${name}: ${rejected.peer_limit} peer_limit and ${rejected.rate_limited} rate_limited, but ${turned} were turned away`,
      );
    }
    if (accepts + dialsOk + dialsErr < readings.closedCount) {
      world.fail("one close reason", `${name}: more connections closed than there were`);
    }
  }
}

/** Checks that nothing is left. */
export function checkEnd(world: World): void {
  checkStep(world);
  checkCounters(world);
  const { clock, network } = world;
  if (clock.pending > 0) world.fail("nothing is left", `${clock.pending} timers`);
  if (network.sockets > 0) world.fail("nothing is left", `${network.sockets} sockets`);
  for (const { name, table, budget, runtime, readings, transport } of world.subjects) {
    const { limits, links, inflight } = table;
    const left: Readonly<Record<string, number>> = {
      slots: inflight,
      links: links.size,
      sockets: runtime.open,
      "handshake slots": limits.admission.handshakes.used,
      "peer slots": limits.admission.peers.connections,
      // What came before an orderly end, and its host did not care for, goes when the collector comes.
      "budget bytes": budget.used - budget.leavings.bytes,
      "window bytes": budget.windows,
      "waiting reservations": budget.waiting,
      "flows waiting for ingress": limits.ingress.waiting,
      "flows waiting for egress": limits.egress.waiting,
    };
    for (const [what, n] of Object.entries(left)) {
      if (n !== 0) world.fail("nothing is left", `${name}: ${n} ${what}`);
    }
    const { accepts } = transport.counters();
    if (name === "server" && accepts !== readings.closedCount) {
      world.fail(
        "one close reason",
        `${name}: ${accepts} accepted, ${readings.closedCount} told closed`,
      );
    }
  }
  world.judge();
}

function checkTables(world: World, { name, table, runtime, budget, transport }: Subject): void {
  const { limits, links, inflight } = table;
  const { admission } = limits;
  if (inflight !== runtime.open) {
    world.fail(
      "slots in use = open connections",
      `${name}: ${inflight} slots, ${runtime.open} open`,
    );
  }
  if (inflight > transport.config.max_conns) {
    world.fail("slots in use <= max_conns", `${name}: ${inflight} slots`);
  }
  if (admission.peers.connections !== inflight) {
    world.fail(
      "slots in use = open connections",
      `${name}: ${admission.peers.connections} slots by peer, ${inflight} in all`,
    );
  }
  let opening = 0;
  let pooled = 0;
  for (const link of links) {
    if (link.role === "listener" && link.openedAfter === undefined) opening++;
    pooled += link.account.pooled;
    const { outbox, account } = link;
    if (account.queued !== outbox.bytes) {
      world.fail(
        "bytes charged = bytes held",
        `${name}: an inbox holds ${outbox.bytes} bytes, charged are ${account.queued}`,
      );
    }
    if (outbox.bytes < 0 || outbox.items < 0 || outbox.items > CAPS.inboxItems) {
      world.fail("bounded inbox", `${name}: ${outbox.items} items, ${outbox.bytes} bytes`);
    }
  }
  if (admission.handshakes.used > admission.handshakes.slots) {
    world.fail("handshake slots <= their limit", `${name}: ${admission.handshakes.used}`);
  }
  if (admission.handshakes.used !== opening) {
    world.fail(
      "handshake slots = handshakes",
      `${name}: ${admission.handshakes.used} slots, ${opening} in their handshake`,
    );
  }
  const left = budget.leavings.bytes;
  if (budget.used !== pooled + left || budget.used > budget.bytes) {
    world.fail(
      "bytes charged = bytes held",
      `${name}: the budget of ${budget.bytes} says ${budget.used}, its connections hold ${pooled}, and those that are over ${left}`,
    );
  }
}
