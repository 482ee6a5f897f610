/**
 * Times what a fresh process does from here on, and prints it. Imports nothing that others would not have
 * loaded anyway.
 *
 * @module
 */

import process from "node:process";

/** What one process measured. */
export interface Lap {
  /** Milliseconds. */
  readonly wallMs: number;
  /** Milliseconds of processor time, all threads. */
  readonly cpuMs: number;
  /** The same since the process began. */
  readonly processMs: number;
}

/** Starts a clock; the function that it gives prints the time since then as a line of JSON. */
export function clock(): () => void {
  const cpu = process.cpuUsage();
  const start = performance.now();
  return () => {
    const wallMs = performance.now() - start;
    const cpuMs = ms(process.cpuUsage(cpu));
    const lap: Lap = { wallMs, cpuMs, processMs: ms(process.cpuUsage()) };
    console.log(JSON.stringify(lap));
  };
}

function ms({ user, system }: { readonly user: number; readonly system: number }): number {
  return (user + system) / 1000;
}
