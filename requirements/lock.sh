#!/usr/bin/env bash
# Resolves runtime, cloud and dev together, then cuts the hash-locked files from that one result.
# Locked one after the other they could ask for different versions of the same package.
set -euo pipefail
cd "$(dirname "$0")"

uv=../.venv/bin/uv
common=(pip compile --quiet --system-certs --universal --no-emit-index-url
  --no-annotate --custom-compile-command requirements/lock.sh)
resolved=$(mktemp)
trap 'rm -f "$resolved"' EXIT

"$uv" "${common[@]}" "$@" --python-version 3.11 runtime.in cloud.in dev.in -o "$resolved"
for group in runtime cloud dev; do
  "$uv" "${common[@]}" "$@" --python-version 3.11 --generate-hashes "$group.in" -c "$resolved" -o "$group.lock"
done
for group in installer node; do
  "$uv" "${common[@]}" "$@" --python-version 3.11 --generate-hashes "$group.in" -o "$group.lock"
done
# The agent runs on hosts that are older than servers.
"$uv" "${common[@]}" "$@" --python-version 3.9 --generate-hashes agent.in -o agent.lock
