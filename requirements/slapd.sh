#!/usr/bin/env bash
# Makes OpenLDAP's server available for the tests of directories, which start one of their own:
# Debian's package, where we may install one. Without it those tests are skipped with the reason.
set -euo pipefail

for path in /usr/sbin /usr/local/sbin /usr/lib/openldap /usr/bin; do
  if [[ -x $path/slapd ]]; then
    exit 0
  fi
done

if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  # The package would start a server of the machine's; in this runlevel it leaves that alone.
  export RUNLEVEL=1
  if { apt-get -qq update && apt-get -qq install --yes --no-install-recommends slapd; } \
    </dev/null >/dev/null; then
    exit 0
  fi
fi

echo "NO SLAPD: tests of directories will be skipped. Install it with: apt-get install slapd" >&2
