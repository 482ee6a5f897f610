#!/usr/bin/env bash
# Installs what bench/codec compares with: packages of npm, each bundled into one file that every runtime loads,
# and the native decoder. What cannot be had is left out of the tables.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --no-audit --no-fund --silent
bun=../../../node_modules/.bin/bun
mkdir -p node_modules/.bundle
"$bun" build --target=node --outfile node_modules/.bundle/it_length_prefixed.mjs node_modules/it-length-prefixed/dist/src/index.js >/dev/null
"$bun" build --target=node --outfile node_modules/.bundle/fflate.mjs node_modules/fflate/esm/index.mjs >/dev/null
"$bun" build --target=node --outfile node_modules/.bundle/fzstd.mjs node_modules/fzstd/esm/index.mjs >/dev/null
if command -v cargo >/dev/null; then (cd ../../peers/native && cargo build --quiet --locked --release); fi
