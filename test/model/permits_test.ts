/** LOOM-LOCK-01: permits never leak and are never given back twice, in every order of what can happen. */
import assert from "node:assert/strict";
import { parseConfig } from "../../src/config/schema.ts";
import { Admission, type Admitted } from "../../src/limits/admission.ts";
import type { Opening } from "../../src/limits/handshakes.ts";
import { Permits } from "../../src/limits/permits.ts";
import { ManualClock } from "../../src/testing/mod.ts";
import { describe, it } from "../harness.ts";
import { everyInterleaving, type Model, type Step } from "./interleave.ts";

describe("permit model", () => {
  it("I-G3, I-5: LOOM-LOCK-01: each permit counts once, however often it is released", async () => {
    const orders = await everyInterleaving((): Model => {
      const permits = new Permits(() => 2);
      let held = 0;
      const user = (): Step[] => {
        let permit: ReturnType<Permits["take"]>;
        return [
          () => {
            permit = permits.take();
            if (permit !== undefined) held++;
            else assert.equal(held, 2);
          },
          () => {
            if (permit !== undefined) held--;
            permit?.release();
          },
          () => permit?.[Symbol.dispose](),
        ];
      };
      return {
        synchronous: true,
        threads: { a: user(), b: user(), c: user() },
        check() {
          assert.equal(permits.used, held);
          assert.ok(held <= 2);
        },
        end: () => assert.equal(permits.used, 0),
      };
    });
    assert.equal(orders, 1_680);
  });

  it("I-G3, I-5: LOOM-LOCK-01: slots of all, of the peer and of handshakes agree after every step", async () => {
    const config = parseConfig({ max_conns: 2, per_peer: { max_conns: 1 } });
    const orders = await everyInterleaving((): Model => {
      const admission = new Admission(() => config, new ManualClock());
      const { handshakes, peers } = admission;
      let slots = 0;
      let openings = 0;
      const connection = (key: string): Step[] => {
        let admitted: Admitted | undefined;
        let opening: Opening | undefined;
        const opened = (): void => {
          if (opening === undefined) return;
          handshakes.remove(opening);
          openings--;
          opening = undefined;
        };
        return [
          () => {
            const answer = admission.accept(key);
            if (typeof answer === "string") return;
            admitted = answer;
            slots++;
            openings++;
            opening = { greeted: false, evict: () => {} };
            handshakes.add(opening, admitted.peer);
          },
          opened,
          () => {
            opened(); // again, as a close after the open does
            if (admitted !== undefined) slots--;
            admitted?.release();
          },
          () => admitted?.release(),
        ];
      };
      return {
        synchronous: true,
        threads: { a1: connection("a"), a2: connection("a"), b: connection("b").slice(0, 3) },
        check() {
          assert.equal(admission.used, slots);
          assert.equal(peers.connections, slots);
          assert.equal(handshakes.used, openings);
          assert.ok(slots <= 2);
        },
        end() {
          assert.equal(admission.used, 0);
          assert.equal(peers.size, 0); // a peer that left is forgotten
        },
      };
    });
    assert.equal(orders, 11_550);
  });
});
