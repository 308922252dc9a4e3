"""The entry point: `egress-audit` and `python -m egress_audit`."""

import gc
import os
import sys

COLLECTED_AFTER = 50_000, 10, 10
"""Objects made after which Python looks for cycles, instead of 700: names and rows have none, and
looking again and again at all that are kept was 5 % of the time of a large capture."""


def main() -> None:
    """Runs the command line and leaves with its exit code."""
    # OpenBLAS starts a thread for each processor when numpy is imported; nothing here uses them,
    # and without them the start takes half the time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(*COLLECTED_AFTER)
    from egress_audit.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
