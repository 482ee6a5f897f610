/** Who gets a connection, in which order it is checked, and that every slot comes back exactly once. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { TransportConfig } from "../../../mod.ts";
import { parseConfig } from "../../../src/config/schema.ts";
import { Admission, Admitted, type Refusal } from "../../../src/limits/admission.ts";
import { Handshakes, type Opening } from "../../../src/limits/handshakes.ts";
import { ManualClock } from "../../../src/testing/mod.ts";
import { describe, it } from "../../harness.ts";

const SEED = 20_261_125;

interface Rig {
  readonly clock: ManualClock;
  readonly admission: Admission;
  configure(config: TransportConfig): void;
}

function rig(config: TransportConfig): Rig {
  const clock = new ManualClock();
  let now = parseConfig(config);
  return {
    clock,
    admission: new Admission(() => now, clock),
    configure: (config) => void (now = parseConfig(config)),
  };
}

function admitted(got: Admitted | Refusal): Admitted {
  assert.ok(got instanceof Admitted, `refused: ${String(got)}`);
  return got;
}

/** An opening that takes its own slot back when it is evicted. */
function opening(handshakes: Handshakes, greeted = false): Opening & { evicted: number } {
  const one = {
    greeted,
    evicted: 0,
    evict(): void {
      one.evicted++;
      handshakes.remove(one);
    },
  };
  return one;
}

describe("admission", () => {
  it("gives max_conns slots, to accepted and dialled connections together", () => {
    const { admission } = rig({ max_conns: 3 });
    const all = [admission.accept("a"), admission.dial("b"), admission.dial(undefined)]
      .map(admitted);
    assert.equal(admission.accept("c"), "peer_limit");
    assert.equal(admission.dial("c"), "peer_limit");
    assert.equal(admission.used, 3);
    all[1]!.release();
    all[1]!.release();
    all[1]![Symbol.dispose]();
    assert.equal(admission.used, 2);
    admitted(admission.dial(undefined));
    assert.equal(admission.accept("a"), "peer_limit");
  });

  it("gives one peer per_peer.max_conns of them, and takes none back when that is lowered", () => {
    const { admission, configure } = rig({ max_conns: 10, per_peer: { max_conns: 2 } });
    const mine = [admission.accept("a"), admission.dial("a")].map(admitted);
    assert.equal(admission.accept("a"), "peer_limit");
    assert.equal(admission.dial("a"), "peer_limit");
    admitted(admission.accept("b"));
    assert.equal(admission.used, 3);
    configure({ max_conns: 10, per_peer: { max_conns: 1 } });
    mine[0]!.release();
    assert.equal(admission.accept("a"), "peer_limit");
    mine[1]!.release();
    admitted(admission.accept("a"));
    configure({ max_conns: 10, per_peer: { max_conns: 0 } });
    for (let i = 0; i < 8; i++) admitted(admission.accept("a"));
    assert.equal(admission.accept("z"), "peer_limit");
  });

  it("I-G2, I-6: checks the slots before the rates: a refusal costs no token", () => {
    const { admission, clock } = rig({
      max_conns: 2,
      per_peer: { max_conns: 1 },
      rates: { accepts_per_sec: 8, per_peer_accepts_per_sec: 4 },
    });
    const first = admitted(admission.accept("a"));
    for (let i = 0; i < 100; i++) assert.equal(admission.accept("a"), "peer_limit");
    const second = admitted(admission.accept("b"));
    for (let i = 0; i < 100; i++) assert.equal(admission.accept("c"), "peer_limit");
    first.release();
    second.release();
    // 4 at once in all, 2 of them are spent
    admitted(admission.accept("a")).release();
    assert.equal(admission.accept("a"), "rate_limited");
    admitted(admission.accept("c")).release();
    assert.equal(admission.accept("d"), "rate_limited");
    assert.equal(admission.used, 0);
    clock.advance(125);
    admitted(admission.accept("d"));
  });

  it("does not let a peer without tokens spend those of all", () => {
    const { admission } = rig({ rates: { accepts_per_sec: 20, per_peer_accepts_per_sec: 2 } });
    admitted(admission.accept("greedy"));
    for (let i = 0; i < 1_000; i++) assert.equal(admission.accept("greedy"), "rate_limited");
    for (let i = 0; i < 9; i++) admitted(admission.accept(`peer ${i}`));
    assert.equal(admission.accept("late"), "rate_limited");
  });

  it("asks dials for slots only, not for accept rates", () => {
    const { admission } = rig({ rates: { accepts_per_sec: 1, per_peer_accepts_per_sec: 1 } });
    for (let i = 0; i < 5; i++) admitted(admission.dial("a"));
    admitted(admission.accept("a"));
    assert.equal(admission.accept("a"), "rate_limited");
    admitted(admission.dial("a"));
  });

  it("takes over accept rates that changed", () => {
    const { admission, configure, clock } = rig({});
    for (let i = 0; i < 50; i++) admitted(admission.accept("a"));
    configure({ rates: { accepts_per_sec: 2 } });
    admitted(admission.accept("a"));
    assert.equal(admission.accept("a"), "rate_limited");
    clock.advance(500);
    admitted(admission.accept("b"));
    configure({ rates: { per_peer_accepts_per_sec: 2 } });
    admitted(admission.accept("a"));
    assert.equal(admission.accept("a"), "rate_limited");
    admitted(admission.accept("b"));
  });

  it("knows a peer later: counts it then, once, or refuses", () => {
    const { admission } = rig({ per_peer: { max_conns: 1 } });
    const one = admitted(admission.dial(undefined));
    assert.equal(one.peer, undefined);
    assert.equal(admission.identify(one, undefined), undefined);
    assert.equal(admission.identify(one, "a"), undefined);
    assert.notEqual(one.peer, undefined);
    assert.equal(admission.identify(one, "b"), undefined); // known already: not counted again
    const two = admitted(admission.dial(undefined));
    assert.equal(admission.identify(two, "a"), "peer_limit");
    two.release();
    one.release();
    assert.equal(admission.identify(admitted(admission.dial(undefined)), "a"), undefined);
  });

  it("remembers no peer of whom there is nothing to know", () => {
    const { admission } = rig({ max_conns: 4 });
    for (let i = 0; i < 5_000; i++) {
      admitted(admission.accept(`10.0.${i >> 8}.${i & 255}`)).release();
    }
    assert.equal(admission.peers.size, 0);
    assert.equal(admission.used, 0);
  });

  it("refuses new peers, and no others, when it remembers as many as it may", () => {
    const { admission, clock } = rig({ max_conns: 2, rates: { per_peer_accepts_per_sec: 2 } });
    const live = admitted(admission.accept("live"));
    for (let i = 0; i < 1_025; i++) admitted(admission.accept(`p${i}`)).release();
    assert.equal(admission.peers.size, 1_026);
    assert.equal(admission.accept("new"), "rate_limited");
    assert.equal(admission.dial("new"), "rate_limited");
    assert.equal(admission.used, 1);
    admitted(admission.dial("live")).release();
    clock.advance(500);
    admitted(admission.accept("new"));
    live.release();
  });

  it("lets new peers in where one of those who are here had been away", () => {
    const { admission, clock } = rig({ max_conns: 2, rates: { per_peer_accepts_per_sec: 10 } });
    admitted(admission.accept("back")).release();
    for (let i = 0; i < 1_025; i++) admitted(admission.accept(`p${i}`)).release();
    const back = admitted(admission.accept("back"));
    assert.equal(admission.accept("new"), "rate_limited");
    clock.advance(100);
    admitted(admission.accept("new"));
    back.release();
  });

  it("gives slots back where a block ends", () => {
    const { admission } = rig({});
    const one = admitted(admission.accept("a"));
    one[Symbol.dispose]();
    assert.deepEqual([admission.used, admission.peers.connections], [0, 0]);
  });

  it("leaves no slot taken after any events (slots in use = open connections)", () => {
    const event = fc.record({
      what: fc.constantFrom(
        "accept",
        "dial",
        "dial by name",
        "close",
        "close again",
        "open",
        "wait",
      ),
      key: fc.nat(5),
      n: fc.nat(300),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        const { admission, clock } = rig({
          max_conns: 12,
          per_peer: { max_conns: 4 },
          rates: { accepts_per_sec: 40, per_peer_accepts_per_sec: 20 },
        });
        const { handshakes, peers } = admission;
        const open: { slot: Admitted; opening: Opening | undefined; key: string | undefined }[] =
          [];
        const gone: Admitted[] = [];
        const close = (i: number): void => {
          const [one] = open.splice(i, 1);
          if (one === undefined) return;
          if (one.opening !== undefined) handshakes.remove(one.opening);
          one.slot.release();
          gone.push(one.slot);
        };
        for (const { what, key, n } of events) {
          const name = `p${key}`;
          if (what === "accept") {
            const got = admission.accept(name);
            if (got instanceof Admitted) {
              const own: Opening = {
                greeted: n % 3 === 0,
                evict: () => close(open.findIndex(({ opening }) => opening === own)),
              };
              handshakes.add(own, got.peer);
              open.push({ slot: got, opening: own, key: name });
            }
          } else if (what === "dial") {
            const got = admission.dial(name);
            if (got instanceof Admitted) open.push({ slot: got, opening: undefined, key: name });
          } else if (what === "dial by name") {
            const got = admission.dial(undefined);
            if (got instanceof Admitted) {
              const refused = admission.identify(got, name);
              open.push({ slot: got, opening: undefined, key: refused ? undefined : name });
            }
          } else if (what === "close" && open.length > 0) close(n % open.length);
          else if (what === "close again") gone[n % Math.max(1, gone.length)]?.release();
          else if (what === "open" && open.length > 0) {
            const one = open[n % open.length]!;
            if (one.opening !== undefined) handshakes.remove(one.opening);
            one.opening = undefined;
          } else clock.advance(n);
          assert.equal(admission.used, open.length);
          assert.equal(handshakes.used, open.filter(({ opening }) => opening !== undefined).length);
          assert.equal(peers.connections, open.filter(({ key }) => key !== undefined).length);
          for (let k = 0; k < 6; k++) {
            const own = open.filter(({ key }) => key === `p${k}`);
            assert.ok(own.length <= 4);
            if (own.length > 0) assert.equal(own[0]!.slot.peer!.slots.used, own.length);
          }
        }
        while (open.length > 0) close(0);
        assert.deepEqual([admission.used, handshakes.used, peers.connections], [0, 0, 0]);
        clock.advance(1_000);
        assert.equal(admission.accept("last") instanceof Admitted, true);
      }),
      { numRuns: 200, seed: SEED, verbose: true },
    );
  });
});

describe("handshake slots", () => {
  it("are a quarter of max_conns, at least 64, and an eighth of these for one peer", () => {
    for (
      const [max, slots, perPeer] of [[1, 64, 8], [256, 64, 8], [400, 100, 12], [1_024, 256, 32]]
    ) {
      const handshakes = new Handshakes(() => max!);
      assert.equal(handshakes.slots, slots);
      assert.equal(handshakes.perPeer, perPeer);
      for (let i = 0; i < perPeer!; i++) {
        assert.ok(handshakes.admits("a"));
        handshakes.add(opening(handshakes), "a");
      }
      assert.equal(handshakes.admits("a"), false);
      assert.ok(handshakes.admits("b"));
      assert.ok(handshakes.admits(undefined));
    }
  });

  it("full: the oldest that has said nothing makes room, one for each newcomer", () => {
    const handshakes = new Handshakes(() => 1);
    const all = Array.from({ length: 64 }, (_, i) => opening(handshakes, i < 2));
    for (const [i, one] of all.entries()) handshakes.add(one, `p${i}`);
    assert.ok(handshakes.admits("new"));
    assert.deepEqual(all.map(({ evicted }) => evicted).indexOf(1), 2);
    assert.equal(handshakes.used, 63);
    assert.ok(handshakes.admits("new")); // there is room now
    assert.equal(handshakes.used, 63);
    handshakes.add(opening(handshakes), "new");
    assert.ok(handshakes.admits("newer"));
    assert.equal(all[3]!.evicted, 1);
    assert.equal(all[0]!.evicted + all[1]!.evicted, 0);
  });

  it("full of those who greeted: nobody is let in, and nobody cut off", () => {
    const handshakes = new Handshakes(() => 1);
    const all = Array.from({ length: 64 }, () => opening(handshakes, true));
    for (const [i, one] of all.entries()) handshakes.add(one, `p${i}`);
    assert.equal(handshakes.admits("new"), false);
    assert.equal(handshakes.used, 64);
    assert.ok(all.every(({ evicted }) => evicted === 0));
    handshakes.remove(all[5]!);
    assert.ok(handshakes.admits("new"));
  });

  it("cut off nobody for a peer that has its eighth", () => {
    const handshakes = new Handshakes(() => 1);
    for (let i = 0; i < 8; i++) handshakes.add(opening(handshakes), "greedy");
    const others = Array.from({ length: 56 }, () => opening(handshakes));
    for (const [i, one] of others.entries()) handshakes.add(one, `p${i}`);
    assert.equal(handshakes.admits("greedy"), false);
    assert.equal(handshakes.used, 64);
  });

  it("come back one by one", () => {
    const handshakes = new Handshakes(() => 1);
    const mine = Array.from({ length: 8 }, () => opening(handshakes));
    for (const one of mine) handshakes.add(one, "a");
    for (const left of [3, 5, 4]) {
      for (const one of mine.splice(0, 8 - left)) handshakes.remove(one);
      while (mine.length < 8) {
        assert.ok(handshakes.admits("a"));
        mine.push(opening(handshakes));
        handshakes.add(mine.at(-1)!, "a");
      }
      assert.equal(handshakes.admits("a"), false);
    }
    for (const one of mine.splice(0, 7)) handshakes.remove(one);
    for (let i = 0; i < 7; i++) handshakes.add(opening(handshakes), "a"); // beside the one that is left
    assert.equal(handshakes.admits("a"), false);
  });

  it("remember no peer that has none", () => {
    const handshakes = new Handshakes(() => 1);
    for (let i = 0; i < 100; i++) {
      const one = opening(handshakes);
      handshakes.add(one, `peer ${i}`);
      assert.equal(handshakes.peers, 1);
      handshakes.remove(one);
    }
    assert.equal(handshakes.peers, 0);
  });

  it("come back once, also where the peer is not known", () => {
    const handshakes = new Handshakes(() => 1);
    const [known, unknown] = [opening(handshakes), opening(handshakes)];
    handshakes.add(known, "a");
    handshakes.add(unknown, undefined);
    for (let i = 0; i < 3; i++) {
      handshakes.remove(known);
      handshakes.remove(unknown);
      handshakes.remove(opening(handshakes));
    }
    assert.equal(handshakes.used, 0);
    for (let i = 0; i < 8; i++) {
      assert.ok(handshakes.admits("a"));
      handshakes.add(opening(handshakes), "a");
    }
    assert.equal(handshakes.admits("a"), false);
  });
});
