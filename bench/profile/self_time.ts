/**
 * Reads a `.cpuprofile` and adds up where the samples fell.
 *
 * @module
 */

/** A profile as V8 and JavaScriptCore write it. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** One function's own time. */
export interface SelfTime {
  readonly name: string;
  /** Last parts of its file's path; empty for the engine's own. */
  readonly file: string;
  /** Line in that file, from 1. */
  readonly line: number;
  /** Of all time that was not idle, in percent. */
  readonly percent: number;
}

/** Functions by their own time, most first. Waiting is left out. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): SelfTime[] {
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const found = new Map<string, { name: string; file: string; line: number; us: number }>();
  let all = 0;
  samples.forEach((id, i) => {
    const frame = byId.get(id);
    if (frame === undefined || /^\((?:idle|root)\)$/.test(frame.functionName)) return;
    const us = Math.max(0, timeDeltas[i] ?? 0);
    const file = shortPath(frame.url);
    const name = frame.functionName === ""
      ? `(anonymous, line ${frame.lineNumber + 1})`
      : frame.functionName;
    const key = `${name} ${file}`;
    const one = found.get(key) ?? { name, file, line: frame.lineNumber + 1, us: 0 };
    one.us += us;
    all += us;
    found.set(key, one);
  });
  return [...found.values()].sort((a, b) => b.us - a.us)
    .map(({ name, file, line, us }) => ({ name, file, line, percent: (100 * us) / all }));
}

function shortPath(url: string): string {
  const parts = url.replace(/^file:\/\//, "").split("/");
  const from = parts.lastIndexOf("src");
  return from >= 0 ? parts.slice(from).join("/") : parts.slice(-2).join("/");
}
