/**
 * The `--transport.*` flags: one for each configuration key that this version has.
 *
 * @module
 */

import type { TransportConfig } from "../config/config.ts";
import type { FlagSpec, Parsed } from "./command.ts";

interface KeyFlag {
  readonly flag: string;
  /** The configuration key, dotted. */
  readonly key: string;
  readonly type: "text" | "number" | "list" | "presence";
  readonly value: string;
  readonly help: string;
}

const key = (
  flag: string,
  path: string,
  type: KeyFlag["type"],
  value: string,
  help: string,
): KeyFlag => Object.freeze({ flag: `transport.${flag}`, key: path, type, value, help });

const KEYS: readonly KeyFlag[] = Object.freeze([
  key("backend", "backend", "text", "NAME", "what carries the bytes: tcp or tls"),
  key("bind", "bind_addr", "text", "IP:PORT", "where to listen"),
  key("max-conns", "max_conns", "number", "N", "most connections at a time"),
  key("read-timeout", "read_timeout", "text", "TIME", "longest silence while input is owed"),
  key("write-timeout", "write_timeout", "text", "TIME", "longest wait of one socket write"),
  key("idle-timeout", "idle_timeout", "text", "TIME", "longest time between frames"),
  key("handshake-timeout", "handshake_timeout", "text", "TIME", "from accept until usable"),
  key("dial-timeout", "dial_timeout", "text", "TIME", "for a whole dial"),
  key("max-frame", "limits.max_frame_bytes", "text", "SIZE", "largest frame, 64KiB to 1MiB"),
  key("chunk", "limits.chunk_bytes", "text", "SIZE", "largest chunk, 4KiB to 64KiB"),
  key("tls", "tls.enabled", "presence", "", "encrypt; implied by a tls:// address"),
  key("tls-client-sni", "tls_client.sni_override", "text", "NAME", "name to send and verify"),
  key("tls-client-alpn", "tls_client.alpn", "list", "A,B", "protocols to offer"),
]);

/** The flags, for descriptions of commands. */
export const TRANSPORT_FLAGS: readonly FlagSpec[] = Object.freeze(
  KEYS.map(({ flag, value, help }) => {
    return value === "" ? { name: flag, help } : { name: flag, value, help };
  }),
);

/** The configuration keys that have a flag, for tests. */
export const FLAGGED_KEYS: readonly string[] = Object.freeze(KEYS.map((one) => one.key));

/**
 * The configuration that the given flags make.
 *
 * @param parsed The command line.
 * @returns Only the keys that were given; nothing is checked here but the shape of numbers.
 */
export function configFromFlags(parsed: Parsed): TransportConfig {
  const config: Record<string, unknown> = {};
  for (const { flag, key, type } of KEYS) {
    const text = parsed.value(flag);
    if (text !== undefined) put(config, key.split("."), converted(type, text));
  }
  return config;
}

function converted(type: KeyFlag["type"], text: string): unknown {
  if (type === "presence") return true;
  if (type === "list") return text.split(",");
  // What is no number stays text, so that the configuration's own check names it.
  return type === "number" && /^\d+$/.test(text) ? Number(text) : text;
}

function put(into: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first = "", ...rest] = path;
  if (rest.length === 0) {
    into[first] = value;
    return;
  }
  const inner = (into[first] ?? {}) as Record<string, unknown>;
  into[first] = inner;
  put(inner, rest, value);
}
