#!/usr/bin/env bash
# Install Prometheus and promtool, as far as they are missing, and print their versions.
# For CI and for whoever changes src/metrics/ or docs/ops/.
#
#   scripts/setup_prometheus.sh
#
# Debian's package `prometheus`, with apt-get, as root. Its service is not wanted: tests start /usr/bin/prometheus
# as processes of their own on loopback, and end them by pid. Without it these tests are skipped and say so.
set -euo pipefail

die() { printf 'setup_prometheus: %s\n' "$*" >&2; exit 1; }

if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || die "needs root and apt-get, or prometheus and promtool in PATH"
  export DEBIAN_FRONTEND=noninteractive
  # So that the package starts no service: exit 101 is "not allowed"; what was there before stays.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends prometheus
fi
prometheus --version 2>&1 | head -n 1
promtool --version 2>&1 | head -n 1
