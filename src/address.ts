/**
 * Addresses as users write them: `tcp://host:port`, `tls://host:port`, `host:port`.
 *
 * @module
 */

import { TransportError } from "./errors.ts";
import type { SocketAddress } from "./runtime/runtime.ts";

/** Where to dial or listen, and over what. */
export interface Address {
  /** What carries the bytes; absent means the transport's backend. */
  readonly transport?: "tcp" | "tls";
  /** A name or an IP address, IPv6 without brackets. */
  readonly hostname: string;
  /** 0 to 65535; 0 only to listen on any free port. */
  readonly port: number;
}

/**
 * Parses an address.
 *
 * @param text `tcp://host:port`, `tls://host:port` or `host:port`; an IPv6 address in brackets.
 * @returns The parts.
 * @throws {TransportError} `config_invalid` when the text is none of these.
 *
 * @example
 * ```ts
 * import { parseAddress } from "@ron/transport";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseAddress("tls://[::1]:7443"), {
 *   transport: "tls",
 *   hostname: "::1",
 *   port: 7443,
 * });
 * ```
 */
export function parseAddress(text: string): Address {
  const match = PATTERN.exec(text);
  const port = Number(match?.[4]);
  if (match === null || port > 65_535) {
    throw new TransportError(
      "config_invalid",
      `Address must be tcp://host:port, tls://host:port or host:port with a port up to 65535, got ${
        JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text)
      }`,
      { op: "address" },
    );
  }
  const hostname = match[2] ?? match[3]!;
  const transport = match[1] as "tcp" | "tls" | undefined;
  return transport === undefined ? { hostname, port } : { transport, hostname, port };
}

const PATTERN = /^(?:(tcp|tls):\/\/)?(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})$/;

/**
 * The text of an address, as {@linkcode parseAddress} reads it.
 *
 * @param address Its parts.
 * @returns For example `tls://127.0.0.1:7443`.
 */
export function formatAddress(address: Address): string {
  const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
  const scheme = address.transport === undefined ? "" : `${address.transport}://`;
  return `${scheme}${host}:${address.port}`;
}

/** Whether two socket addresses are TCP ones. */
export function isTcp(
  address: SocketAddress,
): address is { readonly hostname: string; readonly port: number } {
  return "port" in address;
}
