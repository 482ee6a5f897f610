import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it, ROOT } from "../harness.ts";
import { assert, assertEquals } from "../_std.ts";
import { addon, noAddon } from "./addon.ts";

const CRATES = join(ROOT, "native/arti");

/** Functions of libc by which a process starts another, or waits for connections. */
const UNWANTED =
  /^(exec\w*|fexecve|v?fork|_Fork|posix_spawnp?|system|popen|clone|clone3|listen)(@|$)/;

function sources(): string[] {
  return ["core/src", "addon/src"].flatMap((folder) =>
    readdirSync(join(CRATES, folder)).map((name) => join(CRATES, folder, name))
  );
}

function noBinutils(): string | false {
  return spawnSync("nm", ["--version"], { stdio: "ignore" }).status !== 0 && "no `nm` on PATH";
}

/** Symbols that a library wants from others. */
function imports(file: string): string[] {
  const { status, stdout } = spawnSync("nm", ["-D", "--undefined-only", file], {
    encoding: "utf8",
    maxBuffer: 1 << 24,
  });
  assertEquals(status, 0);
  return stdout.split("\n").map((line) => line.trim().split(/\s+/).at(-1) ?? "");
}

describe("what the arti addon is made of", () => {
  it("has no crate for pluggable transports, bridges' programs, SOCKS listeners or RPC", () => {
    const lock = readFileSync(join(CRATES, "Cargo.lock"), "utf8");
    const crates = [...lock.matchAll(/^name = "(.*)"$/gm)].map(([, name]) => name);
    assert(crates.includes("arti-client"));
    const unwanted = ["tor-ptmgr", "arti", "tor-rpcbase", "arti-rpcserver", "tor-hsrproxy"];
    assertEquals(crates.filter((name) => unwanted.includes(name ?? "")), []);
  });

  // loading it makes the threads of its promises, with their pipes
  it("pins Arti, and says the version that it pins", { skip: noAddon, leaks: false }, () => {
    const manifest = readFileSync(join(CRATES, "core/Cargo.toml"), "utf8");
    const pinned = /^arti-client = \{ version = "=([\d.]+)"/m.exec(manifest)?.[1];
    const { version } = JSON.parse(readFileSync(join(CRATES, "package.json"), "utf8")) as {
      version: string;
    };
    assertEquals(addon().version, `${version} (arti-client ${pinned})`);
  });

  it("names no program in its sources, and no unsafe code but in one file", () => {
    const unsafe: string[] = [];
    for (const file of sources()) {
      const code = readFileSync(file, "utf8").split("#[cfg(test)]\nmod tests")[0] ?? "";
      assert(!/\bprocess::|Command::|TcpListener|\bexec\b/.test(code), file);
      const lines = code.split("\n").filter((line) => !line.trim().startsWith("//"));
      if (lines.some((line) => /\bunsafe\b/.test(line))) unsafe.push(file);
    }
    assertEquals(unsafe, [join(CRATES, "addon/src/memory.rs")]);
  });

  it("imports nothing by which a program is started or a port is opened", {
    skip: noAddon !== false ? noAddon : noBinutils(),
  }, () => {
    const wanted = imports(process.env["RON_ARTI_ADDON"] ?? "");
    assert(wanted.some((name) => name.startsWith("connect")), "the list is read");
    assertEquals(wanted.filter((name) => UNWANTED.test(name)), []);
  });

  it("has packages for its platforms, of one version", () => {
    const read = (path: string): Record<string, unknown> =>
      JSON.parse(readFileSync(join(CRATES, path), "utf8")) as Record<string, unknown>;
    const main = read("package.json");
    const platforms = readdirSync(join(CRATES, "npm")).sort();
    const optional = main["optionalDependencies"] as Record<string, string>;
    assertEquals(Object.keys(optional).sort(), platforms.map((p) => `@ron/transport-arti-${p}`));
    for (const platform of platforms) {
      const { name, version, files } = read(`npm/${platform}/package.json`);
      assertEquals([version, optional[name as string]], [main["version"], main["version"]]);
      assertEquals(files, [`ron-transport-arti.${platform}.node`]);
    }
  });
});
