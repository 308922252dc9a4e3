"""The entry point: `egress-audit` and `python -m egress_audit`."""

import os
import sys


def main() -> None:
    """Runs the command line and leaves with its exit code."""
    # OpenBLAS starts a thread for each processor when numpy is imported; nothing here uses them,
    # and without them the start takes half the time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from egress_audit.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
