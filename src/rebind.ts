/**
 * A listener that moves to another address, or to other terms at the same one, without a moment in
 * which nobody listens.
 *
 * What is new is bound, or made ready, before anything is let go of; then all listeners change in one
 * synchronous step; then what is old drains.
 *
 * @module
 */

import { type Address, formatAddress } from "./address.ts";
import type { ConfigIssue } from "./config/config.ts";
import { TransportError } from "./errors.ts";
import { listenError } from "./listen_error.ts";
import type { Listener } from "./listener.ts";
import {
  type BoundListener,
  type OnAccept,
  type Runtime,
  type ServerTls,
  UnixSocketError,
} from "./runtime/runtime.ts";

/** What the sockets of a listener are taken under. */
export interface Terms {
  readonly address: Address;
  readonly tls: ServerTls | undefined;
  readonly onAccept: OnAccept;
  readonly onFault: (cause: unknown) => void;
  /** Fetches TLS material again and uses it, for a bound listener. */
  readonly rotate: ((bound: BoundListener) => Promise<void>) | undefined;
}

/** A change that is ready. Exactly one of the two is called. */
export interface Move {
  /** Changes over at once; resolves when what is old has drained, after `ms` at most. */
  commit(ms: number | undefined): Promise<void>;
  /** Gives up what was made ready. */
  undo(): Promise<void>;
}

/**
 * Makes a listener's change ready.
 *
 * @param runtime The sockets.
 * @param listener Which.
 * @param terms Its new ones; `undefined` when it is to listen no more.
 * @param same Whether the address stays.
 * @throws When the address cannot be bound or the material cannot be used; nothing has changed then.
 */
export async function prepareMove(
  runtime: Runtime,
  listener: Listener,
  terms: Terms | undefined,
  same: boolean,
): Promise<Move> {
  if (terms === undefined) {
    return { commit: (ms) => listener.drain(ms), undo: () => Promise.resolve() };
  }
  const { address, tls, onAccept, onFault, rotate } = terms;
  const old = listener.bound;
  if (same && old !== undefined) {
    const renewed = await old.renew?.(tls, onAccept);
    if (renewed !== undefined) {
      return {
        undo: () => Promise.resolve(),
        commit: (ms) => listener.move(renewed(), true, address, rotate, ms),
      };
    }
    throw new TransportError(
      "bind_failed",
      `This runtime cannot change ${listener.address.transport} to ${address.transport} at the same address: choose another port, or start anew`,
      { op: "rebind" },
    );
  }
  const bound = await runtime.listen(address, tls, onAccept, onFault).catch((cause: unknown) => {
    throw listenError(cause, formatAddress(address))[0];
  });
  return {
    undo: () => bound.close(),
    commit: (ms) => listener.move(bound, false, address, rotate, ms),
  };
}

/** Whether a listener stays where it is: the same path, or the same host and the same port or any. */
export function staysAt(listener: Listener, asked: Address): boolean {
  const { hostname, port, path } = listener.address;
  if (path !== undefined || asked.path !== undefined) return path === asked.path;
  return hostname === asked.hostname && (asked.port === port || asked.port === 0);
}

/** Why a rebind did not come about, as a fault of the configuration. */
export function rebindIssue(cause: unknown): ConfigIssue {
  const { kind, message } = TransportError.from(cause, "internal", { op: "rebind" });
  const uids = cause instanceof UnixSocketError && cause.kind === "config_invalid";
  return {
    path: uids ? "uds.allow_uids" : kind === "bind_failed" ? "bind_addr" : "tls.enabled",
    rule: "must be possible on this host",
    got: message.slice(0, 200),
    instead: "correct it and offer the whole document again; what was in force stays",
  };
}
