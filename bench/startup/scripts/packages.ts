/** Imports what the library imports from others to listen on TCP, named in the arguments, and no more. */
import process from "node:process";
import { clock } from "../clock.ts";

const names = process.argv.slice(2);
const lap = clock();
for (const name of names) await import(name);
lap();
