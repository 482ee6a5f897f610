/**
 * `demo`: the main job and its refusals, shown on this machine.
 *
 * @module
 */

import { onInterrupt, processFacts, RUNTIME_NAMES, type RuntimeName } from "../runtime/host.ts";
import { openInput, resolve } from "../runtime/host_files.ts";
import type { Command, FlagSpec, Parsed, Terminal } from "./command.ts";
import { type DemoOptions, runDemo } from "./demo_run.ts";
import { demoText } from "./demo_text.ts";
import { EXIT } from "./exit_codes.ts";
import { fileError } from "./file_errors.ts";

/** The command. */
export const demo: Command = {
  spec: {
    name: "demo",
    summary: "Send a real file from one process to another over TLS, then try what must be refused",
    examples: [
      { line: "demo", says: "sends the runtime's own executable" },
      { line: "demo FILE --json", says: "sends FILE; one JSON document on standard output" },
      { line: "demo --receiver bun --sender node", says: "on two runtimes" },
    ],
    arguments: [{ name: "FILE", optional: true }],
    flags: [
      runtimeFlag("runtime", "for both processes; this one's own if not given"),
      runtimeFlag("receiver", "for the receiver alone"),
      runtimeFlag("sender", "for the sender alone"),
    ],
  },
  async run(parsed, terminal) {
    const options = optionsOf(parsed, terminal);
    await mustBeReadable(options.file);
    const aborted = new AbortController();
    const stop = onInterrupt(() => aborted.abort());
    try {
      const report = await runDemo(options, aborted.signal);
      const text = parsed.has("json") ? JSON.stringify(report, null, 2) + "\n" : demoText(report);
      await terminal.out.write(text);
      return report.held ? EXIT.ok : EXIT.failure;
    } catch (error) {
      if (!aborted.signal.aborted) throw error;
      await terminal.err.write("interrupted; both processes have ended\n");
      return EXIT.interrupted;
    } finally {
      stop();
    }
  },
};

function runtimeFlag(name: string, says: string): FlagSpec {
  return { name, value: "RUNTIME", choices: RUNTIME_NAMES, help: `runtime ${says}` };
}

function optionsOf(parsed: Parsed, { err }: Terminal): DemoOptions {
  const own = processFacts();
  const both = parsed.value("runtime");
  // The parser has checked them against the choices.
  const pick = (flag: string): RuntimeName => {
    return (parsed.value(flag) ?? both ?? own.runtime) as RuntimeName;
  };
  const quiet = parsed.has("quiet");
  return {
    file: resolve(parsed.positionals[0] ?? own.executable),
    receiver: pick("receiver"),
    sender: pick("sender"),
    quiet,
    onStage: (text) => quiet ? undefined : void err.write(`${text} ...\n`),
  };
}

async function mustBeReadable(path: string): Promise<void> {
  try {
    const file = await openInput(path);
    await file.close();
  } catch (error) {
    throw fileError("read FILE", path, error, "name a readable file", "misuse");
  }
}
