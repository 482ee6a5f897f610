/**
 * What the probe prints.
 *
 * @module
 */

/** A value as JSON has it. */
export type ProbeJson =
  | null
  | boolean
  | number
  | string
  | readonly ProbeJson[]
  | { readonly [key: string]: ProbeJson };

/** What was found. */
export interface Found {
  /** Values by identifier. */
  readonly identifiers: Readonly<Record<string, ProbeJson>>;
  /** The ceilings as the WebAssembly module and as TypeScript has them. */
  readonly ceilings: {
    readonly module: Readonly<Record<string, number>>;
    readonly library: Readonly<Record<string, number>>;
  };
  /** The digest that the library expects of its module. */
  readonly expectedSha256: string;
}
