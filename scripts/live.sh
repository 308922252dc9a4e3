#!/bin/sh
# Makes build/live-venv and the tiny models in build/live, or leaves them if they are up to date, then
# runs the live cases. Called by `make test-live`; goes online to install, never to run.
set -eu

cd "$(dirname "$0")/.."
venv=build/live-venv
folder=build/live
installed="$venv/.installed"
built="$folder/.built"

stop() {
    echo "egress-audit: $1" >&2
    exit 1
}

sums() { .venv/bin/python -c '
import hashlib, pathlib, sys
print(hashlib.sha256(b"".join(pathlib.Path(name).read_bytes() for name in sys.argv[1:])).hexdigest())
' "$@"; }

# The Python behind .venv, which is one that ordinary users may execute if .venv is.
base=$(.venv/bin/python -c 'import os, sys; print(os.path.realpath(sys._base_executable))')
wanted="$base $PWD $(sums requirements/live.txt)"
if [ "$(cat "$installed" 2>/dev/null || true)" != "$wanted" ]; then
    echo "egress-audit: installing requirements/live.txt into $venv"
    rm -rf "$venv"
    "$base" -m venv "$venv"
    "$venv/bin/python" -m pip --disable-pip-version-check install -qq \
        --require-hashes --only-binary :all: -r requirements/live.txt ||
        stop "could not install the pinned packages; the lines above say why"
    echo "$wanted" >"$installed"
fi
wanted=$(sums scripts/live_models.py requirements/live.txt)
if [ "$(cat "$built" 2>/dev/null || true)" != "$wanted" ]; then
    rm -rf "$folder"
    "$venv/bin/python" scripts/live_models.py "$folder"
    echo "$wanted" >"$built"
fi
exec .venv/bin/python scripts/test_live.py "$venv/bin/python" "$folder" "$@"
