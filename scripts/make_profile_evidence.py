"""Writes the two captures about each packaged profile into a folder, to be looked at."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.builders.profile_evidence import (  # noqa: E402 - the line above makes it importable
    OFFENCES,
    evidence_about,
)


def main(folder: Path) -> None:
    """Writes NAME-holds.pcap and NAME-violated.pcap of every profile; the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in OFFENCES:
        evidence = evidence_about(name)
        (folder / f"{name}-holds.pcap").write_bytes(evidence.holds)
        (folder / f"{name}-violated.pcap").write_bytes(evidence.violated)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    main(parser.parse_args().folder)
