/**
 * `doctor`: what works on this machine, and what to do about what does not.
 *
 * @module
 */

import { addonOf } from "../arti/mod.ts";
import { TransportError } from "../errors.ts";
import { wasmInfo } from "../oap/mod.ts";
import { processFacts } from "../runtime/host.ts";
import { AddonLoadError } from "../runtime/host_addon.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { VERSION } from "./version.ts";

/** One thing that was looked at. */
interface Finding {
  readonly name: string;
  /** `absent` is what is optional and not there. */
  readonly state: "ok" | "absent" | "broken";
  /** What was found, or what is wrong and the remedy. */
  readonly detail: string;
  readonly version?: string;
  readonly path?: string;
}

/** The command. */
export const doctor: Command = {
  spec: {
    name: "doctor",
    summary: "Tell what works here: the runtime, the WebAssembly module, the addon of Tor",
    examples: [
      { line: "doctor", says: "one line a part; code 1 if something is broken" },
      { line: "doctor --arti-addon FILE", says: "the same with an addon that is not installed" },
    ],
    arguments: [],
    flags: [{ name: "arti-addon", value: "FILE", help: "the addon of Tor to look at" }],
  },
  async run(parsed, { out }) {
    const findings = [runtime(), codec(), tor(parsed.value("arti-addon"))];
    await out.write(
      parsed.has("json")
        ? JSON.stringify({ version: VERSION, findings }) + "\n"
        : findings.map(lineText).join(""),
    );
    return findings.some(({ state }) => state === "broken") ? EXIT.failure : EXIT.ok;
  },
};

function runtime(): Finding {
  const { runtime, version } = processFacts();
  const detail = `ron-transport ${VERSION} on ${runtime} ${version}`;
  return { name: "runtime", state: "ok", detail, version };
}

function codec(): Finding {
  try {
    const { sha256, toolchain } = wasmInfo();
    return { name: "codec", state: "ok", detail: `${sha256.slice(0, 12)}, ${toolchain}` };
  } catch (error) {
    return { name: "codec", state: "broken", detail: textOf(error) };
  }
}

/** Whether the addon loads; no client is started. */
function tor(addon: string | undefined): Finding {
  try {
    const { addon: { version = "unknown" }, path = "" } = addonOf(
      addon === undefined ? {} : { addon },
    );
    return { name: "arti", state: "ok", detail: `${version}, from ${path}`, version, path };
  } catch (error) {
    const cause = TransportError.is(error) ? error.cause : undefined;
    const missing = cause instanceof AddonLoadError && cause.fault === "missing";
    // Nobody needs it who does not ask for it.
    const state = missing && addon === undefined ? "absent" : "broken";
    return { name: "arti", state, detail: textOf(error) };
  }
}

function lineText({ name, state, detail }: Finding): string {
  return `${state.padEnd(6)} ${name.padEnd(7)} ${detail}\n`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
