/**
 * The exported API, as `deno doc --json` describes it: one identifier for each name and each member.
 *
 * Names of parameters, documentation and places in files are no part of a value, so that only what a
 * caller can notice is a change.
 *
 * @module
 */

import { typeText } from "./api_types.ts";
import type { Declaration, Doc, Member, Param, Symbols } from "./doc_json.ts";
import type { Identifiers } from "./identifiers.ts";
import type { Json } from "./log.ts";

/** Identifiers with the files that they were found in. */
export interface Api {
  readonly identifiers: Identifiers;
  /** Path from the root, by identifier. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Reads the API.
 *
 * @param doc What `deno doc --json` printed for all entries.
 * @param entries Paths of the entries by their names, as `deno.json` has them.
 * @param root The checkout, as a `file:` URL that ends in `/`.
 */
export function readApi(doc: Doc, entries: Readonly<Record<string, string>>, root: string): Api {
  const identifiers: Record<string, Json> = {};
  const files: Record<string, string> = {};
  const homes = byPlace(doc);
  const at = (filename: string): string => filename.replace(root, "");
  for (const [entry, path] of Object.entries(entries)) {
    const symbols = doc.nodes[new URL(path, root).href]?.symbols ?? [];
    for (const { name, declarations } of symbols) {
      const found = declarations.map((one) => homes.get(placeOf(one.def?.target)) ?? one);
      const members = new Map<string, Json[]>();
      for (const one of found) collect(one, name, members);
      for (const [member, forms] of members) {
        const identifier = `export:${entry}#${member}`;
        identifiers[identifier] = forms.length === 1 ? forms[0]! : forms;
        files[identifier] = at(found[0]?.location.filename ?? "");
      }
    }
  }
  return { identifiers: { ...identifiers, ...readiness(doc) }, files };
}

/** States and reasons of readiness are types: nothing that runs has all of them. */
function readiness(doc: Doc): Record<string, Json> {
  const symbols = Object.values(doc.nodes).flatMap((module) => module.symbols);
  const literals = (name: string, keep: (key: string) => boolean): string[] => {
    const found: string[] = [];
    const walk = (value: unknown, kept: boolean): void => {
      if (typeof value !== "object" || value === null) return;
      const { kind, name = "", string } = value as {
        kind?: unknown;
        name?: string;
        string?: string;
      };
      const here = kept || (typeof name === "string" && keep(name));
      if (kind === "string" && here && string !== undefined) found.push(string);
      for (const part of Object.values(value)) walk(part, here);
    };
    walk(symbols.find((symbol) => symbol.name === name)?.declarations[0]?.def, keep(""));
    return found;
  };
  const states = literals("Readiness", (key) => key === "state");
  const reasons = literals("ReadinessReason", () => true);
  return Object.fromEntries([
    ...states.map((state) => [`readiness:${state}`, true]),
    ...reasons.map((reason) => [`readiness_reason:${reason}`, true]),
  ]);
}

/** Every declaration by its place: a second entry that has a name only refers to it. */
function byPlace(doc: Doc): Map<string, Declaration> {
  const found = new Map<string, Declaration>();
  for (const { symbols } of Object.values(doc.nodes)) {
    for (const { declarations } of symbols) {
      for (const one of declarations) {
        if (one.kind !== "reference") found.set(placeOf(one.location), one);
      }
    }
  }
  return found;
}

function placeOf(place: Declaration["location"] | undefined): string {
  return place === undefined ? "" : `${place.filename}:${place.line}:${place.col}`;
}

function collect(one: Declaration, name: string, into: Map<string, Json[]>): void {
  const { kind, def = {} } = one;
  const put = (member: string, value: Json): void => {
    const forms = into.get(member);
    if (forms === undefined) into.set(member, [value]);
    else forms.push(value);
  };
  switch (kind) {
    case "function":
      return put(name, call(def));
    case "variable":
      return put(name, `const: ${typeText(def.tsType)}`);
    case "typeAlias":
      return put(name, alias(def));
    case "class":
    case "interface": {
      const bases = [def.extends, def.implements].flat().filter((base) => base !== undefined);
      const heads = bases.map((base) => typeof base === "string" ? base : typeText(base));
      put(name, [`${def.isAbstract === true ? "abstract " : ""}${kind}`, ...heads].join(" "));
      for (const member of def.constructors ?? []) {
        if (!internal(member)) put(`${name}.constructor`, call(member));
      }
      for (const member of def.properties ?? []) {
        if (!internal(member)) put(`${name}.${member.name}`, property(member));
      }
      for (const member of def.methods ?? []) {
        if (!internal(member)) put(`${name}.${member.name}`, method(member));
      }
      return;
    }
    default:
      return put(name, kind);
  }
}

/** Unions of words are lists, so that a further word is seen as one. */
function alias({ tsType, typeParams }: Symbols): Json {
  const parts = tsType?.kind === "union" ? tsType.value as Symbols["tsType"][] : undefined;
  const words = parts?.map(typeText).sort();
  const generic = (typeParams ?? []).map(({ name }) => name).join(", ");
  return words ?? `type${generic === "" ? "" : `<${generic}>`}: ${typeText(tsType)}`;
}

function property({ readonly, optional, isStatic, tsType }: Member): string {
  const words = [isStatic && "static", optional && "optional", readonly && "readonly"];
  return [...words.filter((word) => word), typeText(tsType)].join(" ");
}

function method(member: Member): Json {
  const { kind, functionDef, isStatic, optional } = member;
  if (kind === "getter" || kind === "setter") {
    return `${kind}: ${typeText(functionDef?.returnType ?? functionDef?.params?.[0]?.tsType)}`;
  }
  const signature = call(functionDef ?? member);
  const words = [isStatic && "static", optional && "optional"].filter((word) => word);
  return words.length === 0 ? signature : { ...signature, is: words.join(" ") };
}

/** A signature: what goes in, each with `?` where it may be left out, and what comes out. */
function call({ params = [], returnType, typeParams = [] }: Symbols): Record<string, Json> {
  const generic = typeParams.map(({ constraint }) => constraint ? typeText(constraint) : "any");
  return {
    ...(generic.length === 0 ? {} : { of: generic }),
    takes: params.map(paramText),
    ...(returnType === undefined ? {} : { gives: typeText(returnType) }),
  };
}

function paramText(param: Param): string {
  const { kind, left, tsType, optional } = param;
  if (kind === "assign") return `${typeText(left?.tsType ?? param.tsType)}?`;
  return `${kind === "rest" ? "..." : ""}${typeText(tsType)}${optional ? "?" : ""}`;
}

function internal({ jsDoc }: Member): boolean {
  return jsDoc?.tags?.some(({ kind }) => kind === "internal") === true;
}
