#!/usr/bin/env bash
# Usage: requirements/with-node.sh COMMAND…
# Runs a command with Node 20.19 or newer on PATH: the machine's own, else the locked wheel in .venv.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

fits() {
  command -v npm >/dev/null && "$1" -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1);' 2>/dev/null
}

if ! fits node; then
  export PATH="$root/.venv/bin:$PATH"
  fits node || "$root/requirements/install.sh" node
fi
exec "$@"
