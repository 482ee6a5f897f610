/** IT-RATE-01, IT-RATE-02, IT-RATE-03 and CHAOS-HOT-PEER-01 on real sockets: by connection, by peer, in all; both ways. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type Connection, Transport, type TransportConfig } from "../../mod.ts";
import { describe, it } from "../harness.ts";
import { dialFrom, flood, FULL, type RawClient, source, until } from "./sources.ts";

type Scope = "conn" | "peer" | "global";
type Way = "in" | "out";

const CHUNK = new Uint8Array(65_536);
const SECONDS = FULL ? 5 : 2;

interface Case {
  readonly scope: Scope;
  readonly way: Way;
  readonly rate: number;
}

function config({ scope, way, rate }: Case): TransportConfig {
  const rates = {
    conn: { per_conn_bytes_per_sec: rate },
    peer: { per_peer_bytes_per_sec: rate },
    global: way === "in"
      ? { global_ingress_bytes_per_sec: rate }
      : { global_egress_bytes_per_sec: rate },
  };
  return { rates: rates[scope], write_timeout: "20s" };
}

interface Measured {
  /** Bytes that two peers with two connections each got through, by connection. */
  readonly bytes: readonly number[];
  /** Seconds since the first of them connected, and since the last. */
  readonly most: number;
  readonly least: number;
}

async function measure(one: Case): Promise<Measured> {
  const taken = new Map<number, number>();
  const serve = async (connection: Connection): Promise<void> => {
    const port = connection.info.remote!.port;
    const buffer = new Uint8Array(262_144);
    taken.set(port, 0);
    try {
      for (;;) {
        if (one.way === "out") await connection.write(CHUNK);
        else {
          const n = await connection.read(buffer);
          if (n === null) return;
          taken.set(port, taken.get(port)! + n);
        }
      }
    } catch {
      // over
    }
  };
  await using server = new Transport(config(one));
  const listener = await server.listen({ address: "tcp://127.0.0.1:0", onConnection: serve });
  const clients: RawClient[] = [];
  const first = performance.now();
  try {
    for (const n of [0, 0, 1, 1]) clients.push(await dialFrom(listener.address, source(n)));
    const last = performance.now();
    if (one.way === "in") { for (const client of clients) flood(client, CHUNK); }
    await delay(SECONDS * 1_000);
    const bytes = clients.map(({ socket, received }) =>
      one.way === "in" ? taken.get(socket.localPort!)! : received
    );
    const now = performance.now();
    const { readPauses, rejected } = server.counters();
    const what = `${one.scope} at ${one.rate} B/s: pauses ${JSON.stringify(readPauses)}`;
    if (one.way === "in") assert.ok(readPauses[one.scope] > 0, what);
    assert.equal(rejected.rate_limited, 0, "pacing is no refusal");
    return { bytes, most: (now - first) / 1_000, least: (now - last) / 1_000 };
  } finally {
    for (const { socket } of clients) socket.destroy();
    await server.close();
  }
}

/** Whether that is what `buckets` full buckets release: half a second's worth comes at once. */
function judge(bytes: number, { scope, way, rate }: Case, buckets: number, time: Measured): void {
  const what = `${scope} ${way} at ${rate} B/s`;
  const most = buckets * rate * (time.most + 0.5) * 1.05;
  assert.ok(bytes <= most, `${what}: ${bytes} B released, at most ${most}`);
  // what a socket has taken and its peer has not is in neither count
  const least = buckets * rate * time.least * 0.8;
  assert.ok(bytes >= least, `${what}: ${bytes} B released, at least ${least}`);
  if (FULL) {
    const exact = buckets * rate * time.least;
    assert.ok(Math.abs(bytes - exact) <= exact * 0.2, `${what}: ${bytes} B, not ${exact} ± 20 %`);
  }
}

async function run(one: Case): Promise<void> {
  const measured = await measure(one);
  const { bytes } = measured;
  const sum = bytes.reduce((a, b) => a + b, 0);
  judge(sum, one, { conn: 4, peer: 2, global: 1 }[one.scope], measured);
  if (one.scope === "conn") { for (const n of bytes) judge(n, one, 1, measured); }
  if (one.scope === "peer") {
    judge(bytes[0]! + bytes[1]!, one, 1, measured);
    judge(bytes[2]! + bytes[3]!, one, 1, measured);
  }
}

const WAYS: readonly Way[] = ["in", "out"];
const SCOPES: readonly Scope[] = ["conn", "peer", "global"];
const RATES: readonly number[] = [64_000, 1_000_000];

describe("I-12: rates on sockets", () => {
  it("IT-RATE-01..03: what is offered tenfold is released at the rate, by each scope and each way", async () => {
    const cases = SCOPES.flatMap((scope) =>
      WAYS.flatMap((way) => RATES.map((rate): Case => ({ scope, way, rate })))
    );
    // all at once: they wait far more than they work
    await Promise.all(cases.map(run));
  });

  for (const way of WAYS) {
    it(
      `IT-RATE-03: 100 MB/s in all, ${way}`,
      { skip: FULL ? false : "long: RON_LIMITS_FULL=1 runs it" },
      () => run({ scope: "global", way, rate: 100_000_000 }),
    );
  }

  it("CHAOS-HOT-PEER-01: one peer with many connections gets no more than another with one", async () => {
    const rate = 1_000_000;
    const taken = new Map<string, number>();
    await using server = new Transport({
      rates: { global_ingress_bytes_per_sec: rate },
      per_peer: { max_conns: 10 },
    });
    const listener = await server.listen({
      address: "tcp://127.0.0.1:0",
      onConnection: async (connection) => {
        const { hostname } = connection.info.remote!;
        const buffer = new Uint8Array(65_536);
        for (let n; (n = await connection.read(buffer).catch(() => null)) !== null;) {
          taken.set(hostname, (taken.get(hostname) ?? 0) + n);
        }
      },
    });
    const clients: RawClient[] = [];
    for (let i = 0; i < 12; i++) clients.push(await dialFrom(listener.address, source(0)));
    for (let i = 1; i < 4; i++) clients.push(await dialFrom(listener.address, source(i)));
    await until("two refused", () => server.counters().rejected.peer_limit === 2);
    for (const client of clients) if (!client.ended) flood(client, CHUNK);
    await delay(700); // the first half second's worth goes to whoever is first
    const before = new Map(taken);
    await delay(2_000);
    const shares = [0, 1, 2, 3].map((i) => taken.get(source(i))! - before.get(source(i))!);
    const total = shares.reduce((a, b) => a + b, 0);
    // one piece more or less
    for (const n of shares) assert.ok(Math.abs(n - total / 4) <= 2 * 65_536, `${shares}`);
    for (const { socket } of clients) socket.destroy();
    await server.close();
  });
});
