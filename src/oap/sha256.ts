/**
 * SHA-256 without a promise, for the one check that must be over before the library answers.
 *
 * @module
 */

/** First 32 bits of the fractional parts of a root of the first `n` primes. */
function fractions(n: number, root: (prime: number) => number): Int32Array {
  const out = new Int32Array(n);
  for (let i = 0, candidate = 2; i < n; candidate++) {
    let prime = true;
    for (let d = 2; d * d <= candidate; d++) if (candidate % d === 0) prime = false;
    if (prime) out[i++] = (root(candidate) % 1) * 2 ** 32;
  }
  return out;
}

/**
 * The SHA-256 of some bytes.
 *
 * @param bytes Anything up to 2^32 bits.
 * @returns 64 hexadecimal digits.
 */
export function sha256(bytes: Uint8Array): string {
  const k = fractions(64, Math.cbrt);
  const h = fractions(8, Math.sqrt);
  const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, bytes.length * 8);
  digest(h, k, padded);
  return Array.from(h, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** One loop without calls or temporaries: it runs once a process, before any compiler has warmed up to it. */
function digest(h: Int32Array, k: Int32Array, p: Uint8Array): void {
  const w = new Int32Array(64);
  let [h0, h1, h2, h3, h4, h5, h6, h7] = h as unknown as number[] as Words;
  for (let o = 0; o < p.length; o += 64) {
    let a = h0, b = h1, c = h2, d = h3, e = h4, f = h5, g = h6, z = h7;
    for (let i = 0; i < 64; i++) {
      let x: number;
      if (i < 16) {
        const j = o + 4 * i;
        x = (p[j] as number) << 24 | (p[j + 1] as number) << 16 | (p[j + 2] as number) << 8 |
          (p[j + 3] as number);
      } else {
        const y = w[i - 2] as number;
        x = w[i - 15] as number;
        x = ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ (x >>> 3)) + (w[i - 16] as number) +
            (w[i - 7] as number) +
            ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ (y >>> 10)) | 0;
      }
      w[i] = x;
      x = x + z + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) +
          (g ^ (e & (f ^ g))) + (k[i] as number) | 0;
      z = g;
      g = f;
      f = e;
      e = d + x | 0;
      d = c;
      x = x + ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) +
          ((a & b) ^ (a & c) ^ (b & c)) | 0;
      c = b;
      b = a;
      a = x;
    }
    h0 = h0 + a | 0;
    h1 = h1 + b | 0;
    h2 = h2 + c | 0;
    h3 = h3 + d | 0;
    h4 = h4 + e | 0;
    h5 = h5 + f | 0;
    h6 = h6 + g | 0;
    h7 = h7 + z | 0;
  }
  h.set([h0, h1, h2, h3, h4, h5, h6, h7]);
}

type Words = [number, number, number, number, number, number, number, number];
