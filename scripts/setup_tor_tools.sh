#!/usr/bin/env bash
# Install what `deno task test:tor` needs beside the addon, as far as it is missing: Debian's `tor` (with `tor-gencert`)
# and `strace`. For CI and for whoever changes native/arti or src/arti.
#
#   scripts/setup_tor_tools.sh
#
# With apt-get, as root. The package's service is not wanted: tests start processes of their own on loopback, and end
# them by id. What is missing in the end only skips tests, each with its reason.
set -euo pipefail

die() { printf 'setup_tor_tools: %s\n' "$*" >&2; exit 1; }

if ! command -v tor >/dev/null || ! command -v tor-gencert >/dev/null || ! command -v strace >/dev/null; then
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || die "needs root and apt-get, or tor, tor-gencert and strace in PATH"
  export DEBIAN_FRONTEND=noninteractive
  # So that the package starts no service: exit 101 is "not allowed"; what was there before stays.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends tor strace
fi
tor --version | head -n 1
strace --version | head -n 1
