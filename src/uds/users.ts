/**
 * Who may connect to a Unix socket, and by what the limits know them.
 *
 * @module
 */

import type { Address } from "../address.ts";
import { peerKey, uidKey } from "../limits/peer_key.ts";
import { type PendingSocket, type Runtime, UnixSocketError } from "../runtime/runtime.ts";

/** The part of a socket that tells who is at its other end. */
export type Peer = Pick<PendingSocket, "remote" | "uid">;

/**
 * The key of whoever is at the other end of a socket.
 *
 * Users that cannot be told apart share one key: the socket's mode lets in nobody but our own user.
 *
 * @param address Where the socket was accepted or dialled.
 * @param peer The socket.
 */
export function keyOf(address: Address, { remote, uid }: Peer): string | undefined {
  if (address.path !== undefined) return uidKey(uid ?? undefined);
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
 * Refuses to listen where users cannot be told apart and must be.
 *
 * @throws {UnixSocketError} `config_invalid`, naming the runtime and what it lacks.
 */
export async function requireUids(
  runtime: Runtime,
  address: Address,
  allowed: readonly number[],
): Promise<void> {
  if (address.path === undefined || allowed.length === 0) return;
  const lack = runtime.peerUidLack === undefined
    ? "it has no way to read them"
    : await runtime.peerUidLack();
  if (lack === undefined) return;
  throw new UnixSocketError(
    `uds.allow_uids needs the credentials of peers, and ${runtime.name} ${runtime.version} cannot ` +
      `tell them: ${lack}. Leave uds.allow_uids empty to rely on the socket's mode 0600`,
    "config_invalid",
  );
}
