/**
 * Bounded transport for Deno, Bun and Node: TCP and TLS 1.3 connections whose limits cannot be
 * configured away.
 *
 * A {@linkcode Transport} holds one frozen configuration; it listens and dials. Both give a
 * {@linkcode Connection}: bytes, bounded and timed, with one writer and one close reason. OAP/1
 * framing on top of it is `@ron/transport/oap`.
 *
 * @example Listening and dialling
 * ```ts
 * import { Transport } from "@ron/transport";
 * import assert from "node:assert/strict";
 *
 * await using server = new Transport();
 * const listener = await server.listen({
 *   address: "tcp://127.0.0.1:0",
 *   onConnection: (connection) => connection.write(new TextEncoder().encode("hi")),
 * });
 * await using client = new Transport();
 * const connection = await client.dial(listener.address);
 * const buffer = new Uint8Array(2);
 * assert.equal(await connection.read(buffer), 2);
 * ```
 *
 * @module
 */

export {
  type Address,
  formatAddress,
  type HostAddress,
  parseAddress,
  type UnixAddress,
} from "./src/address.ts";
export type {
  ArtiBackend,
  ArtiContext,
  ArtiSession,
  BootstrapProgress,
  BootstrapState,
} from "./src/arti/backend.ts";
export { CAPS, type Caps } from "./src/caps.ts";
export type { Clock, Timer } from "./src/clock.ts";
export type {
  AuditEvent,
  TransportConfigReloaded,
  TransportPolicyChanged,
  TransportReadinessTransition,
} from "./src/audit/events.ts";
export { policyFigures } from "./src/audit/figures.ts";
export type { PolicyFigures, RecordedPolicy } from "./src/audit/recorded.ts";
export type { AuditHook } from "./src/audit/trail.ts";
export type {
  Backend,
  ConfigChange,
  ConfigIssue,
  ConfigSnapshot,
  ReloadResult,
  TransportConfig,
} from "./src/config/config.ts";
export { ConfigError } from "./src/config/schema.ts";
export type { CloseReason } from "./src/close_reason.ts";
export {
  Connection,
  type ConnectionInfo,
  type Endpoint,
  type IoOptions,
} from "./src/connection.ts";
export type { PauseScope, TransportCounters } from "./src/counters.ts";
export {
  type ErrorKind,
  type ErrorOrigin,
  type KindInfo,
  KINDS,
  type KnownKind,
  type RejectReason,
  rejectReason,
  type RetryHint,
  TransportError,
  type TransportErrorData,
  type TransportErrorOptions,
} from "./src/errors.ts";
export { ByteBudget } from "./src/limits/byte_budget.ts";
export { TokenBucket } from "./src/limits/token_bucket.ts";
export { Listener, type OnConnection } from "./src/listener.ts";
export { lineLogger } from "./src/log/lines.ts";
export type { LogEvent, Logger, LogLevel, LogRecord } from "./src/log/record.ts";
export { readinessResponse } from "./src/readiness_response.ts";
export type { Readiness, ReadinessReason, ReadinessTransition } from "./src/readiness.ts";
export type {
  BoundListener,
  ByteStream,
  CertificateFacts,
  ClientTls,
  KeyPair,
  OnAccept,
  PeerCertificate,
  PendingSocket,
  Runtime,
  ServerTls,
  Socket,
  SocketAddress,
  SocketFault,
  SocketHandler,
  SocketInfo,
  StreamTls,
  TlsInfo,
  TlsLayer,
  TlsOptions,
  TlsServerLayer,
} from "./src/runtime/runtime.ts";
export type { Attachable, Carrier, Outbox, Sink, SinkReport, WriteDone } from "./src/sink.ts";
export type {
  ConnectionClosed,
  DialOptions,
  ListenOptions,
  TransportHooks,
} from "./src/options.ts";
export type {
  Authorize,
  TlsClientOptions,
  TlsMaterial,
  TlsMaterialSource,
  TlsServerOptions,
} from "./src/tls/options.ts";
export type { TransportWarning } from "./src/tls/warnings.ts";
export { Transport } from "./src/transport.ts";
