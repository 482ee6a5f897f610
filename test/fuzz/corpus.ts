/** Inputs that once broke something: `test/fuzz/corpus/TARGET/*.bin`. They are run first, for ever. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../runtimes.ts";

/** Where they are. */
export const CORPUS: string = join(ROOT, "test/fuzz/corpus");

/** The kept inputs of a target, and of another folder if there is one. */
export function corpusOf(target: string, folder: string = CORPUS): Uint8Array[] {
  const own = join(folder, target);
  if (!existsSync(own)) return [];
  return readdirSync(own).filter((name) => name.endsWith(".bin")).sort()
    .map((name) => new Uint8Array(readFileSync(join(own, name))));
}
