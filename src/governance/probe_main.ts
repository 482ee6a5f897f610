/**
 * Prints what the library of this tree is, as JSON. Its one argument: the ceilings that the policy fixes.
 *
 * @module
 */

import { output, processFacts } from "../runtime/host.ts";
import { probe } from "./probe.ts";

const figures = JSON.parse(processFacts().args[0] ?? "{}");
await output(1).write(JSON.stringify(await probe(figures)) + "\n");
