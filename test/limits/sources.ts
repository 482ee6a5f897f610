/**
 * Clients that leave from a loopback address of their own, so that each is a peer of its own.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import type { Address } from "../../mod.ts";

/** Whether the long forms are wanted: five seconds a rate, up to 100 MB/s, a thousand connections. */
export const FULL: boolean = process.env["RON_LIMITS_FULL"] === "1";

/** Whether promised times are judged to the letter, which wants a machine that does nothing else. */
export const EXACT: boolean = process.env["RON_FULL"] === "1";

/** The n-th source address. */
export function source(n: number): string {
  return `127.0.0.${n + 2}`;
}

/** A raw socket, and what it has seen. */
export interface RawClient {
  readonly socket: Socket;
  /** Bytes that came. */
  received: number;
  /** Whether the other end has ended or broken it off. */
  ended: boolean;
}

/** Connects; resolves once it is connected. */
export function dialFrom(address: Address, from: string): Promise<RawClient> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: "127.0.0.1",
      port: address.port!,
      localAddress: from,
      noDelay: true,
      allowHalfOpen: true,
    });
    const client: RawClient = { socket, received: 0, ended: false };
    const ended = (): void => void (client.ended = true);
    socket.on("error", reject); // later ones, such as a reset, show in `ended`
    socket.on("data", (bytes) => client.received += bytes.length);
    socket.on("end", ended);
    socket.on("close", ended);
    socket.once("connect", () => resolve(client));
  });
}

/** Writes as much as the other end takes, until the socket is closed. */
export function flood({ socket }: RawClient, chunk: Uint8Array): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", more);
  more();
}

/** Waits until something holds, and fails with `what` after `ms`. */
export async function until(what: string, holds: () => boolean, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`within ${ms} ms it did not come to: ${what}`);
    await delay(5);
  }
}
