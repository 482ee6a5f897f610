/**
 * What goes wrong on Tor, in the kinds of this library. No text names whom was dialled.
 *
 * @module
 */

import { type ErrorKind, type ErrorOrigin, TransportError } from "../errors.ts";

/** The `code` of an error of the addon; `undefined` where it has none. */
export function codeOf(cause: unknown): string | undefined {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

interface Known {
  readonly kind: ErrorKind;
  readonly by: ErrorOrigin;
  readonly what: string;
}

const known = (kind: ErrorKind, by: ErrorOrigin, what: string): Known => ({ kind, by, what });

/** Dials: by the name of Arti's error kind. What is not here is `io_closed`, with the name in its text. */
const DIALS: Readonly<Record<string, Known>> = Object.freeze({
  RemoteConnectionRefused: known("io_closed", "remote", "Nothing listens there"),
  RemoteStreamError: known("io_closed", "remote", "The other end refused the stream"),
  RemoteStreamReset: known("io_closed", "remote", "The other end broke the stream off"),
  RemoteStreamClosed: known("io_closed", "remote", "The other end closed the stream"),
  RemoteHostNotFound: known("io_closed", "remote", "The exit found no such host"),
  RemoteHostResolutionFailed: known("io_closed", "remote", "The exit could not resolve the name"),
  RemoteNetworkFailed: known("io_closed", "remote", "The exit's network failed"),
  RemoteNetworkTimeout: known("timeout", "remote", "The other end did not answer in time"),
  ExitTimeout: known("timeout", "remote", "The exit did not answer in time"),
  TorNetworkTimeout: known("timeout", "remote", "A relay did not answer in time"),
  ExitPolicyRejected: known("io_closed", "remote", "No exit lets traffic to that port pass"),
  NoExit: known("io_closed", "remote", "There is no exit for that target"),
  NoPath: known("io_closed", "remote", "There is no path through the relays now"),
  TorAccessFailed: known("io_closed", "local", "The Tor network cannot be reached"),
  CircuitCollapse: known("io_closed", "remote", "A relay of the circuit failed"),
  CircuitRefused: known("io_closed", "remote", "A relay refused the circuit"),
  OnionServiceNotFound: known(
    "io_closed",
    "remote",
    "There is no such onion service, or it is not published yet",
  ),
  OnionServiceNotRunning: known("io_closed", "remote", "The onion service does not run"),
  OnionServiceConnectionFailed: known("io_closed", "remote", "The onion service cannot be reached"),
  OnionServiceAddressInvalid: known("config_invalid", "local", "That is no onion address"),
  OnionServiceMissingClientAuth: known("io_closed", "remote", "The onion service wants a key"),
  OnionServiceWrongClientAuth: known("io_closed", "remote", "The onion service wants another key"),
  InvalidStreamTarget: known("config_invalid", "local", "That is no target that Tor can dial"),
  ForbiddenStreamTarget: known(
    "config_invalid",
    "local",
    "Tor dials no address of a private network unless Arti's configuration allows it",
  ),
  BootstrapRequired: known("arti_bootstrap", "local", "Tor has not bootstrapped yet"),
  Closed: known("io_closed", "local", "The Tor client was closed"),
});

/** Why a dial failed. */
export function dialError(cause: unknown): TransportError {
  const code = codeOf(cause) ?? "unknown";
  const { kind, by, what } = Object.hasOwn(DIALS, code)
    ? DIALS[code]!
    : known("io_closed", "remote", "Tor could not open the stream");
  return new TransportError(kind, `${what} (${code})`, { op: "dial", origin: by, cause });
}

/** Refusals of a client, with what to do. They come of the configuration or of the machine. */
const STARTS: Readonly<Record<string, string>> = Object.freeze({
  NotTmpfs:
    "amnesia needs a directory in memory, and arti.state_path is not on one: name one on a tmpfs, or leave it out",
  Swap:
    "amnesia needs a machine that does not swap memory to a disk: turn swap off, or set amnesia.enabled = false",
  Unsupported:
    "amnesia needs Linux with a tmpfs: set amnesia.enabled = false and name a directory in arti.state_path",
  InvalidConfig: "Arti refuses its configuration: correct the file that arti.config_path names",
  LocalResourceAlreadyInUse:
    "arti.state_path is in use by another client: name another directory, or close that one",
  FsPermissions:
    "arti.state_path can be reached by others: give it and the directories above it to this user alone",
  PersistentStateAccessFailed: "arti.state_path cannot be used: name another directory",
  PersistentStateCorrupted: "what arti.state_path holds cannot be read: remove it, or name another",
  CacheAccessFailed: "arti.state_path cannot be used: name another directory",
  CacheCorrupted: "what arti.state_path holds cannot be read: remove it, or name another",
});

/** Why there is no client. */
export function startError(cause: unknown): TransportError {
  if (TransportError.is(cause)) return cause;
  const code = codeOf(cause);
  const remedy = code !== undefined && Object.hasOwn(STARTS, code) ? STARTS[code] : undefined;
  if (remedy !== undefined) {
    return new TransportError("config_invalid", `Tor cannot start: ${remedy} (${code})`, {
      op: "config",
      cause,
    });
  }
  const text = cause instanceof Error ? cause.message.slice(0, 200) : "";
  return new TransportError("internal", `Tor cannot start (${code ?? "unknown"}): ${text}`, {
    op: "config",
    cause,
  });
}

/** Why an onion service cannot be offered. */
export function serveError(cause: unknown, nickname: string): TransportError {
  if (TransportError.is(cause)) return cause;
  const code = codeOf(cause) ?? "unknown";
  const why = code === "LocalResourceAlreadyInUse"
    ? "a service of that name is offered already: give another one, arti://NAME:PORT"
    : "Arti refuses it";
  const what = `Cannot offer the onion service ${nickname}: ${why} (${code})`;
  return new TransportError("bind_failed", what, { op: "listen", cause });
}
