#!/usr/bin/env bash
# Install the programs that tests run beside this library, as far as they are missing, and print their versions.
#
#   scripts/setup_real_parts.sh
#
# Prometheus with promtool, NATS, sslscan, OpenSSL and strace, as Debian's packages, with apt-get, as root. No service
# is wanted: tests start the servers as processes of their own on loopback, and end them by pid. Without one of them
# its tests are skipped and say "a real part is missing"; with RON_REAL=1 they fail.
set -euo pipefail

. "$(dirname "$0")/lib/apt.sh"

die() { printf 'setup_real_parts: %s\n' "$*" >&2; exit 1; }

# program=package; nats-server and others are in /usr/sbin, which is not in everybody's PATH
parts='prometheus=prometheus promtool=prometheus nats-server=nats-server sslscan=sslscan openssl=openssl strace=strace'
PATH="$PATH:/usr/sbin"
missing=()
for part in $parts; do
  command -v "${part%%=*}" >/dev/null || missing+=("${part#*=}")
done

if [ ${#missing[@]} -gt 0 ]; then
  apt_install "${missing[@]}" || die "could not install ${missing[*]}: it takes root and apt-get"
fi
prometheus --version 2>&1 | head -n 1
promtool --version 2>&1 | head -n 1
nats-server --version
printf 'sslscan %s\n' "$(sslscan --no-colour --version 2>&1 | grep -oE '[0-9]+\.[0-9.]+' | head -n 1)"
openssl version
strace -V | head -n 1
