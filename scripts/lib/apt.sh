# Sourced: apt_install PACKAGE... installs Debian packages as root, and lets none of them start a service.
apt_install() {
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 1
  (
    export DEBIAN_FRONTEND=noninteractive
    # Exit 101 is "not allowed"; what was there before stays.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      printf '#!/bin/sh\nexit 101\n' > "$policy"
      chmod 755 "$policy"
      trap 'rm -f "$policy"' EXIT
    fi
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"
  )
}
