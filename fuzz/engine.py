"""One search by atheris, in a process of its own: libFuzzer ends the process that it runs in."""

import sys

import atheris

with atheris.instrument_imports(include=["egress_audit"]):
    from fuzz.targets import TARGETS, survives


def main() -> None:
    """`python -m fuzz.engine TARGET` and libFuzzer's own arguments."""
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, lambda data: survives(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
