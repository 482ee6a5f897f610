/**
 * Where `top` reads: a server's `/metrics` and `/ready`, or a file.
 *
 * @module
 */

import { formatAddress, parseAddress } from "../address.ts";
import { TransportError } from "../errors.ts";
import { readText } from "../runtime/host_files.ts";
import { fileError } from "./file_errors.ts";

/** What a server says of itself at `/ready`. */
export interface Told {
  readonly state: "Ready" | "Degraded" | "NotReady";
  readonly reason?: string;
}

/** One reading. */
export interface Reading {
  /** The exposition. */
  readonly text: string;
  /** Absent where it is not known. */
  readonly readiness: Told | undefined;
}

/** See the module. */
export interface Source {
  /** As the user gave it. */
  readonly name: string;
  /** @throws {TransportError} What cannot be read, and what to do. */
  read(): Promise<Reading>;
}

/** Most bytes of an answer. */
const MOST_BYTES = 4 * 1_048_576;
const PATIENCE_MS = 5_000;

/** @param text `HOST:PORT`, an http or https URL, or a file. */
export function sourceOf(text: string): Source {
  const base = baseOf(text);
  return base === undefined
    ? { name: text, read: () => readFile(text) }
    : { name: text, read: () => readServer(base) };
}

function baseOf(text: string): string | undefined {
  if (/^https?:\/\//.test(text)) return text.replace(/\/(metrics)?$/, "");
  if (!/^(\[[0-9a-f:.]+\]|[\w.-]+):\d+$/i.test(text)) return undefined;
  return `http://${formatAddress(parseAddress(text))}`;
}

async function readFile(path: string): Promise<Reading> {
  try {
    return { text: await readText(path), readiness: undefined };
  } catch (error) {
    throw fileError("read", path, error, "name HOST:PORT, or a file of metrics", "misuse");
  }
}

async function readServer(base: string): Promise<Reading> {
  const [status, text] = await get(`${base}/metrics`);
  if (status !== 200) throw failed(`${base}/metrics`, `it answers ${status}`);
  const readiness = await get(`${base}/ready`).then(told, () => undefined);
  return { text, readiness };
}

function told([status, text]: [number, string]): Told | undefined {
  if (status === 200) return { state: "Ready" };
  if (status !== 503) return undefined;
  try {
    const { degraded, reason } = JSON.parse(text) as { degraded?: unknown; reason?: unknown };
    const known = typeof reason === "string" && /^\w{1,32}$/.test(reason) ? { reason } : {};
    return { state: degraded === true ? "Degraded" : "NotReady", ...known };
  } catch {
    return undefined;
  }
}

async function get(url: string): Promise<[status: number, text: string]> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(PATIENCE_MS),
      redirect: "manual",
    });
    return [response.status, await bounded(response)];
  } catch (error) {
    if (TransportError.is(error)) throw error;
    throw failed(url, error instanceof Error ? error.message : String(error));
  }
}

async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > MOST_BYTES) throw failed(response.url, `its answer is above ${MOST_BYTES} bytes`);
    text += decoder.decode(part, { stream: true });
  }
  return text;
}

function failed(url: string, why: string): TransportError {
  return new TransportError(
    "io_closed",
    `cannot read ${url}: ${why}; see that \`serve --metrics\` runs there`,
    { op: "top" },
  );
}
