/**
 * Servers under good, slow and hostile clients, and what exactly these did.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type Connection, type Listener, Transport } from "../../mod.ts";
import { FLAGS, framed, type FramedConnection } from "../../src/oap/mod.ts";
import { throwAwayCertificate } from "../../src/testing/mod.ts";

/** What a series must have moved by, by its name and labels. */
export type Expected = Readonly<Record<string, number>>;

/** What the servers and the client must have counted. */
export interface Moves {
  readonly server: Expected;
  readonly client: Expected;
}

function sumOf(a: Moves, b: Moves): Moves {
  const add = (one: Expected, two: Expected): Expected =>
    Object.fromEntries(Object.entries(one).map(([name, n]) => [name, n + (two[name] ?? 0)]));
  return { server: add(a.server, b.server), client: add(a.client, b.client) };
}

const HEAD = { code: 0, appProtoId: 7, tenantId: 0n };
const SLOTS = 12;

/** Servers and a client, over TCP and TLS. */
export class MixedLoad implements AsyncDisposable {
  readonly tcp: Transport = new Transport({
    max_conns: SLOTS,
    per_peer: { max_conns: 0 },
    read_timeout: "400ms",
  });
  readonly tls: Transport = new Transport({
    backend: "tls",
    tls: { enabled: true },
    handshake_timeout: "400ms",
  });
  readonly paced: Transport = new Transport({ rates: { per_conn_bytes_per_sec: 100_000 } });
  readonly rated: Transport = new Transport({ rates: { accepts_per_sec: 5 } });
  readonly client: Transport = new Transport();
  #listeners: Listener[] = [];
  #cert = "";

  /** Starts the servers. */
  async start(): Promise<void> {
    const material = await throwAwayCertificate();
    this.#cert = material.cert;
    const onConnection = echo;
    const address = "tcp://127.0.0.1:0";
    this.#listeners = [
      await this.tcp.listen({ address, onConnection }),
      await this.tls.listen({ address: "tls://127.0.0.1:0", tls: () => material, onConnection }),
      await this.paced.listen({ address, onConnection }),
      await this.rated.listen({ address, onConnection }),
    ];
  }

  /**
   * Runs all clients, again and again until so many seconds are over, and once at least.
   *
   * @returns What the servers and the client must have counted.
   */
  async run(seconds: number = 0): Promise<Moves> {
    const end = performance.now() + seconds * 1_000;
    let moves = await this.#round();
    while (performance.now() < end) moves = sumOf(moves, await this.#round());
    return moves;
  }

  async #round(): Promise<Moves> {
    await this.#good();
    await this.#slow();
    await this.#hostile();
    const { taken, refused } = await this.#flood();
    return {
      client: {
        'transport_dials_total{backend="tcp",result="ok"}': 5 + 1 + 1,
        'transport_dials_total{backend="tls",result="ok"}': 3,
        'transport_dials_total{backend="tcp",result="err"}': 1,
        'transport_accepts_total{backend="tcp"}': 0,
        'handshake_latency_seconds_count{backend="tls"}': 3,
        "io_chunk_bytes_count": 4 + 4,
        "io_chunk_bytes_sum": 200_000 + 200_000,
        'oap_frames_total{kind="DATA"}': 5 * 100 + 3 * 20,
      },
      server: {
        // good, stream, paced, slow (2), nonsense (3), oversize (2), reset (1), and those that fill the slots
        'transport_accepts_total{backend="tcp"}': 5 + 1 + 1 + 2 + 3 + 2 + 1 + SLOTS + taken,
        'transport_accepts_total{backend="tls"}': 3 + 2 + 1,
        'handshake_latency_seconds_count{backend="tls"}': 3,
        'handshake_latency_seconds_count{backend="tcp"}': 5 + 1 + 1 + 2 + 3 + 2 + 1 + SLOTS + taken,
        'rejected_total{reason="peer_limit"}': 4,
        'rejected_total{reason="too_large"}': 2,
        'rejected_total{reason="timeout"}': 2 + 1,
        'rejected_total{reason="tls"}': 2,
        'rejected_total{reason="rate_limited"}': refused,
        'tls_handshake_failures_total{backend="tls"}': 2,
        'io_timeouts_total{op="read"}': 2,
        'io_timeouts_total{op="handshake"}': 1,
        "io_closed_total": 1,
        'oap_rejects_total{reason="frame_oversize"}': 2,
        'oap_rejects_total{reason="header_malformed"}': 3,
        'oap_rejects_total{reason="truncated"}': 0,
        'oap_frames_total{kind="DATA"}': 5 * 100 + 3 * 20 + 2 * 2,
        'oap_frames_total{kind="START"}': 2,
        'oap_frames_total{kind="END"}': 2,
        "oap_frame_bytes": 5 * 100 * 50 + 3 * 20 * 1_000 + 2 * 200_000,
        "oap_read_frame_seconds_count": 5 * 100 + 3 * 20 + 2 * 4,
        'pq_handshake_total{result="fail"}': 2,
        'bytes_in_total{backend="tls"}': 3 * 20 * 1_038,
        'bytes_out_total{backend="tls"}': 3 * 20 * 1_038,
        'io_read_size_bytes_sum{backend="tls"}': 3 * 20 * 1_038,
        "conn_inflight": 0,
        "oap_inflight_frames": 0,
        'tasks_spawned_total{kind="reader"}': 15 + SLOTS + 3 + taken,
      },
    };
  }

  async #good(): Promise<void> {
    const [tcp, tls, paced] = this.#listeners as [Listener, Listener, Listener];
    const asks = async (peer: FramedConnection, n: number, bytes: number): Promise<void> => {
      for (let i = 1; i <= n; i++) {
        const corrId = BigInt(i);
        await peer.request({ ...HEAD, flags: FLAGS.REQ, corrId, payload: new Uint8Array(bytes) });
      }
      await peer.close();
    };
    const secure = { tls: { ca: this.#cert, serverName: "localhost" } };
    for (let i = 0; i < 5; i++) await asks(framed(await this.client.dial(tcp.address)), 100, 50);
    for (let i = 0; i < 3; i++) {
      await asks(framed(await this.client.dial(tls.address, secure)), 20, 1_000);
    }
    const sender = framed(await this.client.dial(tcp.address));
    await sender.sendStream(new Uint8Array(200_000), { ...HEAD, flags: FLAGS.EVENT, corrId: 1n });
    await sender.close();
    const eager = framed(await this.client.dial(paced.address));
    const body = new Uint8Array(200_000);
    await eager.sendStream(body, { ...HEAD, flags: FLAGS.EVENT, corrId: 1n });
    await eager.close();
  }

  /** Half a header and then nothing; a TLS client that says nothing. */
  async #slow(): Promise<void> {
    const [tcp, tls] = this.#listeners as [Listener, Listener];
    await Promise.all([
      untilClosed(await plain(tcp), (socket) => socket.write(new Uint8Array(20))),
      untilClosed(await plain(tcp), (socket) => socket.write(new Uint8Array([0, 0]))),
      untilClosed(await plain(tls), () => {}),
    ]);
  }

  /** Forty connections at once where five a second may come: what these see of it. */
  async #flood(): Promise<{ readonly taken: number; readonly refused: number }> {
    const judged = (): number => {
      const { accepts, rejected } = this.rated.counters();
      return accepts + rejected.rate_limited;
    };
    const before = judged();
    const sockets = await Promise.all(Array.from({ length: 40 }, () => plain(this.#listeners[3]!)));
    const ends = sockets.map((socket) => new Promise((done) => socket.once("close", done)));
    for (const socket of sockets) socket.resume();
    await until(() => judged() - before === sockets.length);
    await delay(200);
    const open = sockets.filter((socket) => !socket.destroyed);
    for (const socket of open) socket.end();
    await Promise.all(ends);
    await until(() => this.rated.counters().inflight === 0);
    if (open.length === 0 || open.length === sockets.length) throw new Error("no rate was kept");
    return { taken: open.length, refused: sockets.length - open.length };
  }

  async #hostile(): Promise<void> {
    const [tcp, tls] = this.#listeners as [Listener, Listener];
    const nonsense = new Uint8Array(64).fill(255);
    nonsense.set([0, 0, 0, 64, 0, 1]); // a fair length and version, flags that do not exist
    const large = new Uint8Array(38);
    large.set([0, 32, 0, 0, 0, 1, 0, FLAGS.EVENT, 0, 0, 0, 7]); // 2 MiB
    for (const bytes of [nonsense, nonsense, nonsense, large, large]) {
      await untilClosed(await plain(tcp), (socket) => socket.write(bytes));
    }
    for (let i = 0; i < 2; i++) {
      await untilClosed(await plain(tls), (socket) => socket.write("GET / HTTP/1.1\r\n\r\n"));
    }
    const { ioClosed } = this.tcp.counters();
    await reset(tcp);
    await until(() => this.tcp.counters().ioClosed === ioClosed + 1);
    // Nothing listens on the port of a listener that is gone.
    const gone = await this.paced.listen({ address: "tcp://127.0.0.1:0" });
    const nowhere = gone.address;
    await gone.close();
    await this.client.dial(nowhere).then(() => {}, () => {});
    const all: Socket[] = [];
    for (let i = 0; i < SLOTS; i++) all.push(await plain(tcp));
    await until(() => this.tcp.counters().inflight === SLOTS);
    for (let i = 0; i < 4; i++) await untilClosed(await plain(tcp), () => {});
    for (const socket of all) socket.end();
    await until(() => this.tcp.counters().inflight === 0);
    await until(() => this.tls.counters().inflight === 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.client, this.tcp, this.tls, this.paced, this.rated].map((transport) =>
        transport.close()
      ),
    );
  }
}

async function echo(connection: Connection): Promise<void> {
  const peer = framed(connection);
  peer.onBatch((batch) =>
    batch.forEach((frame) => {
      if ((frame.flags & FLAGS.REQ) === 0) return;
      peer.trySend({ ...frame.toFrame(), flags: FLAGS.RESP, code: 200 });
    })
  );
  await peer.closed;
}

async function plain({ address }: Listener): Promise<Socket> {
  const socket = connect(address.port!, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise<void>((done, fail) => {
    socket.once("connect", done);
    socket.once("error", fail);
  });
  return socket;
}

async function untilClosed(socket: Socket, act: (socket: Socket) => void): Promise<void> {
  const closed = new Promise<void>((done) => socket.once("close", () => done()));
  socket.resume();
  act(socket);
  await closed;
}

async function reset(listener: Listener): Promise<void> {
  const socket = await plain(listener);
  await delay(50);
  const closed = new Promise<void>((done) => socket.once("close", () => done()));
  socket.resetAndDestroy();
  await closed;
}

async function until(met: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000 && !met(); i++) await delay(10);
  if (!met()) throw new Error(`not in 20 s: ${met}`);
}
