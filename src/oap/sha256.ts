/**
 * SHA-256, synchronously: the web platform only has it asynchronously, and nothing may run before the
 * digest of the module holds. FIPS 180-4.
 *
 * @module
 */

/** Cube roots of the first 64 primes, square roots of the first 8: 32 bits of their fractions. */
const primes = firstPrimes(64);
const K: Int32Array = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
const START: Int32Array = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));

/**
 * The digest of some bytes.
 *
 * @param bytes Up to 512 MiB.
 * @returns 64 lowercase hex digits.
 */
export function sha256(bytes: Uint8Array): string {
  const padded = new Uint8Array((bytes.length + 72) & ~63);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, bytes.length * 8);
  const h = START.slice();
  const w = new Int32Array(64);
  for (let at = 0; at < padded.length; at += 64) block(h, w, view, at);
  return Array.from(h, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function block(h: Int32Array, w: Int32Array, view: DataView, at: number): void {
  for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + i * 4);
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!, y = w[i - 2]!;
    const s0 = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
    const s1 = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
    w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
  }
  let a = h[0]!, b = h[1]!, c = h[2]!, d = h[3]!, e = h[4]!, f = h[5]!, g = h[6]!, last = h[7]!;
  for (let i = 0; i < 64; i++) {
    const one = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const t1 = (last + one + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
    const zero = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
    const t2 = (zero + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    last = g, g = f, f = e, e = (d + t1) | 0, d = c, c = b, b = a, a = (t1 + t2) | 0;
  }
  [a, b, c, d, e, f, g, last].forEach((word, i) => h[i] = h[i]! + word);
}

function turn(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function fraction(root: number): number {
  return ((root - Math.floor(root)) * 4_294_967_296) | 0;
}

function firstPrimes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) {
    if (found.every((prime) => n % prime !== 0)) found.push(n);
  }
  return found;
}
