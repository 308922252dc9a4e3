#!/bin/sh
# Replays three golden captures: one verdict of each kind. Called by `make demo`.
# Leaves with 0 only if every verdict is the expected one.
set -u

cd "$(dirname "$0")/.." || exit 1
failed=0

show() { # EXPECTED_EXIT_CODE ARGUMENTS...
    expected=$1
    shift
    printf '$ egress-audit %s\n' "$*"
    .venv/bin/egress-audit "$@"
    code=$?
    printf '(exit code %s)\n\n' "$code"
    if [ "$code" -ne "$expected" ]; then
        echo "demo: expected exit code $expected, got $code" >&2
        failed=1
    fi
}

show 10 replay captures/hf-hubname.pcap --profile offline
show 11 replay captures/hf-deepseek_v3-local.pcap --profile offline
show 0 replay captures/hf-deepseek_v3-local.pcap --profile offline --assert all
exit "$failed"
