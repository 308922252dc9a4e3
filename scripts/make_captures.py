"""Makes the golden captures that are not recordings; with --expect the expected audits of all.

Run it after a change that is meant to alter audits, and read the diff of captures/*.json: it is
what the change does to users. Running it twice gives the same bytes.
"""

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.builders.golden import (  # noqa: E402 - the line above makes it importable
    CAPTURES,
    SCENES,
    description,
    expectation,
    replayed,
)


def make() -> None:
    """Writes capture and description of every scene."""
    for scene in SCENES:
        (CAPTURES / f"{scene.name}.{scene.suffix}").write_bytes(scene.data)
        (CAPTURES / f"{scene.name}.yaml").write_text(
            description(scene), encoding="utf-8", newline="\n"
        )


def expect() -> None:
    """Writes the audit of every capture that has a description, as it is now."""
    for path in sorted(CAPTURES.glob("*.yaml")):
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        audited = replayed(said, tuple(said["assertions"]))
        path.with_suffix(".json").write_text(
            expectation(audited.audit), encoding="utf-8", newline="\n"
        )


if __name__ == "__main__":
    make()
    if "--expect" in sys.argv[1:]:
        expect()
