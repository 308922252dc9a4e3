"""Catalogues as people write them."""

import os
from pathlib import Path

import pytest

from egress_audit.classify.catalogue_schema import entries_of
from egress_audit.classify.list_sources import sha256_of
from egress_audit.classify.written_catalogues import (
    placed_entries,
    refuse_contradictions,
    used,
)
from egress_audit.errors import CatalogueInvalid
from tests.builders.catalogues import file_text


def refusal(*texts: str) -> str:
    placed = [item for number, text in enumerate(texts) for item in entries_of(text, f"{number}")]
    with pytest.raises(CatalogueInvalid) as caught:
        refuse_contradictions(placed)
    return str(caught.value)


def written(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_an_id_stands_once_in_all_files() -> None:
    assert refusal(file_text(), file_text({"product": "B"})) == (
        "1:4: the id `acme-telemetry` stands already at 0:4 (give one of them another id)"
    )


def test_a_pattern_stands_once_for_a_product_and_a_purpose() -> None:
    assert refusal(file_text({}, {"id": "acme-again", "product": "ACME Server"})) == (
        "0:12: `stats.acme.example` of ACME Server for telemetry stands already at 0:4 "
        "(leave one out)"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"product": "Acme app"},
        {"purpose": "update-check"},
        {"versions": '">=2"'},
        {"trigger": "every day"},
        {"ports": "[443/tcp]"},
    ],
)
def test_a_pattern_may_stand_again_for_another_occasion(change: dict[str, str]) -> None:
    text = file_text({}, {"id": "acme-again", **change})
    refuse_contradictions(entries_of(text, "c"))


def test_a_vendor_is_under_one_jurisdiction() -> None:
    other = file_text({"id": "b", "product": "B"}, head="vendor: Acme\njurisdiction: SE\n")
    assert "Acme is under US at 0:4" in refusal(file_text(), other)


def test_several_files_are_read_in_their_order(tmp_path: Path) -> None:
    one = written(tmp_path, file_text(), "1.yaml")
    two = written(tmp_path, file_text({"id": "acme-two"}), "2.yaml")
    assert [item.entry.id for item in placed_entries([two, one])] == ["acme-two", "acme-telemetry"]


def test_a_file_of_ones_own_is_as_old_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, file_text())
    os.utime(path, (0, 86_400))
    assert (used(path).date, used(path).sha256) == ("1970-01-02", sha256_of(path))
