"""Updates: everything is checked before anything counts, and the way back is always open."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from egress_audit.classify.catalogue_files import packaged_catalogue
from egress_audit.classify.catalogue_rows import compiled
from egress_audit.classify.destination import embedded_classifier
from egress_audit.classify.list_sources import LISTS
from egress_audit.classify.user_lists import current_list, user_folder
from egress_audit.errors import CatalogueInvalid, ListUnreadable
from egress_audit.update.places import place_of
from egress_audit.update.updating import newer_of, offered_at, undo_update, update_from
from tests.builders.address_lists import JAPAN, merged_bytes, mmdb_bytes
from tests.builders.catalogues import read_entry

OPERATORS = b"asn,group,jurisdiction,category,note\n64500,Example,JP,cloud,\n"
WHOLE = merged_bytes("JP")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for each test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "egress-audit" / "lists"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The folder from which updates come."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def offer(shop: Path, *, change: dict[str, Any] | None = None, **files: bytes) -> None:
    """Lays files out, with a manifest; `change` makes that say something else of each."""
    lists = []
    for stem, content in files.items():
        name = {"addresses": "addresses.mmdb", "catalogue": "catalogue.json"}.get(
            stem, f"{stem}.csv"
        )
        (shop / name).write_bytes(content)
        known = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        words = {"name": stem, "date": "2026-12-01", "licence": "none", "attribution": ""}
        lists.append({"file": name, **known, **words, **(change or {})})
    text = json.dumps({"egress_audit_lists": 1, "lists": lists})
    (shop / "manifest.json").write_text(text, encoding="utf-8")


def update(shop: Path) -> list[str]:
    place = place_of(str(shop))
    newer = newer_of(place, offered_at(place))
    if newer:
        update_from(place, newer)
    return [one.file for one in newer]


def test_an_update_counts_from_then_on(shop: Path) -> None:
    offer(shop, addresses=WHOLE, operators=OPERATORS)
    assert update(shop) == ["addresses.mmdb", "operators.csv"]
    assert current_list("addresses.mmdb").read_bytes() == WHOLE
    assert embedded_classifier().destination("9.1.1.1").located == "JP"


def test_what_is_in_use_is_not_fetched_again(shop: Path) -> None:
    offer(shop, addresses=WHOLE)
    assert update(shop) == ["addresses.mmdb"]
    assert update(shop) == []


def test_an_earlier_update_of_another_list_stays(shop: Path) -> None:
    offer(shop, addresses=WHOLE)
    update(shop)
    offer(shop, operators=OPERATORS)
    assert update(shop) == ["operators.csv"]
    assert current_list("addresses.mmdb").read_bytes() == WHOLE
    assert current_list("operators.csv").read_bytes() == OPERATORS


def test_the_documents_name_the_updated_list(shop: Path) -> None:
    offer(shop, addresses=WHOLE)
    update(shop)
    used = embedded_classifier().used[0]
    assert (used.date, used.sha256) == ("2026-12-01", hashlib.sha256(WHOLE).hexdigest())


def test_the_way_back_leads_to_the_lists_of_the_program(shop: Path) -> None:
    offer(shop, addresses=WHOLE)
    update(shop)
    assert undo_update() is True
    assert current_list("addresses.mmdb") == LISTS / "addresses.mmdb"


def test_a_packed_list_is_unpacked(shop: Path) -> None:
    offer(shop, addresses=WHOLE)
    pack(shop, gzip.compress(WHOLE, mtime=0))
    assert update(shop) == ["addresses.mmdb"]
    assert current_list("addresses.mmdb").read_bytes() == WHOLE


def pack(shop: Path, packed: bytes) -> None:
    """Offers the address list as this gzip."""
    (shop / "addresses.mmdb.gz").write_bytes(packed)
    document = json.loads((shop / "manifest.json").read_text("utf-8"))
    document["lists"][0] |= {"packed": "addresses.mmdb.gz", "packed_size": len(packed)}
    (shop / "manifest.json").write_text(json.dumps(document), encoding="utf-8")


def refused(shop: Path) -> str:
    """What an update says that is refused; nothing may have changed."""
    with pytest.raises(ListUnreadable) as raised:
        update(shop)
    assert raised.value.where and raised.value.hint
    assert current_list("addresses.mmdb") == LISTS / "addresses.mmdb"
    folder = user_folder()
    assert folder is None or not folder.exists() or not list(folder.iterdir())
    return raised.value.what


def test_no_update_puts_an_older_list_in_place_of_one_taken_meanwhile(shop: Path) -> None:
    offer(shop, addresses=merged_bytes("SE"), change={"date": "2026-11-30"})
    place = place_of(str(shop))
    found_before = newer_of(place, offered_at(place))
    offer(shop, addresses=WHOLE)
    update(shop)
    with pytest.raises(ListUnreadable, match="older than the one in use"):
        update_from(place, found_before)
    assert current_list("addresses.mmdb").read_bytes() == WHOLE


def test_what_another_update_took_meanwhile_stays_in_use(shop: Path) -> None:
    offer(shop, addresses=WHOLE, operators=OPERATORS)
    place = place_of(str(shop))
    found_before = newer_of(place, offered_at(place))
    update(shop)
    update_from(place, found_before)
    assert current_list("addresses.mmdb").read_bytes() == WHOLE
    assert current_list("operators.csv").read_bytes() == OPERATORS


def test_another_hash_than_promised_is_refused(shop: Path) -> None:
    offer(shop, addresses=WHOLE, change={"sha256": "0" * 64})
    assert "sha256" in refused(shop)


@pytest.mark.parametrize("size", [len(WHOLE) - 1, len(WHOLE) + 1])
def test_another_size_than_promised_is_refused(shop: Path, size: int) -> None:
    offer(shop, addresses=WHOLE, change={"size": size})
    assert "octets" in refused(shop)


def test_a_download_that_was_cut_off_is_refused(shop: Path) -> None:
    offer(shop, addresses=WHOLE)
    (shop / "addresses.mmdb").write_bytes(WHOLE[:-10])
    assert "octets" in refused(shop)


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (gzip.compress(WHOLE, mtime=0)[:-9], "cut off"),
        (b"no gzip at all", "no gzip"),
        (gzip.compress(WHOLE + bytes(10_000_000), mtime=0), "unpacks to more"),
        (gzip.compress(WHOLE[:-1], mtime=0), "octets"),
    ],
    ids=["cut off", "no gzip", "a bomb", "too short"],
)
def test_a_gzip_that_is_not_what_was_promised_is_refused(
    shop: Path, packed: bytes, says: str
) -> None:
    offer(shop, addresses=WHOLE)
    pack(shop, packed)
    assert says in refused(shop)


@pytest.mark.parametrize(
    "content",
    [b"no list", mmdb_bytes(JAPAN), mmdb_bytes({"is": True}, kind="Other"), WHOLE[:-40]],
    ids=["words", "of one source", "of another kind", "damaged"],
)
def test_a_list_of_the_wrong_kind_is_refused_though_its_hash_is_right(
    shop: Path, content: bytes
) -> None:
    offer(shop, addresses=content)
    refused(shop)


def test_a_damaged_table_is_refused_though_its_hash_is_right(shop: Path) -> None:
    offer(shop, operators=OPERATORS + b"64500,Example,JP,cloud,\n")
    assert "second time" in refused(shop)


def test_one_bad_list_keeps_all_out(shop: Path) -> None:
    offer(shop, addresses=WHOLE, operators=b"no table\n")
    refused(shop)


def test_a_list_older_than_the_one_in_use_is_refused(shop: Path) -> None:
    offer(shop, addresses=WHOLE, change={"date": "2020-01-01"})
    assert "older" in refused(shop)


def test_a_folder_without_a_manifest_is_refused(shop: Path) -> None:
    assert refused(shop)


CATALOGUE = compiled([read_entry()]).encode()


def test_a_catalogue_counts_from_then_on_and_documents_name_it(shop: Path) -> None:
    offer(shop, catalogue=CATALOGUE)
    assert update(shop) == ["catalogue.json"]
    newer = packaged_catalogue.__wrapped__()
    assert [entry.id for entry in newer] == ["acme-telemetry"]
    (used,) = newer.used
    assert (used.name, used.date) == ("catalogue", "2026-12-01")
    assert used.sha256 == hashlib.sha256(CATALOGUE).hexdigest()


def test_a_catalogue_with_what_no_file_could_say_is_refused_though_its_hash_is_right(
    shop: Path,
) -> None:
    offer(shop, catalogue=CATALOGUE.replace(b"stats.acme.example", b"*.com"))
    with pytest.raises(CatalogueInvalid, match="matches everything"):
        update(shop)
    assert current_list("catalogue.json") == LISTS / "catalogue.json"


def test_what_does_not_fit_the_program_is_not_made_to_count(shop: Path) -> None:
    offer(shop, catalogue=CATALOGUE)
    place = place_of(str(shop))

    def refuse(made: Path) -> None:
        assert (made / "catalogue.json").read_bytes() == CATALOGUE
        raise ListUnreadable("does not fit")

    with pytest.raises(ListUnreadable, match="does not fit"):
        update_from(place, newer_of(place, offered_at(place)), refuse)
    assert current_list("catalogue.json") == LISTS / "catalogue.json"


def test_without_an_update_there_is_nothing_to_undo() -> None:
    assert undo_update() is False
