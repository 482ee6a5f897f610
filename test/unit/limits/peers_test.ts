/** The table of peers: strangers cannot make it grow, nor push anybody out. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Peer, type PeerLimits, PeerTable, SPARE_ENTRIES } from "../../../src/limits/peers.ts";
import { Permits } from "../../../src/limits/permits.ts";
import { describe, it } from "../../harness.ts";

const SEED = 20_261_125;

function limits(accepts: number, maxConns = 8, perPeer = 0): () => PeerLimits {
  return () => ({ maxConns, perPeer, rates: { bytes: 0, accepts } });
}

describe("peer table", () => {
  it("stays within max_conns + 1024 entries for 100 000 addresses, and keeps every live one", () => {
    for (const accepts of [0, 10]) {
      const table = new PeerTable(limits(accepts));
      const live = Array.from({ length: 8 }, (_, i) => {
        const peer = table.get(`live ${i}`, 0)!;
        const slot = peer.slots.take()!;
        table.settle(`live ${i}`, peer, 0);
        return { key: `live ${i}`, peer, slot };
      });
      let refused = 0;
      for (let i = 0; i < 100_000; i++) {
        const now = i / 100; // 100 000 in a second
        const key = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
        const peer = table.get(key, now);
        if (peer === undefined) {
          refused++;
          continue;
        }
        const slot = peer.slots.take()!;
        peer.accepts.tryConsume(1, now);
        table.settle(key, peer, now);
        slot.release();
        table.settle(key, peer, now);
        assert.ok(table.size <= 8 + SPARE_ENTRIES);
      }
      // without a rate there is nothing to remember of one that left
      if (accepts === 0) assert.deepEqual([refused, table.size], [0, 8]);
      else assert.ok(refused > 0);
      for (const { key, peer } of live) assert.equal(table.get(key, 1_000), peer);
    }
  });

  it("is a table of max_conns and 1 024 more, and new peers hold nothing", () => {
    assert.equal(SPARE_ENTRIES, 1_024);
    const table = new PeerTable(limits(10));
    const peer = table.get("a", 0)!;
    assert.deepEqual([peer.held, peer.outgoing, peer.windows, peer.left], [0, 0, 0, 0]);
    assert.equal(table.connections, 0);
    const slots = [peer.slots.take()!, peer.slots.take()!];
    assert.equal(table.connections, 2);
    peer.accepts.tryConsume(5, 0);
    table.settle("a", peer, 0);
    slots[0]!.release();
    table.settle("a", peer, 0);
    assert.equal(table.connections, 1);
    // one connection is left: it is not idle, and no sweep may take it
    slots[1]!.release();
    table.settle("a", peer, 0);
    const again = peer.slots.take()!;
    table.settle("a", peer, 0);
    table.get("b", 10_000);
    assert.equal(table.get("a", 10_000), peer);
    again.release();
  });

  it("has room again once the buckets of those who left are full", () => {
    const table = new PeerTable(limits(10));
    const leave = (key: string, now: number): boolean => {
      const peer = table.get(key, now);
      if (peer === undefined) return false;
      peer.accepts.tryConsume(1, now);
      table.settle(key, peer, now);
      return true;
    };
    for (let i = 0; i < 8 + SPARE_ENTRIES; i++) assert.ok(leave(`p${i}`, 0));
    assert.equal(leave("late", 99), false);
    assert.ok(leave("late", 100));
    assert.equal(table.size, 1);
  });

  it("does not keep those who left for one that came back and stays", () => {
    const table = new PeerTable(limits(10));
    const stays = table.get("stays", 0)!;
    stays.accepts.tryConsume(5, 0);
    table.settle("stays", stays, 0); // it leaves first
    for (let i = 0; i < 7 + SPARE_ENTRIES; i++) {
      const peer = table.get(`p${i}`, 0)!;
      peer.accepts.tryConsume(1, 0);
      table.settle(`p${i}`, peer, 0);
    }
    const slot = stays.slots.take()!;
    table.settle("stays", stays, 0);
    assert.equal(table.get("late", 50), undefined);
    assert.notEqual(table.get("late", 100), undefined); // the others are forgotten by now
    assert.equal(table.get("stays", 100), stays);
    slot.release();
  });

  it("gives one who comes back its old buckets and slots", () => {
    const table = new PeerTable(limits(10));
    const peer = table.get("a", 0)!;
    peer.accepts.tryConsume(5, 0);
    table.settle("a", peer, 0);
    assert.equal(table.get("a", 100), peer);
    assert.equal(peer.accepts.available(100), 1);
    assert.notEqual(table.get("b", 100), peer);
  });

  it("keeps whoever holds bytes of the budget, even without a connection", () => {
    const table = new PeerTable(limits(0));
    const peer = table.get("a", 0)!;
    peer.held = 1;
    table.settle("a", peer, 0);
    assert.equal(table.get("a", 0), peer);
    peer.held = 0;
    table.settle("a", peer, 0);
    assert.equal(table.size, 0);
  });

  it("passes over those who left bytes behind, a few at a time, and drops who left with them", () => {
    const table = new PeerTable(limits(10));
    const holding: Peer[] = [];
    for (let i = 0; i < 8 + SPARE_ENTRIES; i++) {
      const peer = table.get(`${i}`, 0)!;
      peer.accepts.tryConsume(1, 0);
      if (i < 33) {
        peer.held = 1;
        holding.push(peer);
      }
      table.settle(`${i}`, peer, 0);
    }
    assert.equal(table.get("new", 0), undefined, "the table is full");
    for (let i = 0; i < 4; i++) assert.ok(table.get(`new ${i}`, 10_000));
    assert.equal(table.size, 33 + 4, "only those who hold something are left");
    for (const peer of holding) peer.held = 0;
    assert.ok(table.get("last", 10_000));
    assert.equal(table.size, 4 + 1, "and they go once they hold nothing");
  });

  it("takes over rates and limits that changed", () => {
    let now: PeerLimits = { maxConns: 1, perPeer: 1, rates: { bytes: 0, accepts: 0 } };
    const table = new PeerTable(() => now);
    const peer = table.get("a", 0)!;
    const slot = peer.slots.take();
    assert.ok(slot !== undefined && peer.slots.take() === undefined);
    assert.equal(peer.ingress.limits || peer.egress.limits || peer.accepts.limits, false);
    now = { maxConns: 1, perPeer: 2, rates: { bytes: 1_000, accepts: 4 } };
    assert.equal(table.get("a", 0), peer);
    assert.ok(peer.slots.take() !== undefined && peer.slots.take() === undefined);
    assert.deepEqual([peer.ingress.rate, peer.egress.rate, peer.accepts.rate], [1_000, 1_000, 4]);
  });

  it("is forgettable only without connections, bytes and missing tokens", () => {
    const make = (): Peer =>
      new Peer(() => ({ maxConns: 1, perPeer: 0, rates: { bytes: 100, accepts: 100 } }), 0);
    assert.ok(make().forgettable(0));
    for (const spoil of ["ingress", "egress", "accepts"] as const) {
      const peer = make();
      peer[spoil].tryConsume(1, 0);
      assert.equal(peer.forgettable(0), false);
      assert.ok(peer.forgettable(10));
    }
    const peer = make();
    const slot = peer.slots.take()!;
    assert.equal(peer.forgettable(0), false);
    slot.release();
    assert.ok(peer.forgettable(0));
  });

  it("holds its bound and its live entries in any order of comings and goings", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ key: fc.nat(40), leave: fc.boolean(), ms: fc.nat(200) }), {
          maxLength: 200,
        }),
        (events) => {
          const table = new PeerTable(() => ({
            maxConns: 4,
            perPeer: 0,
            rates: { bytes: 0, accepts: 2 },
          }));
          const open = new Map<number, { peer: Peer; release: () => void }>();
          let now = 0;
          for (const { key, leave, ms } of events) {
            now += ms;
            const name = `${key}`;
            const there = open.get(key);
            if (there !== undefined) {
              assert.equal(table.get(name, now), there.peer);
              if (!leave) continue;
              open.delete(key);
              there.release();
              table.settle(name, there.peer, now);
            } else if (open.size < 4) {
              const peer = table.get(name, now);
              assert.ok(peer !== undefined);
              const slot = peer.slots.take()!;
              peer.accepts.tryConsume(1, now);
              table.settle(name, peer, now);
              open.set(key, { peer, release: () => slot.release() });
            }
            assert.ok(table.size >= open.size && table.size <= 4 + SPARE_ENTRIES);
          }
        },
      ),
      { numRuns: 100, seed: SEED, verbose: true },
    );
  });
});

describe("permits", () => {
  it("are given out up to the number, and given back exactly once", () => {
    let max = 2;
    const permits = new Permits(() => max);
    const [a, b] = [permits.take(), permits.take()];
    assert.ok(a !== undefined && b !== undefined);
    assert.equal(permits.take(), undefined);
    a.release();
    a.release();
    a[Symbol.dispose]();
    assert.equal(permits.used, 1);
    max = 1;
    assert.equal(permits.take(), undefined);
    max = 0;
    assert.equal(permits.used, 1); // lowering takes none back
    b[Symbol.dispose]();
    assert.equal(permits.used, 0);
    assert.equal(permits.take(), undefined);
    max = 1;
    {
      using slot = permits.take()!;
      assert.ok(slot);
      assert.equal(permits.used, 1);
    }
    assert.equal(permits.used, 0);
  });
});
