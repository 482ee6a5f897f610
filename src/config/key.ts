/**
 * What is known of a configuration key beside its value.
 *
 * @module
 */

import type { ConfigChange, ConfigSnapshot, TransportConfig } from "./config.ts";
import type { ValueType } from "./value_types.ts";

/**
 * When a change of a key takes effect.
 *
 * - `hot`: with the next operation or admission; no open connection is closed for it.
 * - `rebind`: when the host rebinds its listeners.
 * - `next`: with the next dial or bootstrap.
 */
export type ReloadClass = ConfigChange["reload"];

/** One key: a row of the table in `keys.ts`. */
export interface Key<in out In, in out Out> {
  readonly type: ValueType<In, Out>;
  /** What a document would hold for the default. */
  readonly default: In;
  readonly reload: ReloadClass;
  /** Name of its environment variable, without {@linkcode ENV_PREFIX}. */
  readonly env: string;
  /** Name of its flag, without {@linkcode FLAG_PREFIX}; absent where there is none. */
  readonly flag?: string;
  /** One line: what it is. */
  readonly doc: string;
  /** Whether values are kept out of messages, dumps and differences: paths of keys and tokens. */
  readonly hidden?: true;
  /** Old names that still work, with a warning. */
  readonly aliases?: readonly string[];
}

/** Every environment variable of a key starts with it. */
export const ENV_PREFIX = "RON_TRANSPORT_";
/** Every flag of a key starts with it. */
export const FLAG_PREFIX = "transport.";

type Leaf = string | number | boolean | null | readonly unknown[];
type PathsOf<T> = {
  [K in keyof T & string]: T[K] extends Leaf ? K : `${K}.${keyof T[K] & string}`;
}[keyof T & string];
type At<T, P extends string> = P extends keyof T ? T[P]
  : P extends `${infer Head}.${infer Rest}`
    ? Head extends keyof T ? At<Exclude<T[Head], undefined>, Rest> : never
  : never;

/** The keys, dotted. */
export type ConfigPath = PathsOf<ConfigSnapshot>;
/** What a document may hold for a key. */
export type InputAt<P extends ConfigPath> = Exclude<At<TransportConfig, P>, undefined>;
/** What the snapshot holds for a key. */
export type ValueAt<P extends ConfigPath> = At<ConfigSnapshot, P>;

/**
 * A row for every key of the snapshot and for no other, with exactly the types that
 * {@linkcode TransportConfig} and {@linkcode ConfigSnapshot} have: those are written by hand, and
 * this holds them equal to the table.
 */
export type KeyTable = { readonly [P in ConfigPath]: Key<InputAt<P>, ValueAt<P>> };

/** A row with its name, as code that goes over all keys sees it. */
export interface AnyKey {
  /** The key, dotted. */
  readonly path: ConfigPath;
  readonly type: ValueType<unknown, unknown>;
  readonly default: unknown;
  readonly reload: ReloadClass;
  readonly env: string;
  readonly flag?: string;
  readonly doc: string;
  readonly hidden?: true;
  readonly aliases?: readonly string[];
}
