/** The first messages of TLS 1.3, built and read byte by byte: for attacks, and for looking at the wire. */

/** What a ClientHello says. */
export interface HelloParts {
  readonly versions?: readonly number[];
  readonly suites?: readonly number[];
  readonly groups?: readonly number[];
  /** Groups with a key share. */
  readonly shares?: readonly number[];
  readonly serverName?: string | Uint8Array;
  readonly alpn?: readonly string[];
  /** Bytes of padding. */
  readonly padding?: number;
  /** More extensions, as they are. */
  readonly extra?: readonly Uint8Array[];
}

export const TLS13 = 0x0304;
export const TLS12 = 0x0303;
export const X25519 = 0x001d;
export const P256 = 0x0017;
export const X25519MLKEM768 = 0x11ec;

const SNI = 0;
const GROUPS = 10;
const SIGNATURES = 13;
const ALPN = 16;
const PADDING = 21;
const PRE_SHARED_KEY = 41;
const VERSIONS = 43;
const PSK_MODES = 45;
const KEY_SHARE = 51;

const u16 = (n: number): number[] => [n >> 8, n & 0xff];
const list16 = (bytes: readonly number[]): number[] => [...u16(bytes.length), ...bytes];

/** An extension. */
export function extension(type: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([...u16(type), ...list16(body)]);
}

/** A handshake message of type ClientHello, without its record. */
export function clientHello(parts: HelloParts = {}): Uint8Array {
  const { groups = [X25519], suites = [0x1301, 0x1302, 0x1303] } = parts;
  const shares = (parts.shares ?? groups.slice(0, 1)).flatMap((group) => [
    ...u16(group),
    ...list16([...crypto.getRandomValues(new Uint8Array(group === X25519 ? 32 : 65))]),
  ]);
  const versions = (parts.versions ?? [TLS13]).flatMap(u16);
  const name = typeof parts.serverName === "string"
    ? new TextEncoder().encode(parts.serverName)
    : parts.serverName;
  const extensions = [
    ...(name === undefined ? [] : [extension(SNI, list16([0, ...list16([...name])]))]),
    extension(GROUPS, list16(groups.flatMap(u16))),
    extension(SIGNATURES, list16([0x0403, 0x0804, 0x0401].flatMap(u16))),
    ...((parts.alpn ?? ["oap/1"]).length === 0 ? [] : [alpn(parts.alpn ?? ["oap/1"])]),
    ...(versions.length === 0 ? [] : [extension(VERSIONS, [versions.length, ...versions])]),
    extension(PSK_MODES, [1, 1]),
    extension(KEY_SHARE, list16(shares)),
    ...(parts.extra ?? []),
    ...(parts.padding === undefined
      ? []
      : [extension(PADDING, new Array<number>(parts.padding).fill(0))]),
  ];
  const body = [
    ...u16(TLS12),
    ...crypto.getRandomValues(new Uint8Array(32)),
    32,
    ...crypto.getRandomValues(new Uint8Array(32)),
    ...list16(suites.flatMap(u16)),
    1,
    0,
    ...list16(extensions.flatMap((bytes) => [...bytes])),
  ];
  return Uint8Array.from([1, body.length >> 16, ...u16(body.length & 0xffff), ...body]);
}

function alpn(names: readonly string[]): Uint8Array {
  return extension(
    ALPN,
    list16(names.flatMap((name) => {
      const bytes = new TextEncoder().encode(name);
      return [bytes.length, ...bytes];
    })),
  );
}

/** Records of at most `most` bytes each that carry a message. */
export function records(message: Uint8Array, most: number = 16_384, type: number = 22): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < message.length; at += most) {
    const piece = message.subarray(at, at + most);
    out.push(type, 3, 1, ...u16(piece.length), ...piece);
  }
  return Uint8Array.from(out);
}

/** What the first flights said about key exchange. */
export interface KeyExchangeSeen {
  /** Groups that the client offered, best first. */
  readonly offered: readonly number[];
  /** Groups it sent a key share for at once. */
  readonly shares: readonly number[];
  /** The group that the server chose; `undefined` where it refused. */
  readonly chosen: number | undefined;
  /** Whether the server asked for another key share. */
  readonly retried: boolean;
  /** Whether the client offered a session to take up again. */
  readonly offersSession: boolean;
  /** Whether the server took it. */
  readonly resumed: boolean;
}

/** Reads both directions of a connection's first bytes. */
export function readKeyExchange(client: Uint8Array, server: Uint8Array): KeyExchangeSeen {
  const hello = extensionsOf(message(client, 1), true);
  const answer = message(server, 2);
  const answered = answer && extensionsOf(answer, false);
  const chosen = answered?.get(KEY_SHARE);
  return {
    offered: pairs(hello?.get(GROUPS)?.subarray(2)),
    shares: shareGroups(hello?.get(KEY_SHARE)?.subarray(2)),
    chosen: chosen === undefined ? undefined : (chosen[0]! << 8) | chosen[1]!,
    retried: answer !== undefined && isRetry(answer),
    offersSession: hello?.has(PRE_SHARED_KEY) ?? false,
    resumed: answered?.has(PRE_SHARED_KEY) ?? false,
  };
}

/** The first handshake message, if it is of this type. */
function message(bytes: Uint8Array, type: number): Uint8Array | undefined {
  const joined: number[] = [];
  for (let at = 0; at + 5 <= bytes.length && bytes[at] === 22;) {
    const length = (bytes[at + 3]! << 8) | bytes[at + 4]!;
    joined.push(...bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  if (joined[0] !== type) return undefined;
  const length = (joined[1]! << 16) | (joined[2]! << 8) | joined[3]!;
  return Uint8Array.from(joined.slice(4, 4 + length));
}

function extensionsOf(
  body: Uint8Array | undefined,
  client: boolean,
): Map<number, Uint8Array> | undefined {
  if (body === undefined) return undefined;
  const u = (at: number): number => (body[at]! << 8) | body[at + 1]!;
  let at = 34;
  at += 1 + body[at]!;
  if (client) {
    at += 2 + u(at);
    at += 1 + body[at]!;
  } else at += 3;
  const found = new Map<number, Uint8Array>();
  const end = at + 2 + u(at);
  for (at += 2; at + 4 <= end;) {
    const length = u(at + 2);
    found.set(u(at), body.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

function pairs(bytes: Uint8Array | undefined): number[] {
  const out: number[] = [];
  for (let at = 0; bytes !== undefined && at + 1 < bytes.length; at += 2) {
    out.push((bytes[at]! << 8) | bytes[at + 1]!);
  }
  return out;
}

function shareGroups(bytes: Uint8Array | undefined): number[] {
  const out: number[] = [];
  for (let at = 0; bytes !== undefined && at + 4 <= bytes.length;) {
    out.push((bytes[at]! << 8) | bytes[at + 1]!);
    at += 4 + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
  }
  return out;
}

/** SHA-256 of "HelloRetryRequest", which stands in place of the random. */
const RETRY = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";

function isRetry(answer: Uint8Array): boolean {
  const random = answer.subarray(2, 34);
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("") === RETRY;
}
