/**
 * Where audit events go: a file of JSON lines, or a NATS JetStream stream. A transport hands them to
 * its hook `onAudit`; nothing a sink does reaches the data path.
 *
 * @module
 */

export type {
  AuditEvent,
  TransportConfigReloaded,
  TransportPolicyChanged,
  TransportReadinessTransition,
} from "./events.ts";
export { type AuditFile, auditFile, jsonLines } from "./json_lines.ts";
export {
  type JetStreamPublisher,
  type NatsAudit,
  natsAudit,
  type NatsAuditCounters,
  type NatsAuditOptions,
} from "./nats.ts";
export { policyChanged } from "./policy.ts";
export type { AuditHook } from "./trail.ts";
