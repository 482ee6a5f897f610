#!/usr/bin/env bash
# Installs what bench/e2e compares with: packages of npm, each bundled into one file that Deno and Bun load.
# What cannot be had is left out of the tables.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --no-audit --no-fund --silent --ignore-scripts
bun=../../node_modules/.bin/bun
out=node_modules/.bundle
mkdir -p "$out"
bundle() { "$bun" build --target=node --outfile "$out/$1.mjs" "$2" >/dev/null; }
cat >"$out/libp2p.in.mjs" <<'JS'
export { createLibp2p } from "libp2p";
export { tcp } from "@libp2p/tcp";
export { yamux } from "@chainsafe/libp2p-yamux";
export { plaintext } from "@libp2p/plaintext";
export { multiaddr } from "@multiformats/multiaddr";
JS
cat >"$out/grpc.in.mjs" <<'JS'
import grpc from "@grpc/grpc-js";
export const { Server, ServerCredentials, credentials, makeGenericClientConstructor } = grpc;
JS
bundle ws node_modules/ws/wrapper.mjs
bundle grpc "$out/grpc.in.mjs"
bundle libp2p "$out/libp2p.in.mjs"
