#!/usr/bin/env bash
# Build the WebAssembly artefacts of wasm/.
#
#   scripts/build_wasm.sh                 hot module -> src/oap/hot_wasm.ts (inlined, with digest and toolchain line)
#   scripts/build_wasm.sh --out DIR       the same two files into DIR (hot.wasm, hot_wasm.ts); the tree is left alone
#   scripts/build_wasm.sh --print         the hot module's bytes to standard output; the tree is left alone
#   scripts/build_wasm.sh --component     component + its jco transpilation -> wasm/pkg/component (ignored by git)
#   scripts/build_wasm.sh --toolchain     print the toolchain line and stop
#
# A Rust toolchain is taken from the first place that has one for wasm32-unknown-unknown:
#   1. `rustc` on PATH with that target installed (rustup, Nix, distribution);
#   2. Debian's rustc-web + rust-web-src: the standard library is compiled once into a cached sysroot.
# Nothing is downloaded except crates named in wasm/Cargo.lock. The bytes depend on the toolchain, not on the
# directories: every absolute path is remapped.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd -P)
triple=wasm32-unknown-unknown
mode=hot
out=

die() { printf 'build_wasm: %s\n' "$1" >&2; shift; for line in "$@"; do printf '  %s\n' "$line" >&2; done; exit 1; }

while [ $# -gt 0 ]; do
  case $1 in
    --component) mode=component ;;
    --toolchain) mode=toolchain ;;
    --print) mode=print ;;
    --sysroot) mode=sysroot ;;
    --out) [ $# -gt 1 ] || die "--out wants a directory"; out=$2; shift ;;
    -h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) printf 'build_wasm: unknown option %s (see --help)\n' "$1" >&2; exit 2 ;;
  esac
  shift
done

# ---------------------------------------------------------------------------------------------- rustc
cargo_home=${CARGO_HOME:-$HOME/.cargo}
remap="--remap-path-prefix=$root=/src --remap-path-prefix=$cargo_home=/cargo"

knows_target() { local d; d=$("$1" --target "$triple" --print target-libdir 2>/dev/null) && [ -d "$d" ]; }

# Compile std for the target from Debian's sources, once for each compiler, and put a `rustc` in front of PATH that
# finds it. wasm-pack looks for the target through `rustc` on PATH, and would otherwise ask rustup to install it.
debian_sysroot() {
  local sys rust_src seed lib host
  sys=$(/usr/bin/rustc --print sysroot)
  rust_src=$sys/lib/rustlib/src/rust
  sysroot=${WASM_SYSROOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ron-transport}/sysroot-$compiler
  if [ ! -e "$sysroot/complete" ]; then
    printf 'build_wasm: compiling std for %s into %s (once, about a minute)\n' "$triple" "$sysroot" >&2
    seed=$(mktemp -d)
    mkdir -p "$seed/src"
    : >"$seed/src/lib.rs"
    cat >"$seed/Cargo.toml" <<'TOML'
[package]
name = "seed"
version = "0.0.0"
edition = "2021"
[profile.release]
panic = "abort"
TOML
    # embed-bitcode: link-time optimisation needs the bitcode of std
    (cd "$seed" && env -u CARGO -u CARGO_BUILD_TARGET -u RUSTUP_TOOLCHAIN \
      RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$seed/target" \
      RUSTFLAGS="-Cembed-bitcode=yes --remap-path-prefix=$rust_src=/std --remap-path-prefix=$(readlink -f "$rust_src")=/std --remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$seed=/seed" \
      /usr/bin/cargo build -q --release --target "$triple" -Zbuild-std=std,panic_abort -Zbuild-std-features=)
    rm -rf "$sysroot"
    lib=$sysroot/lib/rustlib/$triple/lib
    host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
    mkdir -p "$lib" "$sysroot/bin"
    cp "$seed/target/$triple"/release/deps/*.rlib "$lib/"
    rm -f "$lib"/libseed*
    ln -s "$sys/lib/rustlib/$host" "$sysroot/lib/rustlib/$host"
    printf '#!/bin/sh\nexec /usr/bin/rustc --sysroot "%s" "$@"\n' "$sysroot" >"$sysroot/bin/rustc"
    chmod +x "$sysroot/bin/rustc"
    ln -s /usr/bin/cargo "$sysroot/bin/cargo"
    rm -rf "$seed"
    touch "$sysroot/complete"
  fi
  export PATH="$sysroot/bin:$PATH"
  unset RUSTC CARGO RUSTUP_TOOLCHAIN RUSTC_BOOTSTRAP || true
  local linker
  linker=$(ls -d /usr/lib/llvm-*/bin/wasm-ld 2>/dev/null | sort -V | tail -1)
  [ -n "$linker" ] || die "wasm-ld is missing" "sudo apt-get install -y --no-install-recommends lld-22"
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker
}

if [ -z "${WASM_FORCE_DEBIAN:-}" ] && command -v rustc >/dev/null && knows_target rustc; then
  route=rustup
  compiler=$(rustc -vV | sed -n 's/^release: //p;s/^commit-hash: //p' | tr '\n' '-')
  compiler=${compiler%-}
elif [ -x /usr/bin/rustc ] && [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library" ]; then
  route=debian
  compiler=$(/usr/bin/rustc -vV | sed -n 's/^release: //p;s/^commit-hash: //p' | tr '\n' '-')
  compiler=${compiler%-}
  debian_sysroot
else
  die "no Rust compiler for $triple; either of:" \
    "rustup target add $triple" \
    "sudo apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src lld-22"
fi
[ "$mode" != sysroot ] || { printf '%s\n' "${sysroot:-$(rustc --print sysroot)}"; exit 0; }

# ---------------------------------------------------------------------------------------------- tools
export PATH="$root/node_modules/.bin:$PATH"
need() { command -v "$1" >/dev/null || die "$1 is missing" "$2"; }
need wasm-opt "npm ci   (npm package binaryen, a devDependency)"

toolchain_line() {
  printf 'rustc %s (%s); wasm-bindgen %s; wasm-opt %s' \
    "$(rustc -vV | sed -n 's/^release: //p')" "$(rustc -vV | sed -n 's/^commit-hash: //p' | cut -c1-9)" \
    "$(wasm-bindgen --version | awk '{print $2}')" "$(wasm-opt --version | awk '{print $3}')"
}

flags="-Ctarget-feature=+simd128 $remap"
features="--enable-simd --enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext --enable-mutable-globals --enable-reference-types --enable-multivalue"
# cargo does not see that a sysroot changed: one target directory for each compiler
export CARGO_TARGET_DIR="$root/wasm/target/$route-$compiler"
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$flags"

if [ "$mode" = toolchain ]; then
  need wasm-bindgen "cargo install wasm-bindgen-cli@0.2.130"
  toolchain_line
  echo
  exit 0
fi

# ---------------------------------------------------------------------------------------------- component
if [ "$mode" = component ]; then
  need jco "npm ci   (npm package @bytecodealliance/jco, a devDependency)"
  dir=${out:-$root/wasm/pkg/component}
  mkdir -p "$dir"
  (cd "$root/wasm" && cargo build --locked --quiet --release --target "$triple" -p ron-transport-component)
  jco new "$CARGO_TARGET_DIR/$triple/release/ron_transport_component.wasm" -o "$dir/oap.component.wasm" >/dev/null
  jco opt "$dir/oap.component.wasm" -o "$dir/oap.component.wasm" -- -O3 $features >/dev/null
  jco transpile "$dir/oap.component.wasm" --name oap -o "$dir/js" --minify -q
  printf 'build_wasm: %s (%s bytes), %s\n' "$dir/oap.component.wasm" "$(stat -c %s "$dir/oap.component.wasm")" "$dir/js" >&2
  exit 0
fi

# ---------------------------------------------------------------------------------------------- hot module
need wasm-pack "cargo install --locked wasm-pack@0.15.1"
need wasm-bindgen "cargo install wasm-bindgen-cli@0.2.130"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wasm-pack --quiet build "$root/wasm/web" --release --target web --mode no-install \
  --out-dir "$work" --out-name hot --no-pack --no-gitignore -- --locked

if [ "$mode" = print ]; then
  cat "$work/hot_bg.wasm"
  exit 0
fi
if [ -n "$out" ]; then
  mkdir -p "$out"
  cp "$work/hot_bg.wasm" "$out/hot.wasm"
  ts=$out/hot_wasm.ts
else
  ts=$root/src/oap/hot_wasm.ts
  mkdir -p "$root/src/oap"
fi
{
  echo '// @generated by scripts/build_wasm.sh; do not edit'
  echo
  echo '/** The hot module, base64. Inlined because that is the one form that loads everywhere without a permission. */'
  echo 'export const WASM_BASE64: string ='
  base64 -w 110 "$work/hot_bg.wasm" | sed "s/.*/  \"&\" +/; \$s/ +\$/;/"
  echo
  echo '/** SHA-256 of the module, hex. */'
  printf 'export const WASM_SHA256: string = "%s";\n' "$(sha256sum "$work/hot_bg.wasm" | cut -d' ' -f1)"
  echo
  echo '/** What built it: another toolchain makes other bytes. */'
  printf 'export const WASM_TOOLCHAIN: string =\n  "%s";\n' "$(toolchain_line)"
} >"$work/hot_wasm.ts"
mv "$work/hot_wasm.ts" "$ts"
printf 'build_wasm: %s: %s bytes, %s gzipped (%s)\n' "$ts" "$(stat -c %s "$work/hot_bg.wasm")" \
  "$(gzip -9c "$work/hot_bg.wasm" | wc -c)" "$(toolchain_line)" >&2
