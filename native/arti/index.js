/**
 * Loads the addon: the file that `RON_ARTI_ADDON` names, or the one that was built here, or the
 * package for this platform. `index.d.ts` describes what it has.
 */
"use strict";

const { existsSync } = require("node:fs");
const { join } = require("node:path");
const process = require("node:process");

const ABI = { linux: "-gnu", win32: "-msvc" };
const platform = `${process.platform}-${process.arch}${ABI[process.platform] ?? ""}`;
const local = join(__dirname, `ron-transport-arti.${platform}.node`);

/** Deno refuses variables that were not allowed; then none is set. */
function given() {
  try {
    return process.env.RON_ARTI_ADDON;
  } catch {
    return undefined;
  }
}

function target() {
  const file = given();
  if (file !== undefined && file !== "") return file;
  return existsSync(local) ? local : `@ron/transport-arti-${platform}`;
}

function explain(what, error) {
  if (error?.name === "NotCapable") {
    return `Deno must be allowed to load ${what}: --allow-ffi and --allow-read`;
  }
  if (error?.code === "MODULE_NOT_FOUND") {
    return `there is no ${what}; \`npm install @ron/transport-arti-${platform}\` installs it`;
  }
  return `${what} cannot be loaded: ${error?.message}`;
}

function load() {
  const what = target();
  try {
    return require(what);
  } catch (error) {
    throw new Error(`@ron/transport-arti: ${explain(what, error)}`, {
      cause: error,
    });
  }
}

module.exports = load();
