/**
 * Addresses as users write them: `tcp://host:port`, `tls://host:port`, `arti://host:port`, `host:port`,
 * `unix:/path`.
 *
 * @module
 */

import { TransportError } from "./errors.ts";
import { unixPathFault } from "./uds/path.ts";

/** A host and a port, and what carries the bytes. */
export interface HostAddress {
  /** What carries the bytes; absent means the transport's backend. */
  readonly transport?: "tcp" | "tls" | "arti";
  /** A name or an IP address, IPv6 without brackets; an onion service's ends in `.onion`. */
  readonly hostname: string;
  /** 0 to 65535; 0 only to listen on any free port. */
  readonly port: number;
  /** A host has none. */
  readonly path?: undefined;
}

/** A Unix socket, and what carries the bytes over it. */
export interface UnixAddress {
  /** `tls` for TLS over the socket; absent means the transport's backend. */
  readonly transport?: "tcp" | "tls";
  /** An absolute path of at most 107 bytes. */
  readonly path: string;
  /** A Unix socket has none. */
  readonly hostname?: undefined;
  /** A Unix socket has none. */
  readonly port?: undefined;
}

/** Where to dial or listen, and over what. */
export type Address = HostAddress | UnixAddress;

/**
 * Parses an address.
 *
 * @param text `tcp://host:port`, `tls://host:port`, `arti://host:port`, `host:port`, an IPv6 address in
 * brackets, or `unix:/path`.
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
 * assert.deepEqual(parseAddress("unix:/run/app/app.sock"), { path: "/run/app/app.sock" });
 * ```
 */
export function parseAddress(text: string): Address {
  if (text.startsWith(UNIX)) return { path: pathOf(text) };
  const match = PATTERN.exec(text);
  const port = Number(match?.[4]);
  if (match === null || port > 65_535) {
    throw invalid(
      "Address must be tcp://host:port, tls://host:port, arti://host:port or host:port with a port up to " +
        `65535, or unix:/path, got ${shown(text)}`,
    );
  }
  const hostname = match[2] ?? match[3]!;
  const transport = match[1] as HostAddress["transport"];
  return transport === undefined ? { hostname, port } : { transport, hostname, port };
}

const UNIX = "unix:";
const PATTERN = /^(?:(tcp|tls|arti):\/\/)?(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})$/;

function pathOf(text: string): string {
  const path = text.slice(UNIX.length);
  const fault = unixPathFault(path);
  if (fault === undefined) return path;
  throw invalid(`What follows unix: ${fault}, got ${shown(text)}`);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

function invalid(what: string): TransportError {
  return new TransportError("config_invalid", what, { op: "address" });
}

/**
 * The text of an address, as {@linkcode parseAddress} reads it.
 *
 * @param address Its parts.
 * @returns For example `tls://127.0.0.1:7443` or `unix:/run/app/app.sock`.
 */
export function formatAddress(address: Address): string {
  if (address.path !== undefined) return `${UNIX}${address.path}`;
  const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
  const scheme = address.transport === undefined ? "" : `${address.transport}://`;
  return `${scheme}${host}:${address.port}`;
}
