/**
 * A private Tor network on loopback, from the command line; `test/tor/network/` is what does it.
 *
 * @module
 */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { missing, TorNetwork } from "../test/tor/network/mod.ts";
import { seconds } from "./lib/process.ts";

const USAGE = `usage: deno run -A scripts/setup_tor.ts start [DIR] [--owner PID]
       deno run -A scripts/setup_tor.ts status|toml|stop DIR
       deno run -A scripts/setup_tor.ts kill|restart DIR NODE

  start    start seven nodes, wait until all can be used, and print their folder; with --owner they
           end with that process, otherwise with \`stop\`
  status   what each node does
  toml     the network as configuration for Arti
  kill     end one node at once: auth0 to auth2, relay0, relay1, exit0, exit1
  restart  start it again, and wait until it can be used
  stop     end all nodes; their files stay`;

function usage(problem: string): never {
  console.error(`setup_tor: ${problem}\n${USAGE}`);
  process.exit(2);
}

async function start(args: readonly string[]): Promise<void> {
  const why = missing();
  if (why !== undefined) throw new Error(why);
  const at = args.indexOf("--owner");
  const owner = at < 0 ? 0 : Number(args[at + 1]);
  if (!Number.isSafeInteger(owner)) usage("--owner wants a process id");
  const folder = args.find((arg, i) => !arg.startsWith("-") && (at < 0 || i !== at + 1)) ??
    mkdtempSync(join(tmpdir(), "ron-tor-"));
  const from = performance.now();
  const network = await TorNetwork.start(folder, { owner });
  console.error(`${network.nodes.length} nodes usable after ${seconds(performance.now() - from)}`);
  console.log(folder);
}

async function main([command, ...args]: readonly string[]): Promise<void> {
  if (command === "start") return await start(args);
  const [folder, name] = args;
  if (folder === undefined) usage("which folder?");
  const network = TorNetwork.open(folder);
  const node = network.nodes.find((n) => n.name === name);
  switch (command) {
    case "status":
      for (const [name, state] of network.status()) console.log(`${name} ${state}`);
      return;
    case "toml":
      return console.log(network.toml());
    case "stop":
      return await network.stop();
    case "kill":
      return await network.kill(node ?? usage(`no node "${name}"`));
    case "restart":
      return await network.restart(node ?? usage(`no node "${name}"`));
    default:
      return usage(`no command "${command}"`);
  }
}

await main(process.argv.slice(2)).catch((error: Error) => {
  console.error(`setup_tor: ${error.message}`);
  process.exitCode = 1;
});
