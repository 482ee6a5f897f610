/**
 * Every call of the runtime that can fail is made to, one at a time, in each of twelve scenarios on
 * real sockets. Whatever fails: every wait settles, with an error of ours if with any, and nothing is
 * left open. With nothing failing, the scenario succeeds.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Connection,
  type Listener,
  type OnConnection,
  Transport,
  TransportError,
} from "../../mod.ts";
import { FLAGS, type Frame, framed } from "../../src/oap/mod.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { after, describe, it, leaksSince, takeCensus } from "../harness.ts";
import { FailingRuntime } from "./failing_runtime.ts";

interface Ends {
  listen(onConnection?: OnConnection): Promise<Listener>;
  dial(listener: Listener, signal?: AbortSignal): Promise<Connection>;
  readonly server: Transport;
}

const SMALL = new Uint8Array(100).fill(7);
const LARGE = new Uint8Array(300_000).fill(9);
const HEAD = { code: 0, appProtoId: 7, tenantId: 0n, corrId: 1n };

/** Fewer bytes came than were sent: an end that raw bytes cannot tell from an orderly one. */
class Short extends Error {}

function whole(bytes: number, wanted: Uint8Array): void {
  if (bytes !== wanted.length) throw new Short(`${bytes} of ${wanted.length} bytes`);
}

async function readAll(connection: Connection): Promise<number> {
  const buffer = new Uint8Array(65_536);
  let bytes = 0;
  for (;;) {
    const n = await connection.read(buffer);
    if (n === null) return bytes;
    bytes += n;
  }
}

async function echo(connection: Connection): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const n = await connection.read(buffer);
    if (n === null) return;
    await connection.write(buffer.slice(0, n));
  }
}

async function answering(connection: Connection): Promise<void> {
  const peer = framed(connection);
  peer.onBatch((batch) =>
    batch.forEach((view) => {
      if (view.flags & FLAGS.REQ) {
        peer.trySend({ ...view.toFrame(), flags: FLAGS.RESP, code: 200 });
      }
    })
  );
  await peer.closed;
}

async function there(connection: Connection, bytes: Uint8Array): Promise<void> {
  await connection.write(bytes);
  connection.closeWrite();
  whole(await readAll(connection), bytes);
  await connection.close();
}

const SCENARIOS: Readonly<Record<string, (ends: Ends) => Promise<void>>> = {
  async "a small echo"(ends) {
    await there(await ends.dial(await ends.listen(echo)), SMALL);
  },
  async "a large echo"(ends) {
    await there(await ends.dial(await ends.listen(echo)), LARGE);
  },
  async "the server speaks first"(ends) {
    const listener = await ends.listen((connection) => connection.write(LARGE));
    const connection = await ends.dial(listener);
    whole(await readAll(connection), LARGE);
    await connection.close();
  },
  async "three connections at once"(ends) {
    const listener = await ends.listen(echo);
    await Promise.all([SMALL, LARGE, SMALL].map(async (bytes) => {
      await there(await ends.dial(listener), bytes);
    }));
  },
  async "a listener that is iterated over"(ends) {
    const listener = await ends.listen();
    const taken = (async () => {
      for await (const connection of listener) {
        await echo(connection).catch(() => {});
        await connection.close();
      }
    })();
    try {
      await there(await ends.dial(listener), SMALL);
    } finally {
      await listener.close();
      await taken;
    }
  },
  async "the client gives up half-way"(ends) {
    const listener = await ends.listen(async (connection) => void await readAll(connection));
    const connection = await ends.dial(listener);
    const written = connection.write(LARGE).catch((error) => assert.ok(TransportError.is(error)));
    connection.abort();
    await written;
    await connection.closed;
  },
  async "the server gives up half-way"(ends) {
    const listener = await ends.listen((connection) => {
      connection.abort();
    });
    const over = async (): Promise<void> => {
      const connection = await ends.dial(listener);
      await readAll(connection).finally(() => connection.close());
    };
    // It may be over before the dial is.
    await over().catch((error) => assert.equal(error.kind, "io_closed"));
  },
  async "streams"(ends) {
    const listener = await ends.listen((connection) =>
      connection.readable.pipeTo(connection.writable)
    );
    const connection = await ends.dial(listener);
    const writer = connection.writable.getWriter();
    const written = (async () => {
      await writer.write(LARGE);
      await writer.close();
    })();
    const reply = new Response(connection.readable).arrayBuffer();
    await Promise.allSettled([written, reply]);
    await written;
    whole((await reply).byteLength, LARGE);
  },
  async "a request and its answer"(ends) {
    const peer = framed(await ends.dial(await ends.listen(answering)));
    const answer = await peer.request({ ...HEAD, flags: FLAGS.REQ, payload: SMALL });
    assert.deepEqual(answer.payload, SMALL);
    await peer.close();
  },
  async "large requests and their answers"(ends) {
    const peer = framed(await ends.dial(await ends.listen(answering)));
    const ask = (corrId: bigint): Promise<Frame> =>
      peer.request({ ...HEAD, corrId, flags: FLAGS.REQ, payload: LARGE });
    const answers = await Promise.allSettled([ask(1n), ask(2n), ask(3n)]);
    for (const one of answers) {
      if (one.status === "rejected") throw one.reason;
      assert.equal(one.value.payload.length, LARGE.length);
    }
    await peer.close();
  },
  async "a drain under way"(ends) {
    const listener = await ends.listen(echo);
    const connection = await ends.dial(listener);
    await connection.write(SMALL);
    const drained = ends.server.drain(300);
    connection.closeWrite();
    await readAll(connection).finally(() => drained);
  },
  async "a dial that is called off"(ends) {
    const listener = await ends.listen(echo);
    const controller = new AbortController();
    const dialled = ends.dial(listener, controller.signal);
    controller.abort(new TransportError("misuse", "called off", { op: "test" }));
    await dialled.catch(() => {});
    await there(await ends.dial(listener), SMALL);
  },
};

/** Runs a scenario with its `at`-th call failing. @returns The calls there were, and what was thrown. */
async function run(
  scenario: (ends: Ends) => Promise<void>,
  at: number,
): Promise<{ failing: FailingRuntime; thrown: unknown }> {
  const failing = new FailingRuntime(await detectRuntime(), at);
  const config = {
    read_timeout: "2s",
    write_timeout: "2s",
    dial_timeout: "2s",
    handshake_timeout: "2s",
  };
  const server = new Transport(config, { runtime: failing });
  const client = new Transport(config, { runtime: failing });
  const ends: Ends = {
    server,
    listen: (onConnection) =>
      server.listen({
        address: "tcp://127.0.0.1:0",
        ...(onConnection === undefined ? {} : { onConnection }),
      }),
    dial: (listener, signal) => client.dial(listener.address, signal && { signal }),
  };
  let thrown: unknown;
  const ran = scenario(ends).catch((error) => thrown = error);
  const late = Symbol("late");
  const result = await Promise.race([ran, delay(20_000, late, { ref: false })]);
  assert.notEqual(result, late, `call ${at}, ${failing.failed}: something waits for ever`);
  await Promise.all([client.close(), server.close()]);
  for (let ms = 0; client.counters().inflight + server.counters().inflight > 0; ms += 5) {
    assert.ok(ms < 1_000, `call ${at}, ${failing.failed}: a slot is held`);
    await delay(5);
  }
  return { failing, thrown };
}

describe("every call that fails", () => {
  const all = new Set<string>();
  after(() => assert.deepEqual([...all].sort(), ["accept", "connect", "listen", "read", "write"]));

  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    it(`leaves nothing behind: ${name}`, async () => {
      const loose: unknown[] = [];
      const note = (error: unknown): void => void loose.push(error);
      process.on("unhandledRejection", note);
      const seen = new Set<string>();
      try {
        for (let at = 1;; at++) {
          const before = takeCensus();
          const { failing, thrown } = await run(scenario, at);
          const where = `call ${at}, ${failing.failed}`;
          for (let ms = 0, left = leaksSince(before); left.length > 0; ms += 10) {
            assert.ok(ms < 1_000, `${where} leaves: ${left}`);
            await delay(10);
            left = leaksSince(before);
          }
          assert.deepEqual(loose, [], `${where}: a rejection that nobody handles`);
          if (failing.failed === undefined) {
            assert.equal(thrown, undefined, `with nothing failing: ${thrown}`);
            break;
          }
          if (thrown !== undefined) {
            assert.ok(TransportError.is(thrown) || thrown instanceof Short, `${where}: ${thrown}`);
          }
          seen.add(failing.failed);
          assert.ok(at < 500, "the scenario ends");
        }
      } finally {
        process.off("unhandledRejection", note);
      }
      for (const call of ["listen", "connect", "accept"]) assert.ok(seen.has(call), call);
      for (const call of seen) all.add(call);
    });
  }
});
