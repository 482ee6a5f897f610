/**
 * SHA-256, synchronously: the web platform only has it asynchronously, and nothing may run before the
 * digest of the module holds. FIPS 180-4.
 *
 * It runs once in a process, mostly before an engine compiles it. So the rounds are one loop without calls:
 * in an interpreter a call costs more than the arithmetic in it.
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
  const words = START.slice();
  digest(words, view);
  return Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** All blocks of a padded message. */
function digest(words: Int32Array, view: DataView): void {
  const w = new Int32Array(64);
  const k = K;
  let h0 = words[0]!, h1 = words[1]!, h2 = words[2]!, h3 = words[3]!;
  let h4 = words[4]!, h5 = words[5]!, h6 = words[6]!, h7 = words[7]!;
  for (let at = 0; at < view.byteLength; at += 64) {
    let a = h0, b = h1, c = h2, d = h3, e = h4, f = h5, g = h6, h = h7;
    for (let i = 0; i < 64; i++) {
      let word: number;
      if (i < 16) word = view.getInt32(at + i * 4);
      else {
        const x = w[i - 15]!, y = w[i - 2]!;
        const s0 = (x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3;
        const s1 = (y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10;
        word = (w[i - 16]! + w[i - 7]! + s0 + s1) | 0;
      }
      w[i] = word;
      const big1 = (e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7);
      const t1 = (h + big1 + (g ^ e & (f ^ g)) + k[i]! + word) | 0;
      const big0 = (a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10);
      const t2 = (big0 + (a & b | c & (a | b))) | 0;
      h = g, g = f, f = e, e = (d + t1) | 0, d = c, c = b, b = a, a = (t1 + t2) | 0;
    }
    h0 = (h0 + a) | 0, h1 = (h1 + b) | 0, h2 = (h2 + c) | 0, h3 = (h3 + d) | 0;
    h4 = (h4 + e) | 0, h5 = (h5 + f) | 0, h6 = (h6 + g) | 0, h7 = (h7 + h) | 0;
  }
  words.set([h0, h1, h2, h3, h4, h5, h6, h7]);
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
