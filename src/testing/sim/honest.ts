/**
 * What honest clients have in common: dialling, and what excuses a failure.
 *
 * @module
 */

import type { Connection } from "../../connection.ts";
import { TransportError } from "../../errors.ts";
import type { Draw } from "./draw.ts";
import { planClient } from "./plan.ts";
import type { Known, Subject, World } from "./world.ts";

/** One honest client: a transport of its own, at an address of its own. */
export class Client {
  readonly world: World;
  readonly draw: Draw;
  readonly name: string;
  readonly host: string;
  readonly subject: Subject;

  /** @param n Its number, which makes its address. */
  constructor(world: World, draw: Draw, n: number) {
    this.world = world;
    this.draw = draw;
    this.name = `client${n}`;
    this.host = `10.0.1.${n}`;
    world.honest(this.host);
    this.subject = world.transport(this.name, planClient(draw), this.host);
  }

  /** Connects to the server, or gives up after being turned away a few times. */
  async dial(address: string): Promise<Connection | undefined> {
    const { world, draw } = this;
    for (let i = 0; i < 3 && !world.ending; i++) {
      const connection = await world.work(
        `${this.name} dials`,
        () => this.subject.transport.dial(address),
        () => this.excused(world.lastOf(this.host)),
      );
      if (connection !== undefined) return connection;
      await world.sleep(draw.between(1, 400));
    }
    return undefined;
  }

  /** What is known of a connection. */
  known(connection: Connection): Known | undefined {
    return this.world.known(connection.info.local?.port);
  }

  /** Whether work on a connection may fail. */
  excused(known: Known | undefined): boolean {
    if (this.world.ending || known === undefined || known.faulty || known.refused) return true;
    // Its handshake gave room to others, when all slots were taken.
    const error = known.serverClosed?.reason.error;
    return error?.op === "handshake" && error.kind === "timeout" &&
      known.serverClosed?.info.openedAfterMs === undefined;
  }

  /** Ends the transport, one way or another. */
  async end(): Promise<void> {
    const { draw, subject: { transport } } = this;
    if (draw.chance(0.5)) await transport.close();
    else await transport.drain(draw.pick([0, 50, 3_000]));
  }
}

/** Whether an error is one of ours, of this kind. */
export function isKind(error: unknown, kind: string): boolean {
  return TransportError.is(error) && error.kind === kind;
}
