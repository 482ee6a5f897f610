/** Runtimes meet each other: what the wire shows, and that neither side says otherwise. */
import assert from "node:assert/strict";
import { describe, it } from "../harness.ts";
import { runtimeName } from "../runtimes.ts";
import { endsHere, meet } from "./pairs.ts";

describe("tls: pairs of runtimes", () => {
  it("each client with each server, in each mode it can do", {
    timeout: 300_000,
    ...(runtimeName() !== "deno" && { skip: "Deno: starts all runtimes; once is enough" }),
  }, async () => {
    const ends = endsHere();
    const seen = await meet(ends, ends);
    assert.equal(seen.length, ends.length ** 2);
    for (const { server, client, kind, said } of seen) {
      const pair = `server ${server.name} ${server.mode}, client ${client.name} ${client.mode}`;
      for (const pq of [said.server, said.client]) {
        assert.ok(pq === kind || pq === "unknown", `${pair}: ${kind} on the wire, said ${pq}`);
      }
      if (server.mode === "off" && server.name !== "Deno") assert.equal(kind, "off", pair);
      if (client.mode === "off" && client.name !== "Deno") assert.equal(kind, "off", pair);
      if (server.mode === "hybrid" && client.mode === "hybrid") assert.equal(kind, "hybrid", pair);
      // Deno reads it off the wire itself
      if (server.name === "Deno") assert.equal(said.server, kind, pair);
      if (client.name === "Deno") assert.equal(said.client, kind, pair);
    }
  });
});
