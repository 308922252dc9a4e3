"""The entry point: `egress-audit` and `python -m egress_audit`."""

import atexit
import gc
import os
import sys

COLLECTED_AFTER = 1 << 20, 10, 10
"""Objects made after which Python looks for cycles, instead of 700: names and rows have none, and
looking again and again at all that are kept was 5 % of the time of a large capture. What a defect
could leave in cycles meanwhile is bounded by this number."""


def main() -> None:
    """Runs the command line and leaves with its exit code."""
    codes: list[int] = []
    # Who is registered first is called last, after everything that others have to put in order.
    atexit.register(_leave, codes)
    # OpenBLAS starts a thread for each processor when numpy is imported; nothing here uses them,
    # and without them the start takes half the time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(*COLLECTED_AFTER)
    from egress_audit.cli.main import run

    codes.append(run(sys.argv[1:]))
    sys.exit(codes[0])


def _leave(codes: list[int]) -> None:
    """Ends the process at once if there is an exit code: to take apart every object before would
    be 4 % of the time of a large capture."""
    if codes:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(codes[0])


if __name__ == "__main__":
    main()
