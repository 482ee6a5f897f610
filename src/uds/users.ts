/**
 * Who may connect to a Unix socket, and by what the limits know them.
 *
 * @module
 */

import type { Address } from "../address.ts";
import type { ConfigIssue, ConfigSnapshot } from "../config/config.ts";
import { circuitKey, peerKey, uidKey } from "../limits/peer_key.ts";
import { type PendingSocket, type Runtime, UnixSocketError } from "../runtime/runtime.ts";

/** The part of a socket that tells who is at its other end. */
export type Peer = Pick<PendingSocket, "remote" | "uid" | "circuit">;

/**
 * The key of whoever is at the other end of a socket.
 *
 * On Tor it is the circuit a stream came by, where that is known: nothing else is.
 *
 * Users that cannot be told apart share one key: the socket's mode lets in nobody but our own user.
 *
 * @param address Where the socket was accepted or dialled.
 * @param peer The socket.
 */
export function keyOf(address: Address, { remote, uid, circuit }: Peer): string | undefined {
  if (address.path !== undefined) return uidKey(uid ?? undefined);
  if (circuit !== undefined) return circuitKey(circuit);
  return remote === undefined ? undefined : peerKey(remote.hostname);
}

/**
 * Whether the user at the other end may connect. Source: runtime §3, check 3.
 *
 * @param address Where the socket was accepted.
 * @param peer The socket.
 * @param allowed `uds.allow_uids`; empty lets in everyone whom the socket's mode does.
 */
export function mayConnect(
  address: Address,
  { uid }: Peer,
  allowed: readonly number[],
): boolean {
  if (address.path === undefined) return true;
  if (uid === null) return false; // this runtime can tell, and could not this once
  return allowed.length === 0 || (uid !== undefined && allowed.includes(uid));
}

/**
 * What a runtime lacks to tell the users of a Unix socket, as a sentence of its own.
 *
 * @returns `undefined` where it lacks nothing, or the address is no Unix socket.
 */
export async function uidLack(runtime: Runtime, address: Address): Promise<string | undefined> {
  if (address.path === undefined) return undefined;
  const lack = runtime.peerUidLack === undefined
    ? "it has no way to read them"
    : await runtime.peerUidLack();
  return lack && `${runtime.name} ${runtime.version} cannot tell them: ${lack}`;
}

/**
 * Refuses to listen where users cannot be told apart and must be.
 *
 * @param lack See {@linkcode uidLack}.
 * @throws {UnixSocketError} `config_invalid`, naming the runtime and what it lacks.
 */
export function requireUids(lack: string | undefined, allowed: readonly number[]): void {
  if (lack === undefined || allowed.length === 0) return;
  throw new UnixSocketError(
    `uds.allow_uids needs the credentials of peers, and ${lack}. ${RELY_ON_MODE}`,
    "config_invalid",
  );
}

/**
 * The fault of a configuration that lists users while a listener is open whose users cannot be told
 * apart: it would refuse everyone.
 *
 * @param lack See {@linkcode uidLack}; of that listener.
 */
export function unreadableUids(
  lack: string | undefined,
  { uds }: Pick<ConfigSnapshot, "uds">,
): ConfigIssue[] {
  if (lack === undefined || uds.allow_uids.length === 0) return [];
  return [{
    path: "uds.allow_uids",
    rule: `needs the credentials of peers, and ${lack}`,
    got: `${uds.allow_uids.length} users`,
    instead: RELY_ON_MODE,
  }];
}

const RELY_ON_MODE = "Leave uds.allow_uids empty to rely on the socket's mode 0600";
