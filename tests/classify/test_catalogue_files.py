"""The catalogue that comes with the program, and those that people write."""

from pathlib import Path

import pytest

from egress_audit.classify import catalogue_files
from egress_audit.classify.catalogue_files import (
    COMPILED,
    catalogue_of,
    packaged_catalogue,
    placed_entries,
    refuse_contradictions,
)
from egress_audit.classify.catalogue_schema import entries_of
from egress_audit.classify.list_sources import sha256_of
from egress_audit.errors import CatalogueInvalid, ListUnreadable
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


def test_the_packaged_catalogue_says_which_file_it_is() -> None:
    used = packaged_catalogue().used
    assert [(item.name, item.sha256) for item in used] == [("catalogue", sha256_of(COMPILED))]


def test_without_files_of_ones_own_the_packaged_one_is_all() -> None:
    assert catalogue_of(()) is packaged_catalogue()


def test_entries_of_ones_own_stand_beside_the_packaged_ones(tmp_path: Path) -> None:
    path = written(tmp_path, file_text())
    known = catalogue_of([path])
    assert len(known) == len(packaged_catalogue()) + 1
    assert [entry.id for entry in known.of_host("stats.acme.example")] == ["acme-telemetry"]
    assert [item.name for item in known.used] == ["catalogue", "mine.yaml"]
    assert known.used[1].sha256 == sha256_of(path)


def test_a_folder_is_all_its_yaml_files(tmp_path: Path) -> None:
    written(tmp_path, file_text(), "a.yaml")
    written(tmp_path, file_text({"id": "acme-two", "product": "Two"}), "b.yml")
    written(tmp_path, "no catalogue", "README.md")
    assert len(catalogue_of([tmp_path])) == len(packaged_catalogue()) + 2


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    path = written(tmp_path, file_text())
    assert len(catalogue_of([path, tmp_path])) == len(packaged_catalogue()) + 1


def test_a_folder_without_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueInvalid, match=r"holds no \.yaml file"):
        catalogue_of([tmp_path])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueInvalid, match="cannot be read"):
        catalogue_of([tmp_path / "mine.yaml"])


def test_an_id_of_the_packaged_catalogue_cannot_be_taken(tmp_path: Path) -> None:
    taken = next(iter(packaged_catalogue())).id
    path = written(tmp_path, file_text({"id": taken}))
    with pytest.raises(CatalogueInvalid, match=f"the id `{taken}` stands already at"):
        catalogue_of([path])


def test_an_id_stands_once_in_all_files() -> None:
    assert refusal(file_text(), file_text({"product": "B"})) == (
        "1:4: the id `acme-telemetry` stands already at 0:4"
    )


def test_a_pattern_stands_once_for_a_product_and_a_purpose() -> None:
    assert refusal(file_text({}, {"id": "acme-again", "product": "ACME Server"})) == (
        "0:12: `stats.acme.example` of ACME Server for telemetry stands already at 0:4"
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
    assert "Acme is under US jurisdiction elsewhere" in refusal(file_text(), other)


def test_several_files_are_read_in_their_order(tmp_path: Path) -> None:
    one = written(tmp_path, file_text(), "1.yaml")
    two = written(tmp_path, file_text({"id": "acme-two"}), "2.yaml")
    assert [item.entry.id for item in placed_entries([two, one])] == ["acme-two", "acme-telemetry"]


@pytest.mark.parametrize("content", ["", "{}", "[1]"])
def test_a_packaged_catalogue_that_is_damaged_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setattr(catalogue_files, "COMPILED", written(tmp_path, content, "catalogue.json"))
    with pytest.raises(ListUnreadable, match="reinstall"):
        packaged_catalogue.__wrapped__()
