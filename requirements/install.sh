#!/usr/bin/env bash
# Usage: requirements/install.sh GROUP…   (runtime, dev, node)
# Installs hash-locked groups into .venv, with uv where it works and plain pip everywhere else.
set -euo pipefail
cd "$(dirname "$0")/.."

python=.venv/bin/python
quiet_pip=("$python" -m pip --disable-pip-version-check --quiet --no-input)

files=()
for group in "$@"; do
  files+=(-r "requirements/$group.lock")
done

# uv does not read pip's settings: a site with a mirror of its own has usually set only those.
if [[ -z ${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-} ]]; then
  index=$("$python" -m pip --disable-pip-version-check config get global.index-url 2>/dev/null || true)
  index=${PIP_INDEX_URL:-$index}
  [[ -n $index ]] && export UV_DEFAULT_INDEX=$index
fi

if [[ ! -x .venv/bin/uv ]]; then
  "${quiet_pip[@]}" install --require-hashes -r requirements/installer.lock
fi

# uv trusts its own certificate list unless told to use the system's.
if ! .venv/bin/uv pip install --quiet --system-certs --python "$python" --require-hashes "${files[@]}"; then
  echo "uv could not install; trying pip." >&2
  "${quiet_pip[@]}" install --require-hashes "${files[@]}"
fi
