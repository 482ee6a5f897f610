/**
 * A decoder that is obviously right: it keeps all bytes and looks at one field after the other, in the order of
 * the wire's checks. Slow, quadratic in bad cases, and independent of the library: only tests use it.
 */

/** A frame as the oracle sees it. COMP frames stay as they are. */
export interface OracleFrame {
  len: number;
  flags: number;
  code: number;
  appProtoId: number;
  tenantId: bigint;
  corrId: bigint;
  capability: number[];
  payload: number[];
}

/** What a whole input comes to. */
export interface OracleResult {
  frames: OracleFrame[];
  fault: string | undefined;
  unfinished: number;
}

/** Decodes a whole input. */
export function oracle(bytes: Uint8Array, maxFrameBytes: number): OracleResult {
  const frames: OracleFrame[] = [];
  let rest = Array.from(bytes);
  for (;;) {
    if (rest.length < 38) return { frames, fault: undefined, unfinished: rest.length };
    const len = number(rest, 0, 4);
    const capLen = number(rest, 28, 2);
    const flags = number(rest, 6, 2);
    let fault: string | undefined;
    if (flags > 255) fault = "BadFlags";
    else if (number(rest, 4, 2) !== 1) fault = "BadVersion";
    else if (len > maxFrameBytes || len === 0) fault = "FrameTooLarge";
    else if (capLen > 0 && Math.floor(flags / 8) % 2 === 0) fault = "CapOnNonStart";
    else if (len < 38) fault = "TruncatedHeader";
    else if (38 + capLen > len) fault = "CapOutOfBounds";
    if (fault !== undefined) return { frames, fault, unfinished: 0 };
    if (rest.length < len) return { frames, fault: undefined, unfinished: rest.length };
    frames.push({
      len,
      flags,
      code: number(rest, 8, 2),
      appProtoId: number(rest, 10, 2),
      tenantId: big(rest, 12, 16),
      corrId: big(rest, 30, 8),
      capability: rest.slice(38, 38 + capLen),
      payload: rest.slice(38 + capLen, len),
    });
    rest = rest.slice(len);
  }
}

function number(bytes: number[], at: number, n: number): number {
  return bytes.slice(at, at + n).reduce((value, byte) => value * 256 + byte, 0);
}

function big(bytes: number[], at: number, n: number): bigint {
  return bytes.slice(at, at + n).reduce((value, byte) => value * 256n + BigInt(byte), 0n);
}
