/**
 * Tor on the command line: when it is meant, what it is started with, and the wait for it.
 *
 * @module
 */

import { type Address, parseAddress } from "../address.ts";
import type { ConfigSnapshot } from "../config/config.ts";
import { ENV_PREFIX, FLAG_PREFIX } from "../config/key.ts";
import { KEYS } from "../config/keys.ts";
import type { TransportHooks } from "../options.ts";
import { env } from "../runtime/host.ts";
import type { FlagSpec, Parsed } from "./command.ts";

/** Flags of the commands that can use Tor. */
export const TOR_FLAGS: readonly FlagSpec[] = Object.freeze([
  {
    name: "backend",
    value: "NAME",
    help: "what carries the bytes",
    choices: ["tcp", "tls", "arti"],
  },
  { name: "arti-addon", value: "FILE", help: "the addon of Tor, where it is not installed" },
]);

const flagOf = (key: keyof typeof KEYS): string => `${FLAG_PREFIX}${KEYS[key].flag}`;

/** Whether an address can only be reached over Tor. */
export function isTorAddress({ transport, hostname }: Address): boolean {
  return transport === "arti" || hostname?.endsWith(".onion") === true;
}

/**
 * Adds what flags and address say of Tor to the flags of the configuration. Where Tor is asked for and nobody
 * says where it may keep its state, it keeps none.
 *
 * @param flags The `--transport.*` flags.
 * @param parsed The command line.
 * @param address The address of the command, if it has one.
 * @param file Whether there is a file of the configuration, which may say it all.
 */
export function addTor(
  flags: Record<string, string>,
  parsed: Parsed,
  address: string | undefined,
  file: boolean,
): void {
  const named = parsed.value("backend");
  const backend = flagOf("backend");
  if (named !== undefined) flags[backend] = named;
  else if (address !== undefined && isTorAddress(parseAddress(address))) flags[backend] ??= "arti";
  if (flags[backend] !== "arti" || file) return;
  const settled = (["arti.state_path", "amnesia.enabled"] as const).some((key) =>
    flags[flagOf(key)] !== undefined || env(ENV_PREFIX + KEYS[key].env) !== undefined
  );
  if (!settled) flags[flagOf("amnesia.enabled")] = "true";
}

/** A dial over Tor takes longer than the default allows. */
export function allowTorDial(flags: Record<string, string>): void {
  const dial = flagOf("dial_timeout");
  if (flags[flagOf("backend")] === "arti") flags[dial] ??= "60s";
}

/**
 * The hook for a transport on Tor. Its code is loaded only where it is asked for.
 *
 * @param parsed The command line.
 * @param config What is in force.
 */
export async function torHooks(
  parsed: Parsed,
  { backend }: Pick<ConfigSnapshot, "backend">,
): Promise<Pick<TransportHooks, "arti">> {
  if (backend !== "arti") return {};
  const { arti } = await import("../arti/mod.ts");
  const addon = parsed.value("arti-addon");
  return { arti: arti(addon === undefined ? {} : { addon }) };
}
