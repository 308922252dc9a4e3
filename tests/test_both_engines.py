"""The compiled hot path and numpy give the same packets, flows, counts and reports."""

import gzip
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.cli.main import run
from fuzz.mutants import mutant
from tests.builders import strategies
from tests.builders.both_engines import assert_alike, compiled, in_numpy, needs_library
from tests.builders.engine import SMALLEST_BLOCK

pytestmark = needs_library

CAPTURES = Path(__file__).parent.parent / "captures"
GOLDEN = sorted(CAPTURES.glob("*.pcap*"))
BLOCKS = (4096, 1 << 16, 6 << 20)
LARGEST = 1 << 20


def bytes_of(path: Path) -> bytes:
    """A golden capture, unpacked, or its first megabyte."""
    data = path.read_bytes()
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)[:LARGEST]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_a_golden_capture_is_read_alike(path: Path) -> None:
    for block in BLOCKS:
        assert_alike(bytes_of(path), block)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_it_is_wherever_it_is_cut(path: Path) -> None:
    data, chance = bytes_of(path), random.Random(path.name)
    for _ in range(4):
        assert_alike(data[: chance.randrange(len(data))], chance.choice(BLOCKS))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_it_is_however_it_is_damaged(path: Path) -> None:
    data, chance = bytes_of(path), random.Random(path.name)
    for seed in range(6):
        other = bytes_of(chance.choice(GOLDEN))
        assert_alike(mutant(data, other, seed), chance.choice(BLOCKS))


@settings(max_examples=150)
@given(strategies.captures, st.sampled_from((SMALLEST_BLOCK, 100, 1 << 16)))
def test_any_capture_is_read_alike(data: bytes, block: int) -> None:
    assert_alike(data, block)


@settings(max_examples=150)
@given(strategies.damaged_captures(), st.sampled_from((SMALLEST_BLOCK, 100, 1 << 16)))
def test_any_damaged_capture_is_read_alike(data: bytes, block: int) -> None:
    assert_alike(data, block)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_the_reports_have_the_same_bytes(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def report() -> tuple[int, str]:
        code = run(["replay", str(path), "--format", "json"])
        return code, capsys.readouterr().out

    assert compiled(report) == in_numpy(report)
