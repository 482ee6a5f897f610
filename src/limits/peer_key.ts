/**
 * By what a peer is known to the limits.
 *
 * @module
 */

/**
 * The key of an address: an IPv4 address as it is, also where it is written as IPv6; of an IPv6
 * address its first 64 bits, which one host can fill as it likes. Source: runtime §4.
 *
 * @param hostname An IP address.
 * @returns The key, or `undefined` for what is no IP address: a name is never a key.
 */
export function peerKey(hostname: string): string | undefined {
  if (IPV4.test(hostname)) return hostname;
  const groups = ipv6Groups(hostname);
  if (groups === undefined) return undefined;
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!mapped) return groups.slice(0, 4).map((group) => group.toString(16)).join(":");
  const [high, low] = [groups[6]!, groups[7]!];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The key of all accepted peers whose address the system does not tell: they share the limits of one. */
export const UNKNOWN_PEER = "unknown";

/** The key of a user on a Unix socket; of all users where they cannot be told apart. */
export function uidKey(uid: number | undefined): string {
  return `uid ${uid ?? "unknown"}`;
}

/** The key of a circuit of Tor. */
export function circuitKey(circuit: number): string {
  return `circuit ${circuit}`;
}

/** Without leading zeros: one address has one key, and what reads as octal elsewhere has none. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** The eight groups of an IPv6 address, a zone left out. */
function ipv6Groups(text: string): number[] | undefined {
  const [address] = text.split("%", 1) as [string];
  const halves = address.split("::");
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0]!, halves.length === 1);
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 8 ? head : undefined;
  const tail = groupsOf(halves[1]!, true);
  if (tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** Groups of a part of an address; only its end may be written as IPv4. */
function groupsOf(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (last && i === parts.length - 1 && IPV4.test(part)) {
      const [a, b, c, d] = part.split(".").map(Number) as [number, number, number, number];
      groups.push(a * 256 + b, c * 256 + d);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
