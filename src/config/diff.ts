/**
 * What differs between two configurations.
 *
 * @module
 */

import type { ConfigChange, ConfigSnapshot } from "./config.ts";
import { KEY_LIST } from "./keys.ts";
import { valueAt } from "./own.ts";

/**
 * The keys whose values differ, in the order of the documents.
 *
 * @param from A valid configuration.
 * @param to Another.
 */
export function diffConfigs(from: ConfigSnapshot, to: ConfigSnapshot): readonly ConfigChange[] {
  const changes = KEY_LIST.flatMap((key): ConfigChange[] => {
    const [before, after] = [valueAt(from, key.path), valueAt(to, key.path)];
    const [old, now] = [key.type.toDocument(before), key.type.toDocument(after)];
    if (JSON.stringify(old) === JSON.stringify(now)) return [];
    const hidden = key.hidden === true;
    return [Object.freeze({
      path: key.path,
      from: hidden ? HIDDEN : old,
      to: hidden ? HIDDEN : now,
      reload: key.reload,
      widened: key.type.widens(before, after),
    })];
  });
  return Object.freeze(changes);
}

/** Stands for a value that is kept out of what people and logs see. */
export const HIDDEN = "(hidden)";
