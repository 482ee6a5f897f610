/**
 * Which address a target means under a configuration.
 *
 * @module
 */

import { type Address, formatAddress, parseAddress } from "./address.ts";
import type { ConfigSnapshot } from "./config/config.ts";
import { TransportError } from "./errors.ts";

/** A target with nothing left open. */
export interface ResolvedAddress {
  /** With its transport. */
  readonly address: Address;
  /** Whether TLS is spoken over it. */
  readonly secured: boolean;
}

/**
 * The address with its transport settled. Plain TCP is never used where TLS is configured, and nothing but
 * Tor where Tor is.
 *
 * @param target As a caller wrote it.
 * @param tls Whether the caller asks for TLS.
 * @param config Whose backend carries what names no transport.
 * @throws {TransportError} `config_invalid` when it is no address, or would be carried by less than is
 * configured.
 */
export function resolveAddress(
  target: string | Address,
  tls: boolean,
  config: ConfigSnapshot,
): ResolvedAddress {
  const address = parsed(target);
  if (config.backend === "arti") return overTor(address, tls || config.tls.enabled);
  if (address.transport === "arti" || address.hostname?.endsWith(".onion")) {
    throw invalid(`${formatAddress(address)} is reached over Tor: set backend = "arti"`);
  }
  if (address.transport === "tcp" && (tls || config.backend === "tls")) {
    throw invalid(
      `${formatAddress(address)} asks for plain TCP where TLS is configured: write tls://`,
    );
  }
  const transport = address.transport ?? (tls ? "tls" : config.backend as "tcp" | "tls");
  const resolved: Address = address.path === undefined
    ? { transport, hostname: address.hostname, port: address.port }
    : { transport, path: address.path };
  return { address: resolved, secured: transport === "tls" };
}

/** Every address goes over Tor; one that asks for another way is refused, as it would tell who dials. */
function overTor(address: Address, tls: boolean): ResolvedAddress {
  if (address.path !== undefined) {
    throw invalid(
      `${formatAddress(address)} is no place on Tor: take a transport of its own for it`,
    );
  }
  if (address.transport === "tcp") {
    throw invalid(
      `${formatAddress(address)} asks for plain TCP where Tor is configured: write host:port`,
    );
  }
  const secured = tls || address.transport === "tls";
  const { hostname, port } = address;
  return { address: { transport: "arti", hostname, port }, secured };
}

function invalid(what: string): TransportError {
  return new TransportError("config_invalid", what, { op: "address" });
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
