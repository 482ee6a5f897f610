/**
 * Which address a target means under a configuration.
 *
 * @module
 */

import { type Address, formatAddress, parseAddress } from "./address.ts";
import type { ConfigSnapshot } from "./config/config.ts";
import { TransportError } from "./errors.ts";

/**
 * The address with its transport settled. Plain TCP is never used where TLS is configured.
 *
 * @param target As a caller wrote it.
 * @param tls Whether the caller asks for TLS.
 * @param config Whose backend carries what names no transport.
 * @throws {TransportError} `config_invalid` when it is no address, or plain TCP where TLS is configured.
 */
export function resolveAddress(
  target: string | Address,
  tls: boolean,
  { backend }: ConfigSnapshot,
): Address {
  const address = parsed(target);
  if (address.transport === "tcp" && (tls || backend === "tls")) {
    throw new TransportError(
      "config_invalid",
      `${formatAddress(address)} asks for plain TCP where TLS is configured: write tls://`,
      { op: "address" },
    );
  }
  const transport = address.transport ?? (tls ? "tls" : backend);
  return address.path === undefined
    ? { transport, hostname: address.hostname, port: address.port }
    : { transport, path: address.path };
}

/** Where a configuration binds; `null` where it only dials. */
export function bindPlace({ uds, bind_addr }: ConfigSnapshot): string | Address | null {
  return uds.path === "" ? bind_addr : { path: uds.path };
}

/** A path that a caller gives in parts is held to the same rules as in a text. */
function parsed(target: string | Address): Address {
  if (typeof target === "string") return parseAddress(target);
  return target.path === undefined ? target : parseAddress(formatAddress(target));
}
