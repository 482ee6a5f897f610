/**
 * Copies that share nothing with what a caller passed, and cannot be changed.
 *
 * @module
 */

/** Longest list that is copied whole; every legal one is shorter. */
const MOST_ITEMS = 2_000;

/**
 * A copy by own enumerable properties, down to `depth` tables; what lies deeper is no legal value.
 * Inherited properties do not count, and none of the copy's has a meaning to the language.
 *
 * @param value Anything.
 * @param depth How many tables down.
 */
export function ownCopy(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth === 0) return value;
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS);
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, ownCopy(part, depth - 1)]),
  );
}

/** The value of an own property, if there is one. */
export function ownValue(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

/** What lies at a dotted path, through own properties only. */
export function valueAt(value: unknown, path: string): unknown {
  return path.split(".").reduce(ownValue, value);
}

/** Puts a value at a dotted path, and makes the table for it where there is none. */
export function put(document: Record<string, unknown>, path: string, value: unknown): void {
  const [head = "", name] = path.split(".");
  if (name === undefined) document[head] = value;
  else {
    const table = document[head] as Record<string, unknown> | undefined;
    document[head] = { ...table, [name]: value };
  }
}

/** Freezes a value and all it holds. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
