#!/usr/bin/env bash
# Build the Tor addon of native/arti, or take it from the cache, and print the path of its file.
#
#   scripts/build_arti.sh [--profile quick|release]
#   scripts/build_arti.sh --print [--profile …]    the cached file, or nothing; builds nothing
#
# quick is for tests: no link-time optimisation. release is what is published.
# The file is laid into native/arti/ as well, where index.js finds it. The cache is RON_ARTI_CACHE, else
# ~/.cache/ron-transport/arti; its folders are named by a hash of the sources, the lock, the profile and the compiler.
# Crates are compiled in CARGO_TARGET_DIR, else native/arti/target. Nothing is downloaded but crates of the lock.
set -euo pipefail

die() { printf 'build_arti: %s\n' "$*" >&2; exit 1; }

root=$(cd "$(dirname "$0")/.." && pwd -P)
crate=$root/native/arti
profile=quick
print=

while [ $# -gt 0 ]; do
  case $1 in
    --profile) [ $# -gt 1 ] || die "--profile wants quick or release"; profile=$2; shift ;;
    --print) print=yes ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) printf 'build_arti: unknown option %s (see --help)\n' "$1" >&2; exit 2 ;;
  esac
  shift
done
case $profile in quick | release) ;; *) die "no profile \"$profile\": quick or release" ;; esac

if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
  [ -n "$print" ] && exit 0
  die "cargo is missing: install Rust 1.92 or later, or set RON_ARTI_ADDON to a built file"
fi

compiler=$(rustc -vV)
host=$(sed -n 's/^host: //p' <<<"$compiler")
case $host in
  x86_64-unknown-linux-gnu) platform=linux-x64-gnu library=libron_transport_arti.so ;;
  aarch64-unknown-linux-gnu) platform=linux-arm64-gnu library=libron_transport_arti.so ;;
  x86_64-apple-darwin) platform=darwin-x64 library=libron_transport_arti.dylib ;;
  aarch64-apple-darwin) platform=darwin-arm64 library=libron_transport_arti.dylib ;;
  x86_64-pc-windows-msvc) platform=win32-x64-msvc library=ron_transport_arti.dll ;;
  *) die "there is no package for $host" ;;
esac

# sha256sum is not everywhere, git is
key=$({
  printf '%s\n%s\n' "$compiler" "$profile"
  cd "$crate"
  find Cargo.toml Cargo.lock core addon -type f -not -path '*/target/*' | LC_ALL=C sort | while read -r file; do
    printf '%s\n' "$file"
    cat "$file"
  done
} | git hash-object --stdin)

name=ron-transport-arti.$platform.node
cached=${RON_ARTI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ron-transport/arti}/$key/$name
if [ -n "$print" ]; then
  [ ! -f "$cached" ] || printf '%s\n' "$cached"
  exit 0
fi

if [ ! -f "$cached" ]; then
  target=${CARGO_TARGET_DIR:-$crate/target}
  CARGO_TARGET_DIR=$target cargo build --locked --profile "$profile" --manifest-path "$crate/Cargo.toml" >&2
  mkdir -p "${cached%/*}"
  # whole or not at all, for whoever looks meanwhile
  cp "$target/$profile/$library" "$cached.$$"
  mv "$cached.$$" "$cached"
fi
# a new file rather than new bytes in one that a process may have loaded
cp "$cached" "$crate/$name.$$"
mv "$crate/$name.$$" "$crate/$name"
printf '%s\n' "$cached"
