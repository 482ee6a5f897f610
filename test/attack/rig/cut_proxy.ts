/**
 * A proxy that forwards so many bytes of one direction and then cuts: by RST, or by FIN.
 *
 * @module
 */

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Where to cut. */
export interface Cut {
  /** `up`: bytes of the client; `down`: bytes of the server. */
  readonly direction: "up" | "down";
  readonly offset: number;
  /** A reset in both directions, or an end towards the receiver with the other way left open. */
  readonly how: "rst" | "fin";
}

/** See the module. */
export class CutProxy {
  /** Bytes of the longest session, by direction. */
  readonly longest: { up: number; down: number } = { up: 0, down: 0 };
  readonly #target: number;
  readonly #server: Server;
  readonly #cuts: Cut[] = [];

  /** @param target The port to forward to. */
  constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#forward(socket, this.#cuts.shift());
    });
  }

  /** Listens, and resolves to the port. */
  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Cuts the next connections, in this order; further ones are let through. */
  plan(cuts: readonly Cut[]): void {
    this.#cuts.push(...cuts);
  }

  #forward(client: Socket, cut: Cut | undefined): void {
    const server = connect({
      port: this.#target,
      host: "127.0.0.1",
      allowHalfOpen: true,
      noDelay: true,
    });
    const both = [client, server];
    for (const socket of both) {
      socket.on("error", () => {});
      socket.on("close", () => {
        for (const other of both) if (other.destroyed === false) other.resetAndDestroy();
      });
    }
    this.#copy(client, server, "up", cut);
    this.#copy(server, client, "down", cut);
  }

  #copy(from: Socket, to: Socket, direction: "up" | "down", cut: Cut | undefined): void {
    let sent = 0;
    const mine = cut?.direction === direction ? cut : undefined;
    const end = (): void => {
      if (mine?.how === "rst") {
        // The bytes before it are to arrive, so it waits a moment for them.
        setTimeout(() => {
          to.resetAndDestroy();
          from.resetAndDestroy();
        }, 1);
      } else to.end();
    };
    if (mine?.offset === 0) end();
    from.on("data", (bytes: Uint8Array) => {
      const room = mine === undefined ? bytes.length : Math.max(0, mine.offset - sent);
      if (room > 0 && to.writable) to.write(bytes.subarray(0, room));
      sent += bytes.length;
      this.longest[direction] = Math.max(this.longest[direction], sent);
      if (mine !== undefined && room > 0 && sent >= mine.offset) end();
    });
    from.on("end", () => {
      if (mine === undefined || sent < mine.offset) to.end();
    });
  }
}
