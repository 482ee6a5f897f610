/**
 * The parts of `deno doc --json` (version 2) that are read.
 *
 * @module
 */

/** All modules, by URL. */
export interface Doc {
  readonly version: number;
  readonly nodes: Readonly<Record<string, { readonly symbols: readonly DocSymbol[] }>>;
}

/** One exported name. */
export interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/** Where something is declared. */
export interface Place {
  readonly filename: string;
  readonly line: number;
  readonly col: number;
}

/** One declaration of a name. */
export interface Declaration {
  readonly kind: string;
  readonly location: Place;
  readonly def?: Symbols;
}

/** What a declaration holds; which parts there are depends on its kind. */
export interface Symbols {
  readonly target?: Place;
  readonly tsType?: TsType;
  readonly returnType?: TsType;
  readonly params?: readonly Param[];
  readonly typeParams?: readonly { readonly name: string; readonly constraint?: TsType }[];
  readonly properties?: readonly Member[];
  readonly methods?: readonly Member[];
  readonly constructors?: readonly Member[];
  readonly isAbstract?: boolean;
  readonly extends?: string | readonly TsType[];
  readonly implements?: readonly TsType[];
}

/** A member of a class, an interface or an object type. */
export interface Member extends Symbols {
  readonly name: string;
  readonly kind?: string;
  readonly readonly?: boolean;
  readonly optional?: boolean;
  readonly isStatic?: boolean;
  readonly functionDef?: Symbols;
  readonly jsDoc?: { readonly tags?: readonly { readonly kind: string }[] };
}

/** A parameter. */
export interface Param {
  readonly kind: string;
  readonly optional?: boolean;
  readonly tsType?: TsType;
  readonly left?: Param;
}

/** A type; the form of `value` hangs on `kind`. */
export interface TsType {
  readonly kind: string;
  readonly repr?: string;
  readonly value?: unknown;
}
