#!/usr/bin/env node
/**
 * The command line: `serve`, `send`, `top`, `config`, `governance`, `doctor` and `demo`.
 *
 * Importing this module runs it.
 *
 * @module
 */

import { exit, output, processFacts } from "../runtime/host.ts";
import { runProgram } from "./program.ts";

exit(await runProgram(processFacts().args, { out: output(1), err: output(2) }));
