/**
 * Transports on the private Tor network, as `deno task test:tor` provides it; alone, tests skip.
 *
 * @module
 */

import process from "node:process";
import {
  type Connection,
  Transport,
  type TransportConfig,
  TransportError,
  type TransportHooks,
} from "../../mod.ts";
import { arti } from "../../src/arti/mod.ts";

/** The addon's file. */
export const ADDON: string = process.env["RON_ARTI_ADDON"] ?? "";
/** The file with the network's configuration for Arti. */
export const NETWORK: string = process.env["RON_TOR_CONFIG"] ?? "";

/** Why tests that need both do not run, or `false`. */
export const noTor: string | false = ADDON === ""
  ? "RON_ARTI_ADDON names no addon: `deno task test:tor`"
  : NETWORK === ""
  ? "RON_TOR_CONFIG names no network: `deno task test:tor`"
  : false;

/** Dials and handshakes take longer on a network of processes that share one machine. */
const PATIENCE: TransportConfig = {
  dial_timeout: "30s",
  handshake_timeout: "20s",
  read_timeout: "20s",
  write_timeout: "20s",
};

/** A transport that keeps nothing. @param network File with Arti's configuration. */
export function onTor(
  config: TransportConfig = {},
  hooks: TransportHooks = {},
  network: string = NETWORK,
): Transport {
  return new Transport(
    {
      ...PATIENCE,
      backend: "arti",
      amnesia: { enabled: true },
      ...config,
      arti: { config_path: network, ...config.arti },
    },
    { arti: arti({ addon: ADDON }), ...hooks },
  );
}

/** The same, once it has bootstrapped. */
export async function readyOnTor(
  config: TransportConfig = {},
  hooks: TransportHooks = {},
): Promise<Transport> {
  const transport = onTor(config, hooks);
  await ready(transport);
  return transport;
}

/** Waits until a transport is Ready. */
export async function ready(transport: Transport): Promise<void> {
  while (transport.readiness.state === "Degraded") await delay(5);
  if (transport.readiness.state !== "Ready") {
    await transport.dial("ready.invalid:1"); // refused, saying why
  }
}

/**
 * Dials until it works: a consensus of this network lasts seconds, and a client whose own has just run out
 * refuses what it would take a moment later.
 */
export async function dialled(
  transport: Transport,
  target: Parameters<Transport["dial"]>[0],
  options: Parameters<Transport["dial"]>[1] = {},
): Promise<Connection> {
  for (const until = performance.now() + 40_000;;) {
    try {
      return await transport.dial(target, options);
    } catch (error) {
      const { kind } = TransportError.from(error, "internal", { op: "dial" });
      if (performance.now() > until || !["arti_bootstrap", "io_closed"].includes(kind)) throw error;
      await delay(100);
    }
  }
}

/** Waits. */
export function delay(ms: number): Promise<void> {
  return new Promise((next) => setTimeout(next, ms));
}

/** Reads until there are so many bytes, or the end of input. */
export async function receive(connection: Connection, most: number): Promise<Uint8Array> {
  const all = new Uint8Array(most);
  let at = 0;
  while (at < most) {
    const n = await connection.read(all.subarray(at));
    if (n === null) break;
    at += n;
  }
  return all.subarray(0, at);
}

/** Bytes whose order can be told. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 255;
  return bytes;
}

/** The error that a promise rejects with. */
export async function refusal(promise: Promise<unknown>): Promise<TransportError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  if (TransportError.is(error)) return error;
  throw new Error(`no TransportError: ${error}`);
}
