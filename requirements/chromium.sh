#!/usr/bin/env bash
# Makes Chromium available for the browser tests: Debian's package, where we may install one.
# Without it those tests are skipped with the reason, or fail when REQUIRE_CHROMIUM=1.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then
    exit 0
  fi
done

if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  if { apt-get -qq update && apt-get -qq install --yes --no-install-recommends chromium fonts-noto-cjk; } \
    </dev/null >/dev/null; then
    exit 0
  fi
fi

echo "NO CHROMIUM: browser tests will be skipped. Install it with: apt-get install chromium" >&2
if [[ ${REQUIRE_CHROMIUM:-} == 1 ]]; then
  exit 1
fi
