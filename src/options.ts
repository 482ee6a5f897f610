/**
 * What {@linkcode Transport} takes: options of listening and dialling, and hooks.
 *
 * @module
 */

import type { ArtiBackend, BootstrapProgress } from "./arti/backend.ts";
import type { Address } from "./address.ts";
import type { RecordedPolicy } from "./audit/recorded.ts";
import type { AuditHook } from "./audit/trail.ts";
import type { Clock } from "./clock.ts";
import type { CloseReason } from "./close_reason.ts";
import type { ConfigSnapshot } from "./config/config.ts";
import type { ConnectionInfo } from "./connection.ts";
import type { ByteBudget } from "./limits/byte_budget.ts";
import type { OnConnection } from "./listener.ts";
import type { Logger } from "./log/record.ts";
import type { ReadinessTransition } from "./readiness.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type {
  Authorize,
  TlsClientOptions,
  TlsMaterial,
  TlsMaterialSource,
  TlsServerOptions,
} from "./tls/options.ts";
import type { TransportWarning } from "./tls/warnings.ts";

/** Options of {@linkcode Transport.listen}. */
export interface ListenOptions {
  /** Where to listen; `port` 0 takes any free one. @default The configured `bind_addr`. */
  address?: string | Address;
  /** Certificate and key, or who gives them, and what is asked of clients; makes a TLS listener. */
  tls?: TlsMaterialSource | TlsServerOptions;
  /** Decides who is let in, before the connection is given. */
  authorize?: Authorize;
  /** Takes each connection; without it, iterate over the listener. */
  onConnection?: OnConnection;
  /** Closes the listener when aborted. */
  signal?: AbortSignal;
}

/** Options of {@linkcode Transport.dial}. */
export interface DialOptions {
  /** Gives up the dial. */
  signal?: AbortSignal;
  /** TLS as a client; makes a TLS connection. */
  tls?: TlsClientOptions;
  /** Decides whether the peer is the right one, before the connection is given. */
  authorize?: Authorize;
}

/** One connection that is over. */
export interface ConnectionClosed {
  /** What is known of it. */
  readonly info: ConnectionInfo;
  /** Why it closed. */
  readonly reason: CloseReason;
  /** Milliseconds from accept or dial to the close. */
  readonly durationMs: number;
  /** Bytes received. */
  readonly bytesIn: number;
  /** Bytes sent. */
  readonly bytesOut: number;
}

/** What a host can hook into. Hooks are told, never asked: one that throws is ignored, and counted. */
export interface TransportHooks {
  /** Told of each change of readiness, once. */
  onReadiness?: (transition: ReadinessTransition) => void;
  /**
   * Told of each reload and each change of readiness, for the records: in order, one at a time, and after
   * the fact. While its promise is pending, the next event waits, 1024 of them at most.
   */
  onAudit?: AuditHook;
  /**
   * Ceilings and defaults that were in force at the last start, as `policyFigures()` gave them then: those
   * that this build has otherwise are told to `onAudit`, one `TransportPolicyChanged` each.
   */
  recordedPolicy?: RecordedPolicy;
  /** Told of each connection that closed, those that failed in their handshake included. */
  onConnectionClosed?: (event: ConnectionClosed) => void;
  /**
   * Reads the certificate and key that the configuration names, for listeners that are given none.
   * `loadConfig()` of `./config` has one; without it, `tls.cert_path` and `tls.key_path` are refused.
   */
  material?: (config: ConfigSnapshot) => TlsMaterial | Promise<TlsMaterial>;
  /**
   * Reads the trusted roots that the configuration names, as PEM, for dials that are given none.
   * `loadConfig()` of `./config` has one; without it, `tls_client.ca_bundle_path` is refused.
   */
  roots?: (config: ConfigSnapshot) => string | Promise<string>;
  /**
   * Says that somebody has checked the token's file that the configuration names: `loadConfig()` of
   * `./config` has. Without it, `auth.macaroon_path` is refused. The transport reads no token.
   */
  token?: (config: ConfigSnapshot) => Promise<void>;
  /** Told of dials, accepts, handshakes, refusals and closes, from `log.level` on: see {@linkcode lineLogger}. */
  logger?: Logger;
  /** Tor, from `arti()` of `./arti`; without it, `backend: "arti"` is refused. */
  arti?: ArtiBackend;
  /** Told how far Tor has bootstrapped, as often as that changes. */
  onBootstrap?: (progress: BootstrapProgress) => void;
  /** Told of what works but should not stay so, such as a certificate that is too old. */
  onWarning?: (warning: TransportWarning) => void;
  /** Closes the transport when aborted, and with it every listener and connection. */
  signal?: AbortSignal;
  /** Monotonic time. @default The runtime's. */
  clock?: Clock;
  /** What unfinished work may hold, to share it between transports. @default A pool of 64 MiB for each transport. */
  budget?: ByteBudget;
  /** The sockets. @default Those of the runtime that runs this. */
  runtime?: Runtime;
}
