/** A start with other ceilings or defaults than the host has on record is told, figure by figure. */
import assert from "node:assert/strict";
import {
  type AuditEvent,
  policyFigures,
  Transport,
  TransportError,
  type TransportHooks,
} from "../../mod.ts";
import { describe, it } from "../harness.ts";

/** The events of a transport that starts and closes. */
async function eventsOf(recordedPolicy?: TransportHooks["recordedPolicy"]): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  const transport = new Transport({}, {
    onAudit: (event) => void events.push(event),
    ...(recordedPolicy === undefined ? {} : { recordedPolicy }),
  });
  await transport.close();
  await new Promise((resolve) => setTimeout(resolve));
  return events.filter(({ event }) => event === "TransportPolicyChanged");
}

describe("policy figures on record", () => {
  it("the figures of this build, through JSON and back, tell nothing", async () => {
    const figures = JSON.parse(JSON.stringify(policyFigures()));
    assert.deepEqual(await eventsOf({ figures }), []);
    assert.deepEqual(await eventsOf(), []);
    assert.ok(Object.isFrozen(policyFigures()));
  });

  it("I-G1: another ceiling is class 0, another default class 1, before anything else is told", async () => {
    const figures = {
      ...policyFigures(),
      "cap:frameBytes": 524_288,
      "default:idle_timeout": "30s",
    };
    const events = await eventsOf({ figures, actor: "mia", pr: "#12", commit: "4be1f0c" });
    assert.deepEqual(events.map((event) => ({ ...event, ts: undefined })), [
      {
        event: "TransportPolicyChanged",
        class: 0,
        old: "cap:frameBytes = 524288",
        new: "cap:frameBytes = 1048576",
        actor: "mia",
        pr: "#12",
        commit: "4be1f0c",
        ts: undefined,
      },
      {
        event: "TransportPolicyChanged",
        class: 1,
        old: "default:idle_timeout = 30s",
        new: "default:idle_timeout = 60s",
        actor: "mia",
        pr: "#12",
        commit: "4be1f0c",
        ts: undefined,
      },
    ]);
    for (const event of events) assert.ok(Object.isFrozen(event) && "ts" in event);
  });

  it("figures that are new, and those that are gone, are told; inherited ones are none", async () => {
    const { "default:max_conns": _, ...rest } = policyFigures();
    const figures = Object.assign(Object.create({ "default:max_conns": 1_024 }), rest, {
      "default:keepalive": "1s",
    });
    const told = await eventsOf({ figures });
    assert.deepEqual(told.map((event) => "old" in event && [event.old, event.new, event.actor]), [
      ["default:max_conns = none", "default:max_conns = 1024", "unknown"],
      ["default:keepalive = 1s", "default:keepalive = none", "unknown"],
    ]);
  });

  it("a record of any size is bounded: at most 256 unknown names, 1024 characters each", async () => {
    const junk = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, i) => [`x${i}`, "y".repeat(5_000)]),
    );
    const told = await eventsOf({ figures: { ...policyFigures(), ...junk } });
    assert.equal(told.length, 256);
    assert.ok(told.every((event) => "old" in event && event.old.length === 1_024));
  });

  it("an actor that is empty is refused at the start", () => {
    const recordedPolicy = { figures: {}, actor: "" };
    assert.throws(
      () => new Transport({}, { recordedPolicy }),
      (error) =>
        TransportError.is(error) && error.kind === "config_invalid" && /actor/.test(error.message),
    );
  });
});
