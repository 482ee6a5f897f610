/**
 * One simulated run: the clock, the network, the server, and what is known of each connection.
 *
 * @module
 */

import type { ConnectionTable } from "../../connection_table.ts";
import { TransportError } from "../../errors.ts";
import { ByteBudget } from "../../limits/byte_budget.ts";
import type { ConnectionClosed } from "../../options.ts";
import { Transport } from "../../transport.ts";
import type { TransportConfig } from "../../config/config.ts";
import { turns } from "../drive.ts";
import { ManualClock } from "../manual_clock.ts";
import { MemoryNetwork } from "../memory_network.ts";
import type { MemoryWire } from "../memory_wire.ts";
import { CountedClock } from "./counted_clock.ts";
import { Draw } from "./draw.ts";
import { SimulationFailure } from "./failure.ts";
import { type NetworkPlan, planFault, planHiccup, planNetwork } from "./plan.ts";
import { Readings } from "./readings.ts";
import { Trace } from "./trace.ts";
import { WatchedRuntime } from "./watch.ts";

/** Virtual milliseconds after which honest work that has not ended is stuck. */
const STUCK_MS = 400_000;

/** What is known of one connection, by the port it was dialled from. */
export interface Known {
  readonly wire: MemoryWire;
  /** Whether the network, or the client itself, will break it. */
  faulty: boolean;
  /** Whether the server turned it away. */
  refused: boolean;
  /** Why the server's end closed. */
  serverClosed: ConnectionClosed | undefined;
}

/** A transport, and what the run knows of it. */
export interface Subject {
  readonly name: string;
  readonly transport: Transport;
  readonly table: ConnectionTable;
  readonly runtime: WatchedRuntime;
  readonly budget: ByteBudget;
  readonly readings: Readings;
  readonly clock: CountedClock;
}

interface Op {
  readonly name: string;
  readonly since: number;
}

/** See the module. */
export class World {
  readonly seed: number;
  readonly draw: Draw;
  readonly clock: ManualClock = new ManualClock();
  readonly trace: Trace;
  readonly network: MemoryNetwork;
  readonly plan: NetworkPlan;
  readonly subjects: Subject[] = [];
  /** Work of honest clients that succeeded, for the report. */
  done = 0;
  /** Bytes that the server's applications were given. */
  delivered = 0;
  /** When the last socket was closed, once all have ended. */
  quietSince: number | undefined;
  /** Whether the server has begun to end: then honest work may fail. */
  ending = false;
  /** Whether peers hold so much memory that a large honest frame may have to give up. */
  readonly heavy: boolean;
  /** Whether so many are in their handshake that not all of them can be. */
  readonly crowded: boolean;
  readonly #known = new Map<number, Known>();
  readonly #ops = new Set<Op>();
  readonly #faults: Draw;
  /** What hostile peers take for their handshakes, at most. */
  readonly #handshakeMs: number;
  readonly #honest = new Set<string>();
  #failure: SimulationFailure | undefined;

  /** @param seed Decides everything. @param onEvent Told of each event. */
  constructor(seed: number, onEvent?: (line: string) => void) {
    this.seed = seed;
    this.draw = new Draw(seed);
    this.trace = new Trace(() => this.clock.now(), onEvent);
    this.heavy = this.draw.chance(0.06);
    this.crowded = this.draw.chance(0.04);
    this.plan = planNetwork(this.draw.fork(), this.heavy);
    this.#faults = this.draw.fork();
    this.#handshakeMs = this.crowded ? 4_000 : this.draw.pick([40, 40, 1_000]);
    this.network = new MemoryNetwork({
      seed: this.draw.int(1, 1e9),
      time: this.clock,
      latencyMs: this.plan.latencyMs,
      maxReceive: this.plan.maxReceive,
      vary: true,
      onWire: (wire) => this.#join(wire),
    });
  }

  /** Makes a transport whose every socket, event and counter is watched. */
  transport(name: string, config: TransportConfig, host: string, budgetBytes?: number): Subject {
    const runtime = new WatchedRuntime(this, this.network.host(host), name);
    const budget = new ByteBudget(budgetBytes);
    const readings = new Readings(this, name);
    const clock = new CountedClock(this.clock);
    const transport = new Transport(config, {
      clock,
      runtime,
      budget,
      onReadiness: (transition) => readings.moved(transition),
      onConnectionClosed: (event) => {
        readings.closed(event);
        const { info } = event;
        if (info.role !== "listener" || info.remote === undefined) return;
        const known = this.#known.get(info.remote.port);
        if (known !== undefined) known.serverClosed = event;
      },
    });
    const table = transport.inspect();
    const subject = { name, transport, table, runtime, budget, readings, clock };
    this.subjects.push(subject);
    return subject;
  }

  /** Connections from this address are those of an honest client: most of them must work. */
  honest(host: string): void {
    this.#honest.add(host);
  }

  /** What is known of the connection that was dialled from this port. */
  known(port: number | undefined): Known | undefined {
    return port === undefined ? undefined : this.#known.get(port);
  }

  /** What is known of the last connection that a host made. */
  lastOf(host: string): Known | undefined {
    let last: Known | undefined;
    for (const known of this.#known.values()) if (known.wire.from.hostname === host) last = known;
    return last;
  }

  /** The server turned a connection away. */
  refused(port: number | undefined): void {
    const known = this.known(port);
    if (known !== undefined) known.refused = true;
    this.trace.add("server", `refuses ${port}`);
  }

  /** Waits in virtual time. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(ms, resolve));
  }

  /** Later, in virtual time. */
  after(ms: number, event: () => void): void {
    this.clock.after(ms, event);
  }

  /**
   * Honest work that must end, and must succeed unless `excuse` finds a reason.
   *
   * @returns What it gave, or `undefined` when it failed and was excused.
   */
  async work<T>(
    name: string,
    run: () => Promise<T>,
    excuse: (error: unknown) => boolean,
  ): Promise<T | undefined> {
    const op: Op = { name, since: this.clock.now() };
    this.#ops.add(op);
    this.trace.add(name, "begins");
    try {
      const result = await run();
      this.done++;
      return result;
    } catch (error) {
      const text = error instanceof Error ? `${kindOf(error)}: ${error.message}` : String(error);
      this.trace.add(name, `failed, ${text}`);
      if (!excuse(error)) this.fail("honest work succeeds", `${name} failed with ${text}`);
      return undefined;
    } finally {
      this.#ops.delete(op);
    }
  }

  /** An invariant is broken. The first one counts; it is thrown after the step that broke it. */
  fail(invariant: string, detail: string): void {
    this.#failure ??= new SimulationFailure(this.seed, invariant, detail, this.trace.last);
  }

  /** Runs one event and what follows of it. Returns `false` when nothing is left to happen. */
  async step(): Promise<boolean> {
    const more = this.clock.step();
    await turns();
    if (!more) return false;
    for (const op of this.#ops) {
      const waited = this.clock.now() - op.since;
      if (waited > STUCK_MS) this.fail("no deadlock", `${op.name} waits for ${waited} ms`);
      break; // the oldest one: they are in order
    }
    this.judge();
    return true;
  }

  /** Throws what was found broken. */
  judge(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Nothing will happen any more: nobody may wait. */
  rest(): void {
    for (const op of this.#ops) {
      this.fail("no deadlock", `${op.name} waits, and nothing will happen any more`);
    }
    this.judge();
  }

  #join(wire: MemoryWire): void {
    const draw = this.#faults.fork();
    const honest = this.#honest.has(wire.from.hostname);
    const known: Known = { wire, faulty: false, refused: false, serverClosed: undefined };
    this.#known.set(wire.from.port, known);
    const after = (ms: number, event: () => void): void => this.after(ms, event);
    wire.handshakeMs = draw.between(0, honest ? 40 : this.#handshakeMs);
    wire.greeted = draw.chance(0.5);
    let what = "clean";
    if (draw.chance(honest ? 0.3 : 0.2)) {
      known.faulty = true;
      what = planFault(draw, wire, after);
    } else if (honest) planHiccup(draw, wire, after);
    this.trace.add("network", `${wire.from.hostname}:${wire.from.port} connects, ${what}`);
  }
}

function kindOf(error: Error): string {
  return TransportError.is(error) ? `${error.kind} (${error.op})` : error.name;
}
