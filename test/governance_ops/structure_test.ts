/** Invariants of the sources themselves: what may be reached, started and trusted, on the tree as it is. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Transport, TransportError } from "../../mod.ts";
import { checkSeam } from "../../scripts/check_seam.ts";
import { reachable, readGraph } from "../../scripts/lib/graph.ts";
import { codeOnly } from "../../scripts/lib/source.ts";
import { BUILD, describe, it, ROOT, runtimeName, takeCensus } from "../harness.ts";

const manifest = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8")) as {
  exports: Record<string, string>;
};
const ENTRIES: readonly (readonly [string, string])[] = Object.entries(manifest.exports)
  .map(([name, file]) => [name, file.replace(/^\.\//, "")]);
const graph = readGraph(ROOT);

/** Ways to start a process, on any of the three runtimes. */
const SPAWNS = /\bDeno\s*\.\s*Command\b|\bBun\s*\.\s*(?:spawn|\$)|child_process|\bnode:cluster\b/;
const CHILDREN: readonly string[] = ["src/runtime/host_child.ts", "src/runtime/host_run.ts"];

function rustSources(crate: string): { path: string; text: string }[] {
  const folder = join(ROOT, "wasm", crate, "src");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".rs"))
    .map((name) => ({
      path: `wasm/${crate}/src/${name}`,
      text: readFileSync(join(folder, name), "utf8"),
    }));
}

/** Rust without comments and strings, as far as looking for a word needs it. */
function rustCode(text: string): string {
  return text.replace(/\/\/.*$/gm, "").replace(/\/\*[^]*?\*\//g, "").replace(
    /"(?:\\.|[^"\\])*"/g,
    '""',
  );
}

describe("the library's structure", () => {
  it("I-1: an entry that is imported opens and starts nothing", async () => {
    const before = takeCensus();
    const root = runtimeName() === "node" ? BUILD : ROOT;
    for (const [name, file] of ENTRIES) {
      if (name === "./cli") continue; // importing it runs it, as its page says
      const path = join(root, runtimeName() === "node" ? file.replace(/\.ts$/, ".js") : file);
      assert.ok(Object.keys(await import(pathToFileURL(path).href)).length > 0, name);
    }
    const after = takeCensus();
    assert.equal(after.sockets.size, before.sockets.size);
    assert.equal(after.timers.size, before.timers.size);
  });

  it("I-1: a dial that fails is not tried again", async () => {
    let seen = 0;
    const server = createServer((socket) => {
      seen++;
      socket.destroy();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const client = new Transport({ backend: "tls", tls: { enabled: true } });
    await assert.rejects(client.dial(`tls://127.0.0.1:${port}`), TransportError.is);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(seen, 1);
    assert.equal(client.counters().dialsErr, 1);
    await client.close();
    server.close();
    await once(server, "close");
  });

  it("I-2: Tor is reached by an entry of its own, and by no other library entry", () => {
    for (const [name, file] of ENTRIES) {
      if (name === "./arti" || name === "./cli") continue;
      const tor = [...reachable(graph, file).keys()].filter((path) =>
        /^src\/(?:arti\/(?:mod|session)|runtime\/host_addon)\.ts$|\.node$/.test(path)
      );
      assert.deepEqual(tor, [], `entry ${name}`);
    }
    assert.ok(reachable(graph, "mod.ts").has("src/transport.ts"));
  });

  it("I-3, I-8: this tree keeps the seam: no runtime's type and no protocol in the core", () => {
    assert.deepEqual(checkSeam(ROOT), []);
  });

  it("I-G6, I-17: no library entry can start a process; the command line alone can", () => {
    for (const { path, text } of graph.values()) {
      const code = codeOnly(text);
      const imports = [...text.matchAll(/\bfrom\s+"([^"]+)"|import\("([^"]+)"\)/g)].map((
        [, a, b],
      ) => a ?? b);
      const spawns = SPAWNS.test(code) || imports.some((specifier) => SPAWNS.test(specifier ?? ""));
      assert.equal(spawns, CHILDREN.includes(path), path);
    }
    for (const [name, file] of ENTRIES) {
      if (name === "./cli") continue;
      const reached = reachable(graph, file);
      for (const child of CHILDREN) assert.ok(!reached.has(child), `entry ${name}`);
    }
  });

  it("I-G9: no option, hook or call of the main entry names a key exchange", () => {
    for (
      const path of ["src/options.ts", "src/tls/options.ts", "src/transport.ts", "src/listener.ts"]
    ) {
      const code = codeOnly(graph.get(path)?.text ?? "");
      assert.ok(code.length > 0, path);
      assert.doesNotMatch(code, /\bpq\??:|hybrid|mlkem|kyber|x25519/i, path);
    }
  });

  it("I-G10, I-18: the crates that parse and inflate forbid unsafe code, and have none", () => {
    for (const crate of ["core", "web"]) {
      const sources = rustSources(crate);
      assert.ok(sources.length > 0);
      const root = sources.find(({ path }) => path.endsWith("/src/lib.rs"));
      assert.match(root?.text ?? "", /^#!\[forbid\(unsafe_code\)\]$/m, crate);
      for (const { path, text } of sources) {
        assert.doesNotMatch(rustCode(text).replaceAll("unsafe_code", ""), /\bunsafe\b/, path);
      }
    }
  });

  it("I-G10: the component has unsafe code in its generated bindings only", () => {
    for (const { path, text } of rustSources("component")) {
      const code = rustCode(text);
      assert.doesNotMatch(code.replaceAll("unsafe_code", ""), /\bunsafe\b/, path);
      const allowed = [
        ...code.matchAll(/allow\([^)]*unsafe_code[^)]*\)\]\s*(?:pub\s+)?(\w+ \w+)/g),
      ];
      if (path.endsWith("/src/lib.rs")) {
        assert.match(code, /^#!\[deny\(unsafe_code\)\]$/m);
        assert.deepEqual(allowed.map(([, what]) => what), ["mod abi"]);
      } else assert.deepEqual(allowed, []);
    }
  });

  it("I-18: TypeScript calls no foreign code but to ask for a Unix peer's user, or a Unix socket's room", () => {
    const asking = ["src/runtime/peer_uid.ts", "src/runtime/send_room.ts"];
    for (const { path, text } of graph.values()) {
      const code = codeOnly(text);
      assert.doesNotMatch(code, /:\s*any\b|\bas any\b|<any>/, path);
      assert.doesNotMatch(text, /@ts-(?:ignore|nocheck|expect-error)/, path);
      const foreign = /\bdlopen\b|\bUnsafe(?:Pointer|FnPointer)\b/.test(code);
      if (foreign) assert.ok(asking.includes(path), path);
      const reachedByCodec = reachable(graph, "src/oap/mod.ts").has(path);
      if (reachedByCodec) assert.ok(!foreign, `${path} is on the path of every frame`);
    }
  });
});
