"""Lists taken in: checked whole, made an MMDB where they are none, with their own sources."""

import gzip
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from egress_audit.classify.address_lists import AddressList
from egress_audit.classify.destination import embedded_classifier
from egress_audit.classify.user_lists import imported_lists
from egress_audit.errors import ListUnreadable, WrongUsage
from egress_audit.keeping.importing import import_list
from tests.builders.address_lists import JAPAN, mmdb_bytes, mmdb_file

IPTOASN = "9.0.0.0\t9.255.255.255\t64500\tDE\tEXAMPLE\n"
COUNTRIES = "9.0.0.0,9.255.255.255,JP\n10.0.0.0,10.0.0.255,AU\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for each test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "egress-audit" / "lists"


def text_file(folder: Path, text: str, name: str = "countries-2026-06-01.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_an_mmdb_is_copied_as_it_is(tmp_path: Path, home: Path) -> None:
    path = mmdb_file(tmp_path)
    entry = import_list(path)
    assert (home / "list.mmdb").read_bytes() == path.read_bytes()
    assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (entry["date"], entry["rows"]) == ("2026-01-01", 1)
    assert entry["origin"][0]["from"] == "imported by the user"


def test_an_imported_list_is_asked_from_then_on(tmp_path: Path) -> None:
    import_list(mmdb_file(tmp_path))
    assert embedded_classifier().destination("9.1.1.1").located == "JP"


def test_lists_imported_at_once_are_all_kept(tmp_path: Path) -> None:
    path = mmdb_file(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: import_list(path, name=name), "abcdefgh"))
    assert sorted(kept.stem for kept in imported_lists()) == list("abcdefgh")


def test_the_newest_import_is_asked_first(tmp_path: Path, home: Path) -> None:
    for name in ("one", "two"):
        import_list(mmdb_file(tmp_path), name=name)
    assert imported_lists() == [home / "two.mmdb", home / "one.mmdb"]


def test_a_list_of_the_same_name_is_replaced(tmp_path: Path, home: Path) -> None:
    import_list(mmdb_file(tmp_path))
    import_list(mmdb_file(tmp_path, {"country": {"iso_code": "FR"}}))
    assert imported_lists() == [home / "list.mmdb"]
    assert embedded_classifier().destination("9.1.1.1").located == "FR"


def test_iptoasn_becomes_an_mmdb_of_as_numbers(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "ip2asn-v4.tsv.gz"
    path.write_bytes(gzip.compress(IPTOASN.encode()))
    entry = import_list(path, date="2026-10-01")
    assert (entry["name"], entry["date"]) == ("ip2asn-v4", "2026-10-01")
    used = AddressList(home / "ip2asn-v4.mmdb").used
    assert (used.name, used.date) == ("ip2asn-v4", "2026-10-01")
    found = embedded_classifier().destination("9.1.1.1")
    assert (found.asn, found.organisation) == (64500, "EXAMPLE")


def test_special_purpose_ranges_of_a_text_are_left_out(tmp_path: Path) -> None:
    assert import_list(text_file(tmp_path, COUNTRIES))["rows"] == 1


def test_the_same_text_makes_the_same_bytes(tmp_path: Path) -> None:
    path = text_file(tmp_path, COUNTRIES)
    assert import_list(path)["sha256"] == import_list(path)["sha256"]


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("countries-2026-06-01.csv", "2026-06-01"),
        ("countries-2026-06.csv", "2026-06-01"),
        ("countries20260617.csv", "2026-06-17"),
    ],
)
def test_the_date_may_stand_in_the_name(tmp_path: Path, name: str, date: str) -> None:
    assert import_list(text_file(tmp_path, COUNTRIES, name))["date"] == date


@pytest.mark.parametrize("name", ["countries.csv", "countries-2026-19.csv"])
def test_a_text_without_a_date_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        import_list(text_file(tmp_path, COUNTRIES, name))
    assert "--date" in raised.value.hint


def test_a_day_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="2026-02-30"):
        import_list(mmdb_file(tmp_path), date="2026-02-30")


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "a/b", "x" * 65])
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(WrongUsage):
        import_list(mmdb_file(tmp_path), name=name)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a list\n",
        mmdb_bytes(JAPAN)[:-40],
        mmdb_bytes({"is_anonymous": True}, kind="GeoIP2-Anonymous-IP"),
        b"10.0.0.0,10.0.0.255,AU\n",
    ],
    ids=["empty", "words", "cut off", "of another kind", "private ranges alone"],
)
def test_what_is_no_whole_list_is_refused_and_nothing_kept(
    tmp_path: Path, home: Path, content: bytes
) -> None:
    path = tmp_path / "list-2026-01-01.mmdb"
    path.write_bytes(content)
    with pytest.raises(ListUnreadable) as raised:
        import_list(path)
    assert str(path) in raised.value.where
    assert raised.value.hint
    assert not home.exists() or not list(home.iterdir())


def test_damage_behind_the_first_networks_is_found(tmp_path: Path) -> None:
    text = "".join(f"9.{n}.0.0,9.{n}.0.255,{64500 + n},Name {n}\n" for n in range(256))
    import_list(text_file(tmp_path, text, "many-2026-01-01.csv"), name="many")
    whole = imported_lists()[0].read_bytes()
    path = tmp_path / "damaged.mmdb"
    path.write_bytes(whole.replace(b"Name 255", b"\xff" * 8))
    with pytest.raises(ListUnreadable, match="damaged"):
        import_list(path)


def test_a_folder_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable):
        import_list(tmp_path)


@pytest.mark.parametrize("packed", [b"", mmdb_bytes()[:-300], gzip.compress(mmdb_bytes(), mtime=0)])
def test_an_mmdb_that_is_damaged_or_packed_is_not_asked_for_its_date(
    tmp_path: Path, packed: bytes
) -> None:
    path = tmp_path / "list.mmdb"
    path.write_bytes(packed)
    with pytest.raises(ListUnreadable) as raised:
        import_list(path)
    assert "date" not in str(raised.value)
