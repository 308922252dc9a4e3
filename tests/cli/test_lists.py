"""`lists` as a person meets it."""

import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from egress_audit.classify.catalogue_files import COMPILED
from egress_audit.classify.catalogue_rows import compiled, entry_of, rows_in
from egress_audit.cli.main import run
from egress_audit.errors import ExitCode
from tests.builders.address_lists import merged_bytes, mmdb_file
from tests.builders.catalogues import read_entry

KEYS = [
    "address", "scope", "located", "located_confidence", "located_alt", "registered", "controlled",
    "asn", "organisation", "operator", "role",
]  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for each test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def looked_up(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert run(["lists", "lookup", "--format", "json", *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, list)
    return found


def test_an_address_is_an_object_with_these_members(capsys: pytest.CaptureFixture[str]) -> None:
    assert [list(one) for one in looked_up(capsys, "8.8.8.8", "10.0.0.1")] == [KEYS, KEYS]


@pytest.mark.parametrize(
    ("address", "located", "registered", "controlled", "asn"),
    [
        ("47.74.0.1", "JP", "US", "CN", 45102),
        ("119.13.64.1", "ZA", "SG", "CN", 136907),
        ("52.80.0.1", "CN", "CN", "CN", 55960),
    ],
)
def test_three_countries_are_told_and_never_one(
    capsys: pytest.CaptureFixture[str],
    address: str,
    located: str,
    registered: str,
    controlled: str,
    asn: int,
) -> None:
    (found,) = looked_up(capsys, address)
    assert [found[key] for key in ("located", "registered", "controlled", "asn")] == [
        located, registered, controlled, asn,
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["1.1.1.1", "162.159.140.245", "2620:fe::fe"])
def test_of_anycast_and_a_cdn_no_country_is_told(
    capsys: pytest.CaptureFixture[str], address: str
) -> None:
    (found,) = looked_up(capsys, address)
    assert found["located"] == {"absent": "not-applicable"}
    assert found["located_confidence"] == "none"
    assert found["controlled"]


def test_in_words_the_dissent_is_told_and_china_asked_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["lists", "lookup", "47.74.0.1", "1.1.1.1"]) == 0
    flat = " ".join(capsys.readouterr().out.split())
    assert "located JP or US (low confidence: sources differ)" in flat
    assert "located there: unknown; controlled from there: yes" in flat
    assert "no one place: anycast" in flat


def test_nothing_is_wider_than_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    run(["lists", "show"])
    run(["lists", "lookup", "162.159.140.245", "2606:4700:4700::1111", "119.13.64.1"])
    run(["lists", "update"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 80] == []


def test_addresses_may_come_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("8.8.8.8 9.9.9.9\n\n1.1.1.1\n"))
    found = looked_up(capsys, "-")
    assert [one["address"] for one in found] == ["8.8.8.8", "9.9.9.9", "1.1.1.1"]


def test_no_addresses_are_an_empty_array(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert looked_up(capsys, "-") == []


@pytest.mark.parametrize("word", ["example.com", "999.1.1.1"])
def test_what_is_no_address_is_wrong_usage(capsys: pytest.CaptureFixture[str], word: str) -> None:
    assert run(["lists", "lookup", word]) == ExitCode.USAGE
    assert word in capsys.readouterr().err


def test_one_word_that_is_no_address_leaves_no_half_an_array(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["lists", "lookup", "--format", "json", "8.8.8.8", "bogus", "9.9.9.9"]
    assert run(words) == ExitCode.USAGE
    assert capsys.readouterr().out == ""


def test_a_word_of_standard_input_that_is_no_address_is_refused_with_its_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\ufeff8.8.8.8\n9.9.9.9 bogus\n"))
    assert run(["lists", "lookup", "-"]) == ExitCode.USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert "standard input:2: 'bogus'" in told.err


def test_show_tells_of_each_list_its_date_age_licence_and_hash(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["lists", "show"]) == 0
    text = capsys.readouterr().out
    assert "addresses (embedded)" in text
    assert "2026-06-01" in text
    assert "CC-BY-4.0" in text
    assert "npm @ip-location-db/asn" in text


def test_show_as_json_has_every_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lists", "show", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[0]["name"] == "addresses"
    assert {"date", "age_days", "age", "licence", "sha256", "rows", "path", "origins"} <= set(
        found[0]
    )


def test_a_list_is_imported_shown_asked_and_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["lists", "import", str(mmdb_file(tmp_path)), "--name", "mine"]) == 0
    assert "--remove mine" in capsys.readouterr().out
    run(["lists", "show"])
    assert capsys.readouterr().out.startswith("mine (imported)")
    assert looked_up(capsys, "9.1.1.1")[0]["located"] == "JP"
    assert run(["lists", "import", "--remove", "mine", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"].endswith("mine.mmdb")
    run(["lists", "show"])
    assert capsys.readouterr().out.startswith("addresses (embedded)")


def test_what_was_imported_is_told_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["lists", "import", str(mmdb_file(tmp_path)), "--format", "json"]) == 0
    entry = json.loads(capsys.readouterr().out)
    assert (entry["name"], entry["rows"], entry["date"]) == ("list", 1, "2026-01-01")


def test_a_file_of_another_kind_is_refused_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "photo-2026-01-01.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xff")
    assert run(["lists", "import", str(path)]) == ExitCode.NO_AUDIT
    said = capsys.readouterr().err
    assert str(path) in said and "(" in said


@pytest.mark.parametrize("words", [[], ["x", "--remove", "y"], ["--remove", "y", "--name", "z"]])
def test_import_takes_one_file_or_removes_one_list(words: list[str]) -> None:
    assert run(["lists", "import", *words]) == ExitCode.USAGE


def shop(folder: Path, name: str = "addresses.mmdb", content: bytes = b"") -> Path:
    """A folder with an update; without `content` that of the address list."""
    folder.mkdir()
    content = content or merged_bytes("JP")
    (folder / name).write_bytes(content)
    entry = {
        "file": name,
        "name": name.partition(".")[0],
        "date": "2026-12-01",
        "licence": "none",
        "attribution": "",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    manifest = {"egress_audit_lists": 1, "lists": [entry]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_an_update_says_what_it_will_fetch_and_then_what_it_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shop(tmp_path / "shop")
    assert run(["lists", "update", "--from", str(folder), "--format", "json"]) == 0
    said = capsys.readouterr()
    assert f"will fetch {folder}/addresses.mmdb" in said.err
    assert json.loads(said.out)["updated"][0]["file"] == "addresses.mmdb"
    run(["lists", "show"])
    assert capsys.readouterr().out.startswith("addresses (updated)")
    assert run(["lists", "update", "--undo"]) == 0
    capsys.readouterr()
    run(["lists", "show"])
    assert capsys.readouterr().out.startswith("addresses (embedded)")


def test_an_update_from_nowhere_says_what_sources_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["lists", "update"]) == ExitCode.USAGE
    text = capsys.readouterr().out
    assert "Nothing was fetched" in text
    assert "@ip-location-db/asn" in text
    assert "scripts/build_lists.py" in text
    assert run(["lists", "update", "--format", "json"]) == ExitCode.USAGE
    assert json.loads(capsys.readouterr().out)["updated"] == []


def test_lists_alone_is_wrong_usage_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lists"]) == ExitCode.USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_update_cannot_be_undone_and_taken_at_once(tmp_path: Path) -> None:
    assert run(["lists", "update", "--undo", "--from", str(tmp_path)]) == ExitCode.USAGE


def test_a_bad_update_is_refused_and_the_lists_in_use_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shop(tmp_path / "shop")
    (folder / "addresses.mmdb").write_bytes(b"changed")
    assert run(["lists", "update", "--from", str(folder)]) == ExitCode.NO_AUDIT
    assert "octets" in capsys.readouterr().err
    run(["lists", "show"])
    assert capsys.readouterr().out.startswith("addresses (embedded)")


def test_the_sources_of_an_update_are_kept(tmp_path: Path, home: Path) -> None:
    run(["lists", "update", "--from", str(shop(tmp_path / "shop"))])
    (written,) = home.glob("egress-audit/lists/update-*/SOURCES.yaml")
    assert yaml.safe_load(written.read_text("utf-8"))["lists"][0]["date"] == "2026-12-01"


def test_a_newer_catalogue_is_taken_with_all_that_profiles_name(tmp_path: Path) -> None:
    known = [entry_of(row) for row in rows_in(COMPILED.read_bytes())]
    newer = compiled([*known, read_entry()]).encode()
    assert run(["lists", "update", "--from", str(shop(tmp_path / "a", COMPILED.name, newer))]) == 0


def test_a_newer_catalogue_that_lacks_what_a_profile_names_is_not_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shop(tmp_path / "shop", COMPILED.name, compiled([read_entry()]).encode())
    assert run(["lists", "update", "--from", str(folder)]) == ExitCode.NO_AUDIT
    assert "does not fit the profile" in capsys.readouterr().err
    run(["lists", "show"])
    assert "catalogue (embedded)" in capsys.readouterr().out
