"""The catalogue that comes with the program, and what people add to it."""

from pathlib import Path

import pytest

from egress_audit.classify.catalogue_files import (
    COMPILED,
    catalogue_at,
    catalogue_of,
    packaged_catalogue,
)
from egress_audit.classify.list_sources import LISTS, sha256_of
from egress_audit.classify.tables import table_rows
from egress_audit.errors import CatalogueInvalid, ListUnreadable
from tests.builders.catalogues import file_text

RESOLVERS = LISTS / "resolvers.csv"


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


@pytest.mark.parametrize("content", ["", "{}", "[1]"])
def test_a_compiled_catalogue_that_is_damaged_is_refused_with_the_way_back(
    tmp_path: Path, content: str
) -> None:
    with pytest.raises(ListUnreadable, match="lists update --undo"):
        catalogue_at(written(tmp_path, content, "catalogue.json"))


def test_every_host_of_the_table_of_resolvers_is_known() -> None:
    known = packaged_catalogue()
    hosts = [row["host"] for _, row in table_rows(RESOLVERS, ("host",))]
    assert not [host for host in hosts if not known.of_host(host)]


def test_what_the_catalogue_knows_of_a_resolver_comes_before_what_the_table_says() -> None:
    known = packaged_catalogue().of_host("dns.google")
    assert "google-public-dns" in [entry.id for entry in known]
    assert "resolver-dns-google" not in [entry.id for entry in known]
    assert not any(entry.id.startswith("resolver-dns-") for entry in packaged_catalogue())


def test_beside_files_of_ones_own_the_resolvers_are_known_as_well(tmp_path: Path) -> None:
    known = catalogue_of([written(tmp_path, file_text())])
    assert [entry.id for entry in known.of_host("dns.jd.com")] == ["resolver-dns-jd-com"]
    mine = file_text({"id": "jd", "hosts": "[dns.jd.com]", "example": "dns.jd.com"})
    known = catalogue_of([written(tmp_path, mine)])
    assert [entry.id for entry in known.of_host("dns.jd.com")] == ["jd"]
