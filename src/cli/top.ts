/**
 * `top`: the figures of a running transport, for eyes.
 *
 * @module
 */

import { env, onInterrupt } from "../runtime/host.ts";
import { TransportError } from "../errors.ts";
import { usageError } from "./args.ts";
import type { Command, Parsed, Terminal } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { parseExposition } from "./top_exposition.ts";
import { figuresOf, type Look } from "./top_figures.ts";
import { type Source, sourceOf } from "./top_source.ts";
import { screenOf } from "./top_screen.ts";

/** The command. */
export const top: Command = {
  spec: {
    name: "top",
    summary: "Show a running server: connections, rates, rejects, handshakes, readiness",
    examples: [
      { line: "top 127.0.0.1:9464", says: "of `serve --metrics 127.0.0.1:9464`, until Ctrl-C" },
      { line: "top 127.0.0.1:9464 --once --json", says: "one look, for scripts" },
      { line: "top metrics.txt --once", says: "of metrics that were saved" },
    ],
    arguments: [{ name: "ADDR|FILE" }],
    flags: [
      { name: "once", help: "look once and end" },
      { name: "interval", value: "SECONDS", help: "time between two looks (2)" },
    ],
  },
  run: async (parsed, terminal) => {
    const source = sourceOf(parsed.positionals[0]!);
    const every = intervalOf(parsed) * 1_000;
    if (parsed.has("once")) {
      await new Screen(source, parsed, terminal).look();
      return EXIT.ok;
    }
    return await watch(new Screen(source, parsed, terminal), every, terminal);
  },
};

/** Looks again and again, until an interrupt. */
async function watch(screen: Screen, every: number, terminal: Terminal): Promise<number> {
  let wake = (): void => undefined;
  let ended = false;
  const stop = onInterrupt(() => {
    ended = true;
    wake();
  });
  try {
    while (!ended) {
      try {
        await screen.look();
      } catch (error) {
        if (screen.looks === 0) throw error; // it was never there
        await terminal.err.write(`${(error as Error).message}\n`);
        screen.missed();
      }
      if (ended) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, every);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    stop();
  }
  return EXIT.ok;
}

/** What is shown, and the look before. */
class Screen {
  looks = 0;
  readonly #source: Source;
  readonly #terminal: Terminal;
  readonly #json: boolean;
  #before: Look | undefined;
  #rows = 0;

  constructor(source: Source, parsed: Parsed, terminal: Terminal) {
    this.#source = source;
    this.#terminal = terminal;
    this.#json = parsed.has("json");
  }

  /** Looks, and shows it. */
  async look(): Promise<void> {
    const { text, readiness } = await this.#source.read();
    const now: Look = { at: performance.now(), samples: parseExposition(text) };
    if (!now.samples.some(({ name }) => name === "conn_inflight")) {
      throw new TransportError(
        "misuse",
        `${this.#source.name} has no metrics of a transport: name the address of \`serve --metrics\`, or a file of its /metrics`,
        { op: "top" },
      );
    }
    const figures = figuresOf(now, this.#before);
    this.#before = now;
    this.looks++;
    const { out } = this.#terminal;
    const time = new Date().toISOString();
    if (this.#json) {
      const line = {
        at: time,
        source: this.#source.name,
        readiness: readiness ?? null,
        ...figures,
      };
      return await out.write(`${JSON.stringify(line)}\n`);
    }
    const subject = {
      source: this.#source.name,
      readiness: readiness === undefined
        ? undefined
        : readiness.state + (readiness.reason === undefined ? "" : ` (${readiness.reason})`),
      time: time.slice(11, 19),
    };
    const lines = screenOf(subject, figures, out.terminal ? out.columns : 200);
    await out.write(this.#drawn(lines));
  }

  /** Something else was written: the next screen starts below it. */
  missed(): void {
    this.#rows = 0;
  }

  #drawn(lines: readonly string[]): string {
    if (!this.#terminal.out.terminal) return `${lines.join("\n")}\n\n`;
    const up = this.#rows === 0 ? "" : `\x1b[${this.#rows}A\r`;
    this.#rows = lines.length;
    const [first = "", ...rest] = lines;
    const title = (env("NO_COLOR") ?? "") === "" ? `\x1b[1m${first}\x1b[0m` : first;
    return `${up}\x1b[J${[title, ...rest].join("\n")}\n`;
  }
}

function intervalOf(parsed: Parsed): number {
  const text = parsed.value("interval") ?? "2";
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds >= 0.1 && seconds <= 3_600) return seconds;
  throw usageError(`--interval must be 0.1 to 3600 seconds, got "${text}"`, "top");
}
