#!/usr/bin/env bash
# Install the programs that tests run beside this library, as far as they are missing, and print their versions.
#
#   scripts/setup_real_parts.sh
#
# Prometheus with promtool, NATS, sslscan, OpenSSL and strace, as Debian's packages, with apt-get, as root. No service
# is wanted: tests start the servers as processes of their own on loopback, and end them by pid. Without one of them
# its tests are skipped and say "a real part is missing"; with RON_REAL=1 they fail.
set -euo pipefail

die() { printf 'setup_real_parts: %s\n' "$*" >&2; exit 1; }

# program=package; nats-server and others are in /usr/sbin, which is not in everybody's PATH
parts='prometheus=prometheus promtool=prometheus nats-server=nats-server sslscan=sslscan openssl=openssl strace=strace'
PATH="$PATH:/usr/sbin"
missing=()
for part in $parts; do
  command -v "${part%%=*}" >/dev/null || missing+=("${part#*=}")
done

if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || die "needs root and apt-get to install ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # So that no package starts a service: exit 101 is "not allowed"; what was there before stays.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
prometheus --version 2>&1 | head -n 1
promtool --version 2>&1 | head -n 1
nats-server --version
printf 'sslscan %s\n' "$(sslscan --no-colour --version 2>&1 | grep -oE '[0-9]+\.[0-9.]+' | head -n 1)"
openssl version
strace -V | head -n 1
