#!/bin/sh
# Writes requirements/run.txt and requirements/test.txt from pyproject.toml, and
# requirements/live.txt and fuzz.txt from live.in and fuzz.in: names, versions and hashes, and nothing
# that says where they were fetched from. Called by `make lock`; goes online.
set -eu

cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
tools=build/lock-venv

# A machine's own package folders would put the hashes of local builds into the lock.
export PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= PIP_EXTRA_INDEX_URL=
export CUSTOM_COMPILE_COMMAND="make lock"

[ -x "$tools/bin/pip-compile" ] || {
    "$PYTHON" -m venv "$tools"
    "$tools/bin/python" -m pip install --quiet pip-tools
}

compile() { # OUTPUT OPTIONS...
    output=$1
    shift
    "$tools/bin/pip-compile" --quiet --rebuild --generate-hashes --strip-extras --no-annotate \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
        --output-file "$output" "$@"
}

compile requirements/run.txt --build-deps-for editable pyproject.toml
compile requirements/test.txt --build-deps-for editable --extra test \
    --constraint requirements/run.txt pyproject.toml
compile requirements/live.txt requirements/live.in
compile requirements/fuzz.txt requirements/fuzz.in

if grep -nE 'https?:|file:|index|find-links|trusted|/[a-z]+/' requirements/*.txt; then
    echo "lock.sh: the lines above say where packages were fetched from" >&2
    exit 1
fi
