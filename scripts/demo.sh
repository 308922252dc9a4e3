#!/bin/sh
# Two live audits of a tiny model in a sandbox, then one verdict on a saved capture. Called by
# `make demo`. Where the host forbids sandboxes, saved captures show the same verdicts instead.
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

python=$(command -v python3)
if .venv/bin/egress-audit doctor >/dev/null 2>&1; then
    show 0 run -- "$python" scripts/demo/stays_home.py the
    show 10 run -- "$python" scripts/demo/phones_home.py the
    show 11 replay captures/hf-deepseek_v3-local.pcap
else
    echo "demo: this host does not let us make a sandbox (egress-audit doctor says why), so these"
    echo "demo: are saved captures instead of live runs."
    echo
    show 10 replay captures/hf-hubname.pcap --profile offline
    show 11 replay captures/hf-deepseek_v3-local.pcap --profile offline
    show 0 replay captures/hf-deepseek_v3-local.pcap --profile offline --assert all
fi
exit "$failed"
