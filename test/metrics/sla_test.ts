/**
 * IT-OBS-04: objectives under load, read from the server's own metrics as an operator would: a server
 * process with TLS, 50 connections and 1 000 requests a second of 4 096 bytes for 3 s. The reference load
 * is 200 connections and 15 000 a second on a machine of its own; this one is scaled to two cores that
 * also run the client.
 */
import assert from "node:assert/strict";
import { availableParallelism, loadavg } from "node:os";
import { drive, withLinks } from "../../bench/load/drive.ts";
import { describe, it, runtimeName, spawnRuntime } from "../harness.ts";
import { run } from "../cli/terminal.ts";

const CONNECTIONS = 50;
const RATE = 1_000;
const SECONDS = 3;

describe("objectives under load", () => {
  it(
    "I-16: ready in 2 s, rejects below 1 %, failures below 0.1 %, handshakes p95 80 ms and p99 150 ms",
    {
      leaks: false, // fetch keeps its connection for a while
    },
    async () => {
      await using server = spawnRuntime(runtimeName(), "src/cli/main.ts", [
        ...["serve", "--addr", "tls://127.0.0.1:0", "--throwaway-cert", "-"],
        ...["--metrics", "127.0.0.1:0", "--json"],
      ]);
      const first = JSON.parse(await server.nextLine());
      const target = { address: first.listening, ca: first.certificate };
      const { failed, latencies } = await withLinks(
        target,
        CONNECTIONS,
        (links) =>
          drive(links, {
            connections: CONNECTIONS,
            rate: RATE,
            bytes: 4_096,
            ms: SECONDS * 1_000,
          }),
      );
      const looked = await run("top", first.metrics, "--once", "--json");
      const { accepts, rejects, handshake, frames, readiness } = JSON.parse(looked.out);
      const refused = Object.values(rejects as Record<string, { total: number }>)
        .reduce((all, { total }) => all + total, 0);
      // How busy others keep this machine, now or a minute ago: then times say nothing of the server.
      const busy = loadavg()[0]! / availableParallelism();
      const p95 = latencies[Math.floor(latencies.length * 0.95)]!;
      console.log(
        `${runtimeName()}: ready in ${first.readyMs} ms; ${refused} of ${accepts.total} refused, ` +
          `${failed} of ${
            RATE * SECONDS
          } failed; handshakes p50 ${handshake.p50}, p95 ${handshake.p95}, ` +
          `p99 ${handshake.p99} ms; requests p95 ${p95.toFixed(1)} ms; load of others ${
            busy.toFixed(1)
          } a core`,
      );
      assert.deepEqual(readiness, { state: "Ready" });
      assert.equal(accepts.total, CONNECTIONS);
      assert.equal(handshake.count, CONNECTIONS);
      assert.equal(frames.total, RATE * SECONDS);
      assert.ok(refused < 0.01 * accepts.total, `${refused} refused`);
      assert.ok(failed < 0.001 * RATE * SECONDS, `${failed} failed`);
      if (busy > 1) return console.log("times are not judged: others keep this machine busy");
      assert.ok(first.readyMs < 2_000, `ready in ${first.readyMs} ms`);
      assert.ok(handshake.p95 < 80, `p95 ${handshake.p95} ms`);
      assert.ok(handshake.p99 < 150, `p99 ${handshake.p99} ms`);
    },
  );
});
