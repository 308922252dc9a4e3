"""Which captures a command line means."""

import os
from pathlib import Path

import click
import pytest

from egress_audit.capture.foreign_formats import BY_LOOKS, BY_MAGIC
from egress_audit.cli.gathering import OTHER_KINDS, distinct_names, gathered, is_bundle, size_of
from egress_audit.errors import InputUnreadable
from tests.builders.captures import pcap
from tests.builders.recordings import bundle


def folder_of(place: Path, **files: bytes) -> Path:
    place.mkdir()
    for name, content in files.items():
        (place / name.replace("_", ".")).write_bytes(content)
    return place


def names(paths: tuple[str, ...]) -> list[str]:
    return [Path(path).name for path in paths]


def test_one_capture_is_one(tmp_path: Path) -> None:
    found = gathered([str(tmp_path / "missing.pcap")])
    assert (len(found.paths), found.several) == (1, False)


def test_a_bundle_is_one(tmp_path: Path) -> None:
    found = gathered([str(bundle(tmp_path / "b"))])
    assert (names(found.paths), found.several) == (["b"], False)


def test_a_folder_stands_for_its_captures_by_name_also_if_it_holds_but_one(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "f", b_pcap=pcap([]), a_pcap=pcap([]))
    bundle(folder / "aa")
    found = gathered([str(folder)])
    assert (names(found.paths), found.several) == (["a.pcap", "aa", "b.pcap"], True)
    assert gathered([str(folder_of(tmp_path / "g", x=pcap([])))]).several


def test_what_is_none_is_set_aside_by_name(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "f", a=pcap([]), notes_txt=b"hello\n", r_json=b"{}", _gitkeep=b"")
    (folder / "deeper").mkdir()
    found = gathered([str(folder)])
    assert names(found.paths) == ["a"]
    assert {each.name: each.what for each in found.set_aside} == {
        "f/.gitkeep": "empty",
        "f/deeper": "a folder, which is not looked into",
        "f/notes.txt": "text",
        "f/r.json": "a JSON file",
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("trace1", b""),
        ("notes.pcap", b"hello\n"),
        ("x.pcap.gz", b"{}"),
        ("x", bytes(64)),
        ("x.zip", b"PK\x03\x04" + bytes(40)),
        ("x.snoop", b"snoop\0\0\0" + bytes(24)),
        ("x.txt", pcap([])),
    ],
)
def test_what_may_be_a_capture_is_judged_and_not_set_aside(
    name: str, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    found = gathered([str(tmp_path)])
    assert (names(found.paths), found.set_aside) == ([name], ())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "f", a=pcap([]))
    os.mkfifo(folder / "pipe")
    assert [each.what for each in gathered([str(folder)]).set_aside] == ["no ordinary file"]


def test_a_link_to_another_capture_of_the_folder_is_not_judged_a_second_time(
    tmp_path: Path,
) -> None:
    folder = folder_of(tmp_path / "f", b_pcap=pcap([]))
    (folder / "a.pcap").symlink_to("b.pcap")
    found = gathered([str(folder)])
    assert names(found.paths) == ["b.pcap"]
    assert [each.what for each in found.set_aside] == ["a link to b.pcap"]


@pytest.mark.parametrize("target", ["a.pcap", "gone.pcap"])
def test_a_link_to_nothing_is_a_capture_that_nobody_can_read(tmp_path: Path, target: str) -> None:
    (tmp_path / "a.pcap").symlink_to(target)
    found = gathered([str(tmp_path)])
    assert (names(found.paths), found.set_aside) == (["a.pcap"], ())


def test_a_link_to_a_capture_elsewhere_is_judged(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "f")
    (tmp_path / "x.pcap").write_bytes(pcap([]))
    (folder / "a.pcap").symlink_to(tmp_path / "x.pcap")
    assert names(gathered([str(folder)]).paths) == ["a.pcap"]


def test_of_links_in_a_folder_to_one_capture_elsewhere_the_first_is_judged(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.pcap"
    elsewhere.touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("latest.pcap", "today.pcap"):
        (folder / name).symlink_to(elsewhere)
    found = gathered([str(folder)])
    assert found.paths == (str(folder / "latest.pcap"),)
    assert [aside.what for aside in found.set_aside] == ["what latest.pcap is too"]


def test_links_of_a_folder_that_lead_nowhere_are_no_capture_named_twice(tmp_path: Path) -> None:
    targets = {"a": "gone", "b": "gone", "c": "d", "d": "c"}
    for name, target in targets.items():
        (tmp_path / name).symlink_to(tmp_path / target)
    assert gathered([str(tmp_path)]).paths == tuple(str(tmp_path / name) for name in targets)


def test_a_folder_without_captures_is_no_evidence(tmp_path: Path) -> None:
    for folder in (tmp_path, folder_of(tmp_path / "f", notes_txt=b"hello\n")):
        with pytest.raises(InputUnreadable, match="neither a bundle nor"):
            gathered([str(folder)])


def test_nothing_is_named_twice(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "f", a=pcap([]))
    with pytest.raises(click.UsageError, match="named twice"):
        gathered([str(folder), str(folder / ".." / "f" / "a")])


def test_standard_input_stands_alone() -> None:
    assert gathered(["-"]).paths == ("-",)
    with pytest.raises(click.UsageError, match="standard input"):
        gathered(["-", "a.pcap"])


def test_what_remains_of_a_bundle_is_one(tmp_path: Path) -> None:
    whole = bundle(tmp_path / "b")
    (whole / "manifest.json").unlink(missing_ok=True)
    assert is_bundle(whole)
    assert not is_bundle(folder_of(tmp_path / "f", manifest_json=b"{}"))


def test_the_size_of_a_bundle_is_that_of_its_capture(tmp_path: Path) -> None:
    kept = folder_of(tmp_path / "b", capture_pcapng=bytes(7), events_jsonl=bytes(100))
    assert size_of(str(kept)) == size_of(str(kept / "capture.pcapng")) == 7


def test_what_cannot_be_asked_has_no_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_bytes(b"a file of this name")
    assert [size_of(path) for path in ("-", "missing.pcap", str(tmp_path))] == [0, 0, 0]


def test_names_are_as_long_as_tells_them_apart() -> None:
    paths = ["/x/a/one.pcap", "/x/b/one.pcap", "/y/b/one.pcap", "two.pcap"]
    assert distinct_names(paths) == ["a/one.pcap", "x/b/one.pcap", "y/b/one.pcap", "two.pcap"]


def test_the_kinds_that_are_set_aside_are_kinds_that_are_known() -> None:
    known = {what for _, what, _ in (*BY_MAGIC, *BY_LOOKS)}
    assert known >= OTHER_KINDS
