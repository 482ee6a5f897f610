#!/usr/bin/env bash
# Install what `deno task test:tor` needs beside the addon, as far as it is missing: Debian's `tor` (with `tor-gencert`)
# and `strace`. For CI and for whoever changes native/arti or src/arti.
#
#   scripts/setup_tor_tools.sh
#
# With apt-get, as root. The package's service is not wanted: tests start processes of their own on loopback, and end
# them by id. What is missing in the end only skips tests, each with its reason.
set -euo pipefail

. "$(dirname "$0")/lib/apt.sh"

die() { printf 'setup_tor_tools: %s\n' "$*" >&2; exit 1; }

if ! command -v tor >/dev/null || ! command -v tor-gencert >/dev/null || ! command -v strace >/dev/null; then
  apt_install tor strace || die "could not install tor and strace: it takes root and apt-get, or both in PATH"
fi
tor --version | head -n 1
strace --version | head -n 1
