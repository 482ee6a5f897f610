/**
 * Types of `deno doc --json` as text, in a form that does not change unless the type does.
 *
 * @module
 */

import type { Param, Symbols, TsType } from "./doc_json.ts";

/** The text of a type; `any` for none. */
export function typeText(type: TsType | undefined): string {
  if (type === undefined) return "any";
  const { kind, value, repr } = type;
  switch (kind) {
    case "keyword":
    case "this":
    case "typePredicate":
      return String(repr ?? value ?? kind);
    case "literal":
      return literal(value as Record<string, unknown>);
    case "typeRef": {
      const { typeName, typeParams } = value as { typeName: string; typeParams?: TsType[] };
      return typeParams ? `${typeName}<${typeParams.map(typeText).join(", ")}>` : typeName;
    }
    case "union":
      return (value as TsType[]).map(typeText).sort().join(" | ");
    case "intersection":
      return (value as TsType[]).map(typeText).sort().join(" & ");
    case "array":
      return `${typeText(value as TsType)}[]`;
    case "tuple":
      return `[${(value as TsType[]).map(typeText).join(", ")}]`;
    case "parenthesized":
      return `(${typeText(value as TsType)})`;
    case "rest":
      return `...${typeText(value as TsType)}`;
    case "optional":
      return `${typeText(value as TsType)}?`;
    case "typeOperator": {
      const { operator, tsType } = value as { operator: string; tsType: TsType };
      return `${operator} ${typeText(tsType)}`;
    }
    case "indexedAccess": {
      const { objType, indexType } = value as { objType: TsType; indexType: TsType };
      return `${typeText(objType)}[${typeText(indexType)}]`;
    }
    case "typeQuery":
      return `typeof ${String(value)}`;
    case "fnOrConstructor": {
      const { constructor: makes, tsType, params } = value as FunctionType;
      const takes = params.map(parameter).join(", ");
      return `${makes === true ? "new " : ""}(${takes}) => ${typeText(tsType)}`;
    }
    case "typeLiteral":
      return objectText(value as Symbols);
    default: // Rare ones as they come: still the same text for the same type.
      return `${kind} ${repr || canonical(value)}`;
  }
}

interface FunctionType {
  readonly constructor: boolean;
  readonly tsType: TsType;
  readonly params: readonly Param[];
}

function objectText({ properties = [], methods = [], ...rest }: Symbols): string {
  const parts = properties.map(({ name, readonly, optional, tsType }) =>
    `${readonly ? "readonly " : ""}${name}${optional ? "?" : ""}: ${typeText(tsType)}`
  );
  for (const { name, params = [], returnType } of methods) {
    parts.push(`${name}(${params.map(parameter).join(", ")}): ${typeText(returnType)}`);
  }
  const others = canonical(rest);
  return `{ ${[...parts.sort(), ...(others === "{}" ? [] : [others])].join("; ")} }`;
}

function parameter({ kind, optional, tsType, left }: Param): string {
  if (kind === "assign") return `${typeText(left?.tsType ?? tsType)}?`;
  return `${kind === "rest" ? "..." : ""}${typeText(tsType)}${optional ? "?" : ""}`;
}

function literal(value: Record<string, unknown>): string {
  const kind = String(value["kind"]);
  const held = value[kind];
  return kind === "string" ? JSON.stringify(held) : String(held ?? canonical(value));
}

/** JSON without what says only where something was written. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (key, part) => {
    if (key === "location" || key === "jsDoc") return undefined;
    return Array.isArray(part) && part.length === 0 ? undefined : part;
  }) ?? "";
}
