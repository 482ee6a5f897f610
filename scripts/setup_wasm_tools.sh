#!/usr/bin/env bash
# Install what scripts/build_wasm.sh needs, as far as it is missing. For CI and for whoever changes wasm/.
#
#   scripts/setup_wasm_tools.sh [--print-path]
#
# - Debian's rustc-web, cargo-web, rust-web-src and lld-22, with apt-get, as root (rustup's own target serves as well,
#   but this script never calls rustup);
# - wasm-bindgen-cli and wasm-pack, compiled by cargo into ~/.cache/ron-transport/tools (several minutes, once).
# The folder to add to PATH is printed by --print-path, which installs nothing.
set -euo pipefail

wasm_bindgen=0.2.130
wasm_pack=0.15.1
tools=${XDG_CACHE_HOME:-$HOME/.cache}/ron-transport/tools

if [ "${1:-}" = --print-path ]; then printf '%s\n' "$tools/bin"; exit 0; fi
export PATH="$tools/bin:$PATH"

die() { printf 'setup_wasm_tools: %s\n' "$*" >&2; exit 1; }
has_target() { [ -d "$(rustc --target wasm32-unknown-unknown --print target-libdir 2>/dev/null || true)" ]; }
has_debian() { [ -x /usr/bin/rustc ] && [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library" ] && compgen -G '/usr/lib/llvm-*/bin/wasm-ld' >/dev/null; }

command -v cargo >/dev/null || die "cargo is missing: install Rust first"
if ! has_target && ! has_debian; then
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || die "needs root and apt-get, or a rustc with wasm32-unknown-unknown"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends rustc-web cargo-web rust-web-src lld-22
fi

# without --locked: the published lock of wasm-bindgen-cli names a crate version that not every mirror has
[ "$(wasm-bindgen --version 2>/dev/null || true)" = "wasm-bindgen $wasm_bindgen" ] ||
  cargo install --quiet --root "$tools" "wasm-bindgen-cli@$wasm_bindgen"
[ "$(wasm-pack --version 2>/dev/null || true)" = "wasm-pack $wasm_pack" ] ||
  cargo install --quiet --locked --root "$tools" "wasm-pack@$wasm_pack"
