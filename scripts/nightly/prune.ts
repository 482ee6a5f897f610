/**
 * Removes what older runs left.
 *
 * @module
 */

import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Days that artefacts are kept. */
export const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;
/** Only folders of this name are runs; everything else is left alone. */
const NAME = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})Z$/;

/** The name of a run's folder. */
export function folderName(when: Date): string {
  return when.toISOString().replace(/\.\d+/, "").replaceAll(":", "-");
}

/**
 * Removes runs that are older than 30 days.
 *
 * @param root The folder of all runs.
 * @param now Milliseconds since 1970.
 * @returns The names of what was removed.
 */
export function prune(root: string, now: number): string[] {
  if (!existsSync(root)) return [];
  const old = readdirSync(root, { withFileTypes: true }).filter((entry) => {
    const [, day, hour, minute, second] = NAME.exec(entry.name) ?? [];
    if (!entry.isDirectory() || day === undefined) return false;
    return now - Date.parse(`${day}T${hour}:${minute}:${second}Z`) > KEPT_DAYS * DAY_MS;
  });
  for (const { name } of old) rmSync(join(root, name), { recursive: true });
  return old.map(({ name }) => name).sort();
}
