/**
 * Peers that mean no good, on plain sockets.
 *
 * @module
 */

import type { Socket, SocketHandler } from "../../runtime/runtime.ts";
import { encodeFrame } from "../../oap/encoder.ts";
import { FLAGS } from "../../oap/frame.ts";
import type { Draw } from "./draw.ts";
import { fill } from "./pattern.ts";
import { APPS, numbered } from "./protocol.ts";
import type { World } from "./world.ts";

/** A socket that does as it is told. */
class Puppet implements SocketHandler {
  readonly receiveBytes = 65_536;
  readonly #waiting: Uint8Array[] = [];
  readonly #opened: Promise<void>;
  #open: () => void = () => {};
  #socket: Socket | undefined;
  closed = false;
  reads = true;

  constructor() {
    this.#opened = new Promise((resolve) => this.#open = resolve);
  }

  /** Resolves when it is open, or will never be. */
  get opened(): Promise<void> {
    return this.#opened;
  }

  onOpen(socket: Socket): void {
    this.#socket = socket;
    if (!this.reads) socket.pause();
    this.#open();
  }

  onBytes(): boolean {
    return this.reads;
  }

  onWritten(): void {}

  onDrain(): void {
    this.#flush();
  }

  onEnd(): void {}

  onClose(): void {
    this.closed = true;
    this.#waiting.length = 0;
    this.#open();
  }

  send(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#flush();
  }

  fin(): void {
    this.#socket?.shutdown();
  }

  rst(): void {
    this.#waiting.length = 0;
    this.#socket?.destroy();
  }

  read(on: boolean): void {
    this.reads = on;
    if (on) this.#socket?.resume();
    else this.#socket?.pause();
  }

  #flush(): void {
    while (this.#waiting.length > 0 && !this.closed && this.#socket !== undefined) {
      const first = this.#waiting[0]!;
      const n = this.#socket.write(first);
      if (n === first.length) this.#waiting.shift();
      else {
        this.#waiting[0] = first.subarray(n);
        return;
      }
    }
  }
}

/** What is done with one connection. */
type Attack = (puppet: Puppet, draw: Draw, world: World) => Promise<void> | void;

const ATTACKS: Readonly<Record<string, Attack>> = {
  "oversize header": (puppet, draw) => {
    const bytes = frame(draw, 10);
    new DataView(bytes.buffer).setUint32(
      0,
      draw.pick([0, 37, 1_048_577, 0x7fff_ffff, 0xffff_ffff]),
    );
    puppet.send(bytes.subarray(0, 38));
  },
  "stalled frame": (puppet, draw, world) => {
    const bytes = frame(draw, world.heavy ? draw.int(200_000, 900_000) : draw.size(100, 60_000));
    const most = Math.min(bytes.length - 1, draw.pick([100, 70_000, 1_000_000]));
    puppet.send(bytes.subarray(0, draw.int(1, most)));
  },
  "drip": async (puppet, draw, world) => {
    const bytes = frame(draw, 200);
    const ms = draw.between(20, 300);
    for (let i = 0; i < 60 && !puppet.closed && !world.ending; i++) {
      puppet.send(bytes.subarray(i, i + 1));
      await world.sleep(ms);
    }
  },
  "cut anywhere": async (puppet, draw, world) => {
    for (let i = draw.int(0, 4); i > 0; i--) puppet.send(frame(draw, draw.size(0, 5_000)));
    const last = frame(draw, draw.size(0, 5_000));
    puppet.send(last.subarray(0, draw.int(0, last.length)));
    await world.sleep(draw.pick([0, 1, 20, 300]));
    if (draw.chance(0.5)) puppet.fin();
    else puppet.rst();
  },
  "never reads": async (puppet, draw, world) => {
    puppet.read(false);
    const bytes = draw.pick([100, 3_000, 16_000]);
    for (let i = 0; i < draw.pick([30, 120]) && !puppet.closed; i++) {
      puppet.send(encodeFrame(numbered(APPS.echo, 5, i, bytes)));
    }
    if (draw.chance(0.6)) return;
    await world.sleep(draw.between(0, 3_000));
    puppet.read(true);
  },
  "corr_id flood": (puppet, draw) => {
    const n = draw.int(65, 250);
    for (let i = 0; i < n; i++) puppet.send(encodeFrame(numbered(APPS.never, 5, i, 0)));
  },
  "streams without end": (puppet, draw) => {
    for (let i = 0; i < draw.int(10, 100); i++) {
      puppet.send(encodeFrame({
        flags: FLAGS.REQ | FLAGS.START,
        code: 0,
        appProtoId: APPS.junk,
        tenantId: 0n,
        corrId: BigInt(i),
        payload: new Uint8Array(draw.size(0, 100)),
      }));
    }
  },
  "garbage": (puppet, draw) => {
    puppet.send(fill(new Uint8Array(draw.size(1, 2_000)), draw.int(0, 1_000), 0));
  },
  "silence": () => {},
  "half-close": (puppet) => puppet.fin(),
};

/** A crowd of hostile peers; {@linkcode Crowd.stop} ends them. */
export class Crowd {
  readonly #world: World;
  readonly #draw: Draw;
  readonly #puppets: Puppet[] = [];
  #addresses = 0;
  #stopped = false;

  /** @param draw Decides what they do. */
  constructor(world: World, draw: Draw) {
    this.#world = world;
    this.#draw = draw;
  }

  /** Sets them loose, spread over some seconds. */
  start(): void {
    const { draw, world } = { draw: this.#draw, world: this.#world };
    for (let i = draw.int(0, 7); i > 0; i--) {
      const [name, attack] = draw.pick(Object.entries(ATTACKS));
      const own = draw.fork();
      world.after(own.between(0, 2_000), () => this.#attack(name, attack, own));
    }
    if (world.crowded || draw.chance(0.15)) {
      this.#flood(draw.fork(), /silence|half|cut|header/);
    }
    // Each of them asks for the memory of a large frame, and sends little of it.
    if (world.heavy) this.#flood(draw.fork(), /stalled/);
  }

  /** All of them go away, without a word. */
  stop(): void {
    this.#stopped = true;
    for (const puppet of this.#puppets) puppet.rst();
  }

  #attack(name: string, attack: Attack, draw: Draw): void {
    const again = draw.pick([1, 1, 1, 2, 4]);
    const host = this.#address(draw);
    for (let i = 0; i < again; i++) this.#connect(host, name, attack, draw.fork());
  }

  /** Many connections in a short time, from many addresses or from one. */
  #flood(draw: Draw, which: RegExp): void {
    const { crowded } = this.#world;
    const n = crowded ? 90 : draw.pick([10, 30, 90]);
    const one = !crowded && draw.chance(0.3) ? this.#address(draw) : undefined;
    const ms = draw.pick([1, 50, crowded ? 200 : 1_000]);
    const at = draw.between(0, 1_000);
    const [name, attack] = draw.pick(
      Object.entries(ATTACKS).filter(([name]) => which.test(name)),
    );
    for (let i = 0; i < n; i++) {
      const own = draw.fork();
      this.#world.after(
        at + own.between(0, ms),
        () => this.#connect(one ?? this.#address(own), `flood, ${name}`, attack, own),
      );
    }
  }

  #address(draw: Draw): string {
    if (draw.chance(0.2)) return "10.66.0.1";
    const n = ++this.#addresses;
    return draw.chance(0.2) ? `2001:db8:0:${n.toString(16)}::1` : `10.66.${n >> 8}.${n & 255}`;
  }

  #connect(host: string, name: string, attack: Attack, draw: Draw): void {
    if (this.#stopped) return;
    const world = this.#world;
    world.trace.add(host, name);
    const puppet = new Puppet();
    this.#puppets.push(puppet);
    const port = draw.chance(0.8) ? 1 : 2;
    const act = async (): Promise<void> => {
      await world.network.host(host).connect({ hostname: "10.0.0.1", port }, undefined, puppet);
      await puppet.opened;
      if (puppet.closed || this.#stopped) return puppet.rst();
      await attack(puppet, draw, world);
      if (draw.chance(0.3)) world.after(draw.between(0, 5_000), () => puppet.rst());
    };
    void act();
  }
}

function frame(draw: Draw, bytes: number): Uint8Array {
  return encodeFrame({
    flags: FLAGS.REQ | FLAGS.START | FLAGS.END,
    code: 0,
    appProtoId: APPS.junk,
    tenantId: 0n,
    corrId: BigInt(draw.int(0, 1_000_000)),
    payload: new Uint8Array(bytes),
  });
}
