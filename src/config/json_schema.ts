/**
 * The schema of a configuration file as JSON Schema, for editors.
 *
 * @module
 */

import { z } from "zod";
import { ENV_PREFIX, FLAG_PREFIX } from "./key.ts";
import { KEY_LIST } from "./keys.ts";
import { ownValue } from "./own.ts";
import { documentSchema } from "./schema.ts";

/** One schema within another. */
type Schema = Record<string, unknown>;

/**
 * The JSON Schema (draft 2020-12) of a configuration file.
 *
 * It holds types, forms and defaults. Bounds of values with a unit are told in descriptions only:
 * `config check` holds them.
 *
 * @returns A fresh plain object.
 */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(documentSchema(), { io: "input" }) as Schema;
  for (const { path, type, reload, env, flag, doc } of KEY_LIST) {
    const place = path.split(".").reduce<unknown>(
      (at, name) => ownValue(ownValue(at, "properties"), name),
      schema,
    ) as Schema;
    const names = `${ENV_PREFIX}${env}${flag === undefined ? "" : `, --${FLAG_PREFIX}${flag}`}`;
    place["description"] = `${sentence(doc)} Legal: ${type.legal}. Reload: ${reload}. ${names}`;
    place["examples"] = [type.example];
  }
  return { ...schema, title: "ron-transport configuration" };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
