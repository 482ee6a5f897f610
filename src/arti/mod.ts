/**
 * Tor in this process: a transport that dials and hosts onion services, by Arti.
 *
 * The client is native code, in the package `@ron/transport-arti`; it is loaded when a transport with
 * `backend: "arti"` is made, and not before. No other process is started and no port is opened.
 *
 * @example A transport that only dials, and keeps nothing
 * ```ts ignore
 * import { Transport } from "@ron/transport";
 * import { arti } from "@ron/transport/arti";
 *
 * await using transport = new Transport(
 *   { backend: "arti", amnesia: { enabled: true }, bind_addr: null, dial_timeout: "60s" },
 *   { arti: arti(), onBootstrap: ({ fraction }) => console.log(fraction) },
 * );
 * ```
 *
 * @module
 */

import { AddonLoadError, loadAddon } from "../runtime/host_addon.ts";
import { TransportError } from "../errors.ts";
import type { ArtiAddon } from "./addon.ts";
import type { ArtiBackend, ArtiContext, ArtiSession } from "./backend.ts";
import { Session } from "./session.ts";

export type {
  AddonClient,
  AddonListener,
  AddonOptions,
  AddonProgress,
  AddonStream,
  ArtiAddon,
} from "./addon.ts";
export type {
  ArtiBackend,
  ArtiContext,
  ArtiSession,
  BootstrapProgress,
  BootstrapState,
} from "./backend.ts";
export type { ByteStream, Runtime } from "../runtime/runtime.ts";

/** The package with the native addon. */
export const ADDON_PACKAGE = "@ron/transport-arti";

/** Options of {@linkcode arti}. */
export interface ArtiBackendOptions {
  /** The addon: a path of its `.node` file, or one that is loaded already. @default The package `@ron/transport-arti`. */
  addon?: string | ArtiAddon;
}

/**
 * Tor, for {@linkcode TransportHooks.arti}.
 *
 * @param options Where the addon is.
 * @returns What makes one client for each transport that it is passed to. Nothing is loaded yet.
 *
 * @example With the stand-in of `./testing`, which bootstraps at a word
 * ```ts
 * import { Transport } from "@ron/transport";
 * import { arti } from "@ron/transport/arti";
 * import { ArtiStandIn } from "@ron/transport/testing";
 * import assert from "node:assert/strict";
 *
 * const tor = new ArtiStandIn();
 * const config = { backend: "arti", amnesia: { enabled: true } } as const;
 * await using server = new Transport(config, { arti: arti({ addon: tor }) });
 * assert.deepEqual(server.readiness, { state: "Degraded", reason: "arti_bootstrap" });
 * tor.succeed();
 * const listener = await server.listen({ onConnection: (c) => c.write(new Uint8Array(3)) });
 * assert.match(listener.address.hostname ?? "", /\.onion$/);
 * ```
 */
export function arti(options: ArtiBackendOptions = {}): ArtiBackend {
  return {
    open(context: ArtiContext): ArtiSession {
      return new Session(addonOf(options).addon, context);
    },
  };
}

/** An addon, and where it came from. */
export interface LoadedAddon {
  /** What it exports. */
  readonly addon: ArtiAddon;
  /** The file, where it was loaded from one. */
  readonly path: string | undefined;
}

/**
 * Loads the addon, as {@linkcode arti} does when a transport is made.
 *
 * @param options Where it is.
 * @throws {TransportError} `config_invalid` when it is not there or cannot be loaded, with the remedy.
 */
export function addonOf({ addon = ADDON_PACKAGE }: ArtiBackendOptions = {}): LoadedAddon {
  if (typeof addon !== "string") return { addon, path: undefined };
  try {
    const { exports, path } = loadAddon(addon);
    if (isAddon(exports)) return { addon: exports, path };
    throw new AddonLoadError("broken", path, "it exports other names than this version needs");
  } catch (cause) {
    if (!(cause instanceof AddonLoadError)) throw cause;
    const text = `backend "arti" needs the native addon, and it cannot be loaded: ${cause.message}`;
    throw new TransportError("config_invalid", `${text}; ${remedyOf(cause)}`, {
      op: "config",
      cause,
    });
  }
}

function remedyOf({ fault, path }: AddonLoadError): string {
  switch (fault) {
    case "missing":
      return `install ${ADDON_PACKAGE}, or pass arti({ addon: "/path/of/its.node" })`;
    case "permission":
      return `Deno needs --allow-ffi=${path} and --allow-read for it`;
    case "broken":
      return `install the ${ADDON_PACKAGE} of this version, for this system`;
  }
}

function isAddon(value: unknown): value is ArtiAddon {
  const { start, removeMemoryDirsSync } = (value ?? {}) as Partial<ArtiAddon>;
  return typeof start === "function" && typeof removeMemoryDirsSync === "function";
}
