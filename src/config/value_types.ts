/**
 * The types that configuration values have. Each knows how it is checked, how it is written in an
 * environment variable or a flag, how a value of it is shown, and which of two values bounds less.
 *
 * @module
 */

import { z } from "zod";
import { CAPS } from "../caps.ts";
import { DURATION, formatDuration, formatSize, parseDuration, parseSize, SIZE } from "./units.ts";

/** One type of value: `In` is what a document holds, `Out` what the snapshot holds. */
export interface ValueType<in out In, in out Out> {
  /** Name of the type, for people. */
  readonly name: string;
  /** The legal values, for people. */
  readonly legal: string;
  /** Placeholder in help texts. */
  readonly placeholder: string;
  /** A legal value, to be shown where another was given. */
  readonly example: In;
  /** The check. Made when first asked for: making those of all keys takes as long as all else at a start. */
  readonly schema: () => z.ZodType<Out, In>;
  /** What a document would hold for a text of an environment variable or a flag. */
  readonly fromText: (text: string) => unknown;
  /** The canonical form in a document: `schema` of it gives the same value again. */
  readonly toDocument: (value: Out) => In;
  /** What `schema` makes of a value that is known to be legal, as the table's defaults are. */
  readonly fromDocument: (value: In) => Out;
  /** Whether `to` bounds less than `from`. */
  readonly widens: (from: Out, to: Out) => boolean;
}

const MOST_U32 = 4_294_967_295;
const same = (text: string): unknown => text;
const never = (): boolean => false;
const greater = (from: number, to: number): boolean => to > from;
/** Where 0 means that there is no limit. */
const greaterOrOff = (from: number, to: number): boolean => from !== 0 && (to === 0 || to > from);
const bytes = (value: string | number): number => parseSize(value) ?? NaN;
/** What is no number stays text, so that the check names it. */
const numeric = (text: string): unknown =>
  /^(?:0|-?[1-9][0-9]{0,15})$/.test(text) ? Number(text) : text;

/**
 * A duration, in milliseconds once checked.
 *
 * @param least The least legal one, in milliseconds.
 */
export function duration(least: number): ValueType<string, number> {
  const bound = least === 0 ? "" : least === 1 ? " above 0" : ` of at least ${least / 1_000}s`;
  const rule = `must be a duration${bound}, written like 250ms, 5s or 2m`;
  return {
    name: "duration",
    legal: least === 0 ? "at least 0s" : least === 1 ? "above 0" : `at least ${least / 1_000}s`,
    placeholder: "TIME",
    example: "5s",
    schema: once(() =>
      z.string(rule).regex(DURATION, rule).transform((text, context) => {
        const ms = parseDuration(text);
        if (ms !== undefined && ms >= least) return ms;
        context.addIssue(rule);
        return z.NEVER;
      })
    ),
    fromText: same,
    toDocument: formatDuration,
    fromDocument: (text) => parseDuration(text) ?? NaN,
    widens: greater,
  };
}

/**
 * A size ceiling, in bytes once checked.
 *
 * @param least The least legal one.
 * @param most The greatest, built in.
 */
export function size(least: number, most: number): ValueType<string | number, number> {
  const built = most === CAPS.frameBytes || most === CAPS.chunkBytes
    ? " (the upper bound is built in: configuration can only lower it)"
    : "";
  const rule = `must be ${formatSize(least)} to ${formatSize(most)}${built}`;
  return {
    name: "size",
    legal: `${formatSize(least)} to ${formatSize(most)}`,
    placeholder: "SIZE",
    example: formatSize(most),
    schema: once(() => sizeSchema(least, most, rule)),
    fromText: same,
    toDocument: formatSize,
    fromDocument: bytes,
    widens: greater,
  };
}

/** Bytes per second: a size, where 0 is no limit. The largest number that counts exactly bounds it. */
export function byteRate(): ValueType<string | number, number> {
  const most = Number.MAX_SAFE_INTEGER;
  return {
    name: "bytes per second",
    legal: "0 (no limit) to 2^53 - 1",
    placeholder: "SIZE",
    example: "10MiB",
    schema: once(() =>
      sizeSchema(0, most, "must be a size below 2^53 such as 10MiB, or 0 for no limit")
    ),
    fromText: same,
    toDocument: formatSize,
    fromDocument: bytes,
    widens: greaterOrOff,
  };
}

/**
 * A count.
 *
 * @param least The least legal one: 1, or 0 where that means no limit.
 */
export function count(least: 0 | 1): ValueType<number, number> {
  return {
    name: "count",
    legal: least === 0 ? `0 (no limit) to ${MOST_U32}` : `${least} to ${MOST_U32}`,
    placeholder: "N",
    example: 1_024,
    schema: once(() =>
      z.int("must be a whole number").min(least, `must be at least ${least}`)
        .max(MOST_U32, "must fit 32 bits")
    ),
    fromText: numeric,
    toDocument: (value) => value,
    fromDocument: (value) => value,
    widens: least === 0 ? greaterOrOff : greater,
  };
}

/** Events per second, where 0 is no limit. The largest number that counts exactly bounds it. */
export function eventRate(): ValueType<number, number> {
  return {
    name: "count per second",
    legal: "0 (no limit) to 2^53 - 1",
    placeholder: "N",
    example: 100,
    schema: once(() =>
      z.int("must be a whole number per second, 0 for no limit").min(0, "must be at least 0")
    ),
    fromText: numeric,
    toDocument: (value) => value,
    fromDocument: (value) => value,
    widens: greaterOrOff,
  };
}

/** `true` or `false`. */
export function bool(): ValueType<boolean, boolean> {
  return {
    name: "boolean",
    legal: "true or false",
    placeholder: "",
    example: true,
    schema: once(() => z.boolean("must be true or false")),
    fromText: (text) => text === "true" ? true : text === "false" ? false : text,
    toDocument: (value) => value,
    fromDocument: (value) => value,
    widens: never,
  };
}

/**
 * One of a few words.
 *
 * @param words At least one.
 */
export function choice<W extends string>(...words: readonly [W, ...W[]]): ValueType<W, W> {
  const listed = words.length === 1
    ? words[0]
    : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  return {
    name: "choice",
    legal: listed,
    placeholder: words.join("|"),
    example: words[0],
    schema: once(() =>
      z.enum(words as readonly string[], `must be ${listed}`) as unknown as z.ZodType<W, W>
    ),
    fromText: same,
    toDocument: (value) => value,
    fromDocument: (value) => value,
    widens: never,
  };
}

/** What a text may be; see {@linkcode text}. */
export interface TextRules {
  /** What it is, such as `must be a host name`. */
  readonly rule: string;
  readonly legal: string;
  readonly placeholder: string;
  readonly example: string;
  /** Most characters. */
  readonly most: number;
}

/** A text without control characters; empty for none. */
export function text(rules: TextRules): ValueType<string, string> {
  const { rule, legal, placeholder, example, most } = rules;
  const plain = `${rule}, without control characters`;
  return {
    name: "text",
    legal,
    placeholder,
    example,
    schema: once(() =>
      z.string(rule).max(most, `${rule} of at most ${most} characters`)
        // deno-lint-ignore no-control-regex
        .regex(/^[^\u0000-\u001f\u007f]*$/, plain)
    ),
    fromText: same,
    toDocument: (value) => value,
    fromDocument: (value) => value,
    widens: never,
  };
}

/** A path of a file; empty for none. Relative ones are the host's business. */
export function path(example: string): ValueType<string, string> {
  return text({
    rule: "must be a path",
    legal: "a path, or empty for none",
    placeholder: "FILE",
    example,
    most: 4_096,
  });
}

/** Names of application protocols, best first. */
export function protocols(): ValueType<readonly string[], readonly string[]> {
  return {
    name: "list",
    legal: "at most 16 names of 1 to 255 characters",
    placeholder: "A,B",
    example: ["oap/1"],
    schema: once(() =>
      z.array(
        z.string("must name a protocol").min(1, "must name a protocol")
          .max(255, "must be at most 255 bytes"),
        "must be a list of protocol names",
      ).max(16, "must name at most 16 protocols")
    ),
    fromText: listed,
    toDocument: (value) => [...value],
    fromDocument: (value) => [...value],
    widens: never,
  };
}

/** User ids. */
export function userIds(): ValueType<readonly number[], readonly number[]> {
  const rule = "must be a user id: a whole number of 32 bits";
  return {
    name: "list",
    legal: `at most 1024 whole numbers up to ${MOST_U32}`,
    placeholder: "N,N",
    example: [1_000],
    schema: once(() =>
      z.array(z.int(rule).min(0, rule).max(MOST_U32, rule), "must be a list of user ids")
        .max(1_024, "must name at most 1024 user ids")
    ),
    fromText: (text) => (listed(text) as string[]).map(numeric),
    toDocument: (value) => [...value],
    fromDocument: (value) => [...value],
    // An empty list lets in everyone.
    widens: (from, to) =>
      from.length > 0 && (to.length === 0 || to.some((id) => !from.includes(id))),
  };
}

/** `ip:port`, or none. */
export function bindAddress(): ValueType<string | null, string | null> {
  const form = "must be ip:port, such as 127.0.0.1:0 or [::1]:7000, or none to only dial";
  return {
    name: "address",
    legal: "ip:port with a port up to 65535, or none",
    placeholder: "IP:PORT",
    example: "127.0.0.1:0",
    schema: once(() =>
      z.string(form).max(64, form)
        .regex(/^(?:(?:\[[0-9a-fA-F:.]+\]|[0-9.]+):[0-9]{1,5}|none)$/, form).nullable()
        .transform((text, context) => {
          if (text === null || text === "none") return null;
          if (Number(text.slice(text.lastIndexOf(":") + 1)) <= 65_535) return text;
          context.addIssue("must have a port of at most 65535");
          return z.NEVER;
        })
    ),
    fromText: same,
    toDocument: (value) => value ?? "none",
    fromDocument: (value) => value === "none" ? null : value,
    widens: never,
  };
}

/** Comma-separated; an empty text is an empty list. */
function listed(text: string): unknown {
  return text === "" ? [] : text.split(",", 2_000);
}

function sizeSchema(
  least: number,
  most: number,
  rule: string,
): z.ZodType<number, string | number> {
  const number = z.int(rule).min(0, rule);
  return z.union([z.string().regex(SIZE, rule), number], rule).transform((value, context) => {
    const bytes = parseSize(value);
    if (bytes !== undefined && bytes >= least && bytes <= most) return bytes;
    context.addIssue(rule);
    return z.NEVER;
  });
}

/** Makes a value when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
