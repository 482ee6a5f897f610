/** I-G2, I-G5: the table of connections: who is in it, what is counted of each, and what refusals say. */
import assert from "node:assert/strict";
import type { Address } from "../../../src/address.ts";
import { parseConfig } from "../../../src/config/schema.ts";
import type { TransportConfig } from "../../../src/config/config.ts";
import { ConnectionTable } from "../../../src/connection_table.ts";
import { TransportError } from "../../../src/errors.ts";
import { ByteBudget } from "../../../src/limits/byte_budget.ts";
import type { Link, LinkEvents } from "../../../src/link.ts";
import type { LogRecord } from "../../../src/log/record.ts";
import type { ConnectionClosed } from "../../../src/options.ts";
import { RawSink } from "../../../src/raw_sink.ts";
import type { PendingSocket, Socket, SocketInfo } from "../../../src/runtime/runtime.ts";
import { ManualClock } from "../../../src/testing/mod.ts";
import { describe, it } from "../../harness.ts";

const ADDRESS: Address = { transport: "tcp", hostname: "10.0.0.1", port: 1 };
const NAMED: Address = { ...ADDRESS, hostname: "example.org" };

function rig(config: TransportConfig = {}, level: "debug" | "info" | "error" = "debug") {
  const parsed = parseConfig({ ...config, log: { level } });
  const clock = new ManualClock();
  const log: LogRecord[] = [];
  const closed: ConnectionClosed[] = [];
  const events: string[] = [];
  const table = new ConnectionTable(
    () => parsed,
    clock,
    new ByteBudget(),
    (record) => log.push(record),
    (event) => closed.push(event),
  );
  const told: LinkEvents = {
    onOpen: (link) => {
      link.use(new RawSink(link));
      events.push(`open ${link.info.id}`);
    },
    onClosed: (link, { kind }) => void events.push(`closed ${link.info.id} ${kind}`),
  };
  return { table, clock, log, closed, events, told };
}

/** A socket that takes every byte, and closes when it is destroyed. */
function socketOf(link: Link, info: SocketInfo = {}): Socket {
  return {
    info,
    lends: false,
    write: (bytes) => bytes.length,
    cork() {},
    uncork() {},
    shutdown() {},
    destroy: () => link.onClose(undefined),
    pause() {},
    resume() {},
  };
}

function pending(hostname: string): PendingSocket {
  return { remote: { hostname, port: 9 }, destroy() {} };
}

describe("the table of connections", () => {
  it("gives numbers to connections, and counts those that hold a slot until their socket is closed", () => {
    const { table, clock, told, events, closed } = rig();
    clock.advance(5_000); // times are counted from its own start
    const tcp = table.counters.of("tcp");
    const one = table.dialling(ADDRESS, told);
    const two = table.accepting(ADDRESS, pending("10.0.0.2"), told)!;
    assert.deepEqual([one.info.id, two.info.id], ["00000001", "00000002"]);
    assert.deepEqual([one.role, two.role], ["dialer", "listener"]);
    assert.deepEqual([table.inflight, table.links.size, tcp.inflight, tcp.accepts], [2, 2, 2, 1]);
    assert.equal(table.limits.admission.handshakes.used, 1, "of the accepted one");
    clock.advance(250);
    one.onOpen(socketOf(one));
    two.onOpen(socketOf(two));
    assert.equal(table.limits.admission.handshakes.used, 0);
    assert.equal(table.counters.opened, 2);
    const { off } = tcp.handshakes;
    assert.deepEqual([off.count, off.sum], [2, 0.5], "a quarter of a second each");
    clock.advance(750);
    one.onBytes(new Uint8Array(3_000), true);
    two.onBytes(new Uint8Array(1_000), true);
    assert.ok(two.outbox.push(undefined, new Uint8Array(1_000), undefined));
    two.outbox.drained(); // flushes
    one.abort();
    two.abort();
    assert.deepEqual(events, [
      "open 00000001",
      "open 00000002",
      "closed 00000001 aborted",
      "closed 00000002 aborted",
    ]);
    assert.deepEqual([table.inflight, table.links.size, tcp.inflight], [0, 0, 0]);
    assert.deepEqual(
      closed.map(({ durationMs, bytesIn, bytesOut }) => [durationMs, bytesIn, bytesOut]),
      [[1_000, 3_000, 0], [1_000, 1_000, 1_000]],
    );
    const { throughput } = tcp;
    assert.deepEqual([throughput.count, throughput.sum], [2, 5_000], "bytes a second, both ways");
    assert.equal(table.counters.aborted, 2);
    assert.deepEqual([tcp.tlsFailures, clock.pending], [0, 0]);
  });

  it("observes no rate of a connection that was over at once, nor one that never opened", () => {
    const { table, clock, told } = rig();
    const { throughput, handshakes } = table.counters.of("tcp");
    const brief = table.dialling(ADDRESS, told);
    brief.onOpen(socketOf(brief));
    brief.abort();
    assert.equal(throughput.count, 0);
    const short = table.dialling(ADDRESS, told);
    short.onOpen(socketOf(short));
    clock.advance(1);
    short.abort();
    assert.equal(throughput.count, 1, "of a millisecond there is one");
    const never = table.dialling(ADDRESS, told);
    clock.advance(100);
    never.hold({ remote: undefined, destroy: () => never.onClose(undefined) });
    never.abort();
    const silent = table.accepting(ADDRESS, pending("10.0.0.2"), told)!;
    silent.hold({ remote: undefined, destroy: () => silent.onClose(undefined) });
    silent.abort();
    assert.equal(table.limits.admission.handshakes.used, 0, "its place is free");
    assert.deepEqual([throughput.count, handshakes.off.count], [1, 2]);
    assert.equal(table.counters.aborted, 2, "one that never opened aborts nothing");
    assert.equal(table.counters.opened, 2);
    assert.equal(table.inflight, 0);
  });

  it("counts failed handshakes of TLS, by their kind, until a connection is open", () => {
    const { table, told } = rig();
    const tls: Address = { ...ADDRESS, transport: "tls" };
    const traffic = table.counters.of("tls");
    for (let i = 0; i < 2; i++) {
      table.dialling(tls, told).fail(new TransportError("tls", "no", { op: "handshake" }));
    }
    const late = table.dialling(tls, told);
    late.fail(new TransportError("timeout", "late", { op: "dial" }));
    const open = table.dialling(tls, told);
    open.onOpen(socketOf(open));
    open.fail(new TransportError("tls", "a record", { op: "read" }));
    assert.equal(traffic.tlsFailures, 2);
    assert.deepEqual([...table.counters.rejected], [["tls", 3], ["timeout", 1]]);
    assert.equal(table.counters.aborted, 0);
  });

  it("counts as aborted what a drain did not wait for, and nothing else that failed", async () => {
    const { table, clock, told } = rig();
    const links = Array.from({ length: 3 }, () => table.dialling(ADDRESS, told));
    for (const link of links) link.onOpen(socketOf(link));
    links[0]!.fail(new TransportError("timeout", "late", { op: "read" }));
    assert.equal(table.counters.aborted, 0);
    const settled = table.settle(table.links);
    clock.advance(4_999);
    assert.equal(table.links.size, 2);
    clock.advance(1);
    await settled;
    assert.equal(table.links.size, 0);
    assert.equal(table.counters.aborted, 2);
    assert.deepEqual([...table.counters.timeouts], [["read", 1], ["drain", 2]]);
    assert.equal(clock.pending, 0);
  });

  it("waits for nobody when there are none, and no longer than they take", async () => {
    const { table, clock, told } = rig();
    await table.settle(new Set());
    assert.equal(clock.pending, 0);
    const link = table.dialling(ADDRESS, told);
    link.onOpen(socketOf(link));
    const settled = table.settle(table.links, 60_000);
    await table.abort(table.links);
    await settled;
    assert.equal(clock.pending, 0, "its timer is gone");
    const paused = table.pause(70);
    assert.equal(clock.next, clock.now() + 70);
    clock.advance(70);
    await paused;
  });

  it("has given up all sockets when an abort is done, and told everybody long before", async () => {
    const { table, clock, told, events } = rig();
    const links = Array.from({ length: 100 }, () => table.dialling(ADDRESS, told));
    assert.equal(links[16]!.info.id, "00000011", "a hexadecimal number");
    for (const link of links) link.onOpen(socketOf(link));
    let done = false;
    const aborted = table.abort(table.links).then(() => done = true);
    assert.equal(events.length, 200);
    assert.equal(table.inflight, 36, "sockets are given up a few at a time");
    await Promise.resolve().then(() => {}).then(() => {});
    assert.equal(done, false);
    clock.advance(1);
    await aborted;
    assert.equal(table.inflight, 0);
  });

  it("counts what a connection holds towards the peer that it reached", () => {
    const { table, clock, told } = rig();
    const link = table.dialling(NAMED, told);
    link.onOpen(socketOf(link, { remote: { hostname: "10.0.0.7", port: 1 } }));
    assert.ok(link.reserve(100_000, () => {}));
    assert.equal(table.limits.admission.peers.get("10.0.0.7", clock.now())!.held, 100_000);
    link.abort();
  });

  it("gives one thing of a kind to all that ask for it", () => {
    const { table } = rig();
    const [key, other] = [Symbol("a"), Symbol("b")];
    const first = table.shared(key, () => ({ n: 1 }));
    assert.equal(table.shared(key, () => ({ n: 2 })), first);
    assert.notEqual(table.shared(other, () => ({ n: 3 })), first);
  });

  it("has inboxes of 256 items and four frames, and handshake slots by its size", () => {
    assert.deepEqual([rig().table.inbox.items, rig().table.inbox.bytes], [256, 4_194_304]);
    assert.equal(rig({ max_conns: 1_024 }).table.handshakeSlots, 256);
    assert.equal(rig({ max_conns: 10 }).table.handshakeSlots, 64);
  });
});

describe("refusals", () => {
  it("of dials say which limit, as an error of the dial, and count once", () => {
    const { table, told } = rig({ max_conns: 2, per_peer: { max_conns: 1 } });
    table.dialling(ADDRESS, told);
    const refused = (address: Address): TransportError => {
      try {
        table.dialling(address, told);
      } catch (error) {
        assert.ok(TransportError.is(error));
        return error;
      }
      assert.fail("it was let in");
    };
    const error = refused(ADDRESS);
    assert.deepEqual([error.kind, error.op], ["peer_limit", "dial"]);
    assert.match(error.message, /All 2 connections .* this peer's 1 /);
    table.dialling(NAMED, told);
    assert.equal(refused(NAMED).kind, "peer_limit");
    assert.deepEqual([...table.counters.rejected], [["peer_limit", 2]]);
    assert.equal(table.links.size, 2);
  });

  it("of a dial by name come when the peer is known", () => {
    const { table, told, events } = rig({ per_peer: { max_conns: 1 } });
    table.dialling(ADDRESS, told);
    const named = table.dialling(NAMED, told);
    named.onOpen(socketOf(named, { remote: { hostname: "10.0.0.1", port: 1 } }));
    assert.deepEqual(events, ["closed 00000002 peer_limit"]);
    assert.equal(table.counters.opened, 0);
    assert.equal(table.counters.of("tcp").handshakes.off.count, 0);
    assert.deepEqual([table.inflight, [...table.counters.rejected]], [1, [["peer_limit", 1]]]);
  });

  it("of a table of peers that is full ask to come again", () => {
    const { table, told, clock } = rig({
      max_conns: 1,
      rates: { per_peer_accepts_per_sec: 1_000 },
    });
    const { peers } = table.limits.admission;
    for (let i = 0; i < 1_025; i++) {
      const peer = peers.get(`peer ${i}`, clock.now())!;
      peer.accepts.tryConsume(1, clock.now());
      peers.settle(`peer ${i}`, peer, clock.now());
    }
    assert.throws(
      () => table.dialling(ADDRESS, told),
      (error) =>
        TransportError.is(error) && error.kind === "rate_limited" &&
        /Too many peers are remembered/.test(error.message),
    );
  });

  it("of accepted sockets are counted and logged with their peer, where that is wanted", () => {
    for (const level of ["info", "error"] as const) {
      const { table, told, log } = rig({ max_conns: 1 }, level);
      assert.ok(table.accepting(ADDRESS, pending("10.0.0.2"), told));
      assert.equal(table.accepting(ADDRESS, pending("10.0.0.3"), told), undefined);
      const bare: PendingSocket = { remote: undefined, destroy() {} };
      assert.equal(table.accepting(ADDRESS, bare, told), undefined);
      assert.deepEqual([...table.counters.rejected], [["peer_limit", 2]]);
      assert.equal(table.counters.of("tcp").accepts, 1);
      const lines = log.map(({ event, reason, peer_addr }) => [event, reason, peer_addr]);
      assert.deepEqual(
        lines,
        level === "info"
          ? [["reject", "peer_limit", "10.0.0.3:9"], ["reject", "peer_limit", undefined]]
          : [],
      );
    }
  });

  it("are not what is logged of a connection that opens and ends", () => {
    const { table, told, log, clock } = rig();
    const link = table.dialling(ADDRESS, told);
    clock.advance(30);
    link.onOpen(socketOf(link));
    link.onBytes(new Uint8Array(5), true);
    assert.ok(link.outbox.push(undefined, new Uint8Array(8), undefined));
    link.outbox.drained(); // flushes
    clock.advance(70);
    link.abort();
    assert.deepEqual(
      log.map(({ event, reason, duration_ms, bytes }) => [event, reason, duration_ms, bytes]),
      [
        ["handshake", undefined, 30, undefined],
        ["dial", undefined, undefined, undefined],
        ["shutdown", "aborted", 100, 13],
      ],
    );
  });
});
