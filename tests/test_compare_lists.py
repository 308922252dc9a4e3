"""The embedded address list beside another build of the same data, where there is one."""

import os
import runpy
from pathlib import Path
from typing import Any

import pytest

from egress_audit.classify.list_sources import LISTS
from tests.builders.address_lists import JAPAN, mmdb_bytes

ROOT = Path(__file__).parent.parent
SHARED = os.environ.get("EGRESS_AUDIT_SHARED")
SCRIPT: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "compare_lists.py"))
compared, main = SCRIPT["compared"], SCRIPT["main"]


def test_a_list_agrees_with_itself() -> None:
    path = LISTS / "addresses.mmdb"
    for found in compared(path, path, 300).values():
        assert not found.differ
        assert found.asked


def test_a_difference_is_told_with_an_example(tmp_path: Path) -> None:
    for name, country in (("one", "JP"), ("other", "US")):
        record = {**JAPAN, "country": {"iso_code": country}}
        (tmp_path / name).write_bytes(mmdb_bytes(record, prefix="0.0.0.0/1"))
    found = compared(tmp_path / "one", tmp_path / "other", 100)[4]
    assert found.differ == {("country", "both"): found.asked - found.equal["country"]}
    assert found.examples["country", "both"].endswith("JP / US")


@pytest.mark.parametrize("content", [None, b"not,an,MMDB\n"])
def test_a_file_that_is_no_list_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    other = tmp_path / "other.mmdb"
    if content is not None:
        other.write_bytes(content)
    assert main([str(LISTS / "addresses.mmdb"), str(other)]) == 2
    assert str(other) in capsys.readouterr().err


@pytest.mark.parametrize("count", ["0", "-5", "many"])
def test_no_addresses_are_no_comparison(count: str) -> None:
    path = str(LISTS / "addresses.mmdb")
    with pytest.raises(SystemExit):
        main([path, path, "--addresses", count])


@pytest.mark.skipif(SHARED is None, reason="no EGRESS_AUDIT_SHARED")
def test_the_embedded_list_agrees_with_another_build_of_its_sources() -> None:
    other = Path(SHARED or "", "data", "lists-2026-06.mmdb")
    found = compared(other, LISTS / "addresses.mmdb", 60_000)
    for agreement in found.values():
        assert agreement.share("country") > 99.9
        assert agreement.share("registered_country") > 99.9
        assert agreement.share("country_alt") > 99.0
        # Where both have an AS it is the same; we fill gaps that the other leaves.
        assert agreement.differ["autonomous_system_number", "both"] <= 3
        assert agreement.differ["autonomous_system_number", "only this"] <= 3
