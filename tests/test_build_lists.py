"""The builder of the address list: same input, same bytes, and a SOURCES.yaml that says which."""

import gzip
import hashlib
import json
import runpy
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import maxminddb
import pytest
import yaml

ROOT = Path(__file__).parent.parent
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "build_lists.py"))
main: Callable[[Sequence[str]], int] = SCRIPT["main"]

PACKAGES = {
    "asn": '9.1.0.0,9.1.0.255,64500,"Example, Inc."\n9.1.2.0,9.1.2.255,64500,"Example, Inc."\n',
    "dbip-country": "9.0.0.0,9.255.255.255,JP\n10.0.0.0,10.255.255.255,AU\n",
    "geo-whois-asn-country": "9.0.0.0,9.255.255.255,US\n9.1.0.0,9.1.0.255,JP\n",
    "asn-country": "9.0.0.0,9.255.255.255,SG\n",
}


def package(folder: Path, name: str, content: str) -> None:
    """One of the npm packages, unpacked."""
    inside = folder / name
    inside.mkdir(parents=True)
    about = {"name": f"@ip-location-db/{name}", "version": "2.3.2026061719"}
    (inside / "package.json").write_text(json.dumps(about), encoding="utf-8")
    (inside / f"{name}-ipv4.csv").write_text("not read\n", encoding="utf-8")
    (inside / f"{name}-ipv4-num.csv").write_text(content, encoding="utf-8")
    (inside / "NRO_LICENSE").write_text("licence\n", encoding="utf-8")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The four packages in a folder."""
    for name, content in PACKAGES.items():
        package(tmp_path / "sources", name, content)
    return tmp_path / "sources"


def built(target: Path, *given: Path, more: Sequence[str] = ()) -> maxminddb.reader.Reader:
    assert main(["build", *map(str, given), "-o", str(target), *more]) == 0
    return maxminddb.open_database(target / "addresses.mmdb")


def entry_of(target: Path) -> dict[str, Any]:
    lists = yaml.safe_load((target / "SOURCES.yaml").read_text("utf-8"))["lists"]
    return dict(next(entry for entry in lists if entry["file"] == "addresses.mmdb"))


def test_four_packages_make_one_record(tmp_path: Path, sources: Path) -> None:
    found = built(tmp_path / "out", sources).get("9.1.0.1")
    assert found == {
        "country": {"iso_code": "JP"},
        "registered_country": {"iso_code": "SG"},
        "autonomous_system_number": 64500,
        "autonomous_system_organization": "Example, Inc.",
    }


def test_a_dissent_is_kept_and_a_gap_filled(tmp_path: Path, sources: Path) -> None:
    reader = built(tmp_path / "out", sources)
    found = reader.get("9.1.1.1")
    assert isinstance(found, dict)
    assert (found["country"], found["country_alt"]) == ({"iso_code": "JP"}, {"iso_code": "US"})
    assert found["autonomous_system_number"] == 64500
    assert reader.get("10.1.2.3") is None


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, sources: Path) -> None:
    for name in ("one", "two"):
        built(tmp_path / name, sources)
    for name in ("addresses.mmdb", "SOURCES.yaml"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_date_is_that_of_the_data(tmp_path: Path, sources: Path) -> None:
    reader = built(tmp_path / "out", sources)
    assert reader.metadata().build_epoch == 1_781_654_400  # 2026-06-17
    assert entry_of(tmp_path / "out")["date"] == "2026-06-17"


def test_the_entry_describes_what_was_built(tmp_path: Path, sources: Path) -> None:
    built(tmp_path / "out", sources)
    entry = entry_of(tmp_path / "out")
    content = (tmp_path / "out" / "addresses.mmdb").read_bytes()
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    origins = {origin["from"]: origin["version"] for origin in entry["origin"]}
    assert origins["npm @ip-location-db/asn"] == "2.3.2026061719"
    assert entry["licences"] == ["licences/NRO_LICENSE"]
    assert "https://db-ip.com" in entry["attribution"]


def test_the_entries_of_other_lists_stay(tmp_path: Path, sources: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    text = (ROOT / "egress_audit" / "lists" / "SOURCES.yaml").read_text("utf-8")
    (out / "SOURCES.yaml").write_text(text, encoding="utf-8")
    built(out, sources)
    before, after = (
        yaml.safe_load(one)["lists"] for one in (text, (out / "SOURCES.yaml").read_text("utf-8"))
    )
    assert [entry["file"] for entry in after] == [entry["file"] for entry in before]
    assert after[1:] == before[1:]


def test_a_packed_package_is_read_as_it_is(tmp_path: Path, sources: Path) -> None:
    packed = tmp_path / "packed"
    packed.mkdir()
    for inside in sources.iterdir():
        with tarfile.open(packed / f"{inside.name}-2.3.tgz", "w:gz") as archive:
            archive.add(inside, "package")
    built(tmp_path / "one", sources)
    built(tmp_path / "two", packed)
    one, two = (tmp_path / name / "addresses.mmdb" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_a_package_writes_nowhere_but_into_its_folder(tmp_path: Path, sources: Path) -> None:
    packed = tmp_path / "packed"
    packed.mkdir()
    (tmp_path / "evil").write_text("x", encoding="utf-8")
    for inside in sources.iterdir():
        with tarfile.open(packed / f"{inside.name}-2.3.tgz", "w:gz") as archive:
            archive.add(inside, "package")
            for name in ("package/../../../../evil.csv", "package/..", "evil.csv", "package/a/b"):
                archive.add(tmp_path / "evil", name)
    built(tmp_path / "one", sources)
    built(tmp_path / "two", packed)
    one, two = (tmp_path / name / "addresses.mmdb" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert not list(tmp_path.rglob("evil.csv"))


def test_iptoasn_and_the_public_domain_sets_will_do(tmp_path: Path) -> None:
    (tmp_path / "ip2asn-v4.tsv.gz").write_bytes(
        gzip.compress(b"9.1.0.0\t9.1.0.255\t64500\tDE\tEXAMPLE\n9.2.0.0\t9.2.0.255\t0\tNone\t-\n")
    )
    (tmp_path / "server-country-ipv4.csv").write_text("9.0.0.0,9.9.9.9,JP\n", encoding="utf-8")
    (tmp_path / "user-country-ipv4.csv").write_text("9.0.0.0,9.9.9.9,US\n", encoding="utf-8")
    given = [path for path in tmp_path.iterdir() if path.is_file()]
    reader = built(tmp_path / "out", *given, more=["--date", "2026-10-01"])
    assert reader.get("9.1.0.1") == {
        "country": {"iso_code": "JP"},
        "country_alt": {"iso_code": "US"},
        "autonomous_system_number": 64500,
        "autonomous_system_organization": "EXAMPLE",
    }
    assert "iptoasn.com" in entry_of(tmp_path / "out")["attribution"]


def test_the_two_files_of_one_set_are_one_source(tmp_path: Path) -> None:
    (tmp_path / "origin-asn-ipv4-20261001.csv").write_text("9.1.0.0,9.1.0.255,64500,A\n", "utf-8")
    (tmp_path / "origin-asn-ipv6-20261001.csv").write_text("2a00::,2a00::f,64500,A\n", "utf-8")
    reader = built(tmp_path / "out", tmp_path)
    assert reader.get("9.1.0.1") == reader.get("2a00::1")
    assert reader.get("9.1.0.1") is not None


@pytest.mark.parametrize(
    ("name", "says"),
    [("unheard-of.csv", "none of the known"), ("origin-asn.csv", "date"), ("none", "not there")],
)
def test_what_is_no_source_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, says: str
) -> None:
    if name != "none":
        (tmp_path / name).write_text("9.1.0.0,9.1.0.255,64500,Example\n", encoding="utf-8")
    assert main(["build", str(tmp_path / name), "-o", str(tmp_path / "out")]) != 0
    assert says in capsys.readouterr().err


def test_two_versions_of_one_source_are_refused(
    tmp_path: Path, sources: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(sources), str(sources / "asn"), "-o", str(tmp_path / "out")]
    assert main(["build", *given]) != 0
    assert "twice" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["build", str(tmp_path / "file"), "-o", str(tmp_path / "file" / "out")]) == 2
    assert str(tmp_path / "file" / "out") in capsys.readouterr().err


def test_a_manifest_has_the_size_and_hash_of_each_list(tmp_path: Path, sources: Path) -> None:
    out = tmp_path / "out"
    built(out, sources)
    assert main(["manifest", str(out)]) == 0
    (listed,) = json.loads((out / "manifest.json").read_text("utf-8"))["lists"]
    content = (out / "addresses.mmdb").read_bytes()
    assert (listed["size"], listed["sha256"]) == (
        len(content),
        hashlib.sha256(content).hexdigest(),
    )
    assert gzip.decompress((out / listed["packed"]).read_bytes()) == content


@pytest.mark.parametrize(
    "content", [b"", b"no archive", gzip.compress(b"no archive", mtime=0), b"\x1f\x8b\x08"]
)
def test_a_package_that_cannot_be_unpacked_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "asn-2.3.tgz").write_bytes(content)
    assert main(["build", str(tmp_path / "asn-2.3.tgz"), "-o", str(tmp_path / "out")]) == 12
    assert "cannot be unpacked" in capsys.readouterr().err


@pytest.mark.parametrize("about", ["", "{", "[]", '{"name": "@ip-location-db/asn"}'])
def test_a_package_that_does_not_say_its_version_is_refused(
    tmp_path: Path, sources: Path, capsys: pytest.CaptureFixture[str], about: str
) -> None:
    (sources / "asn" / "package.json").write_text(about, encoding="utf-8")
    assert main(["build", str(sources), "-o", str(tmp_path / "out")]) == 12
    assert "name and version" in capsys.readouterr().err


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", ""])
def test_a_date_that_is_none_is_wrong_usage(tmp_path: Path, sources: Path, day: str) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["build", str(sources), "-o", str(tmp_path / "out"), "--date", day])
    assert raised.value.code == 2


def test_a_list_that_is_built_leaves_nothing_else_behind(tmp_path: Path, sources: Path) -> None:
    built(tmp_path / "out", sources)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"addresses.mmdb", "SOURCES.yaml", "licences"}
