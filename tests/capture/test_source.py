"""What a file is, by its first bytes; and what a person is told who gives something else."""

import io
import os
import struct
import sys
from pathlib import Path

import pytest

from egress_audit.capture.foreign_formats import BY_MAGIC
from egress_audit.capture.pcap import PcapSource
from egress_audit.capture.pcapng import PcapngSource
from egress_audit.capture.source import open_capture, source_of
from egress_audit.capture.window import Window
from egress_audit.errors import EgressAuditError, ExitCode, InputUnreadable
from tests.builders.captures import Frame, Section, block, pcap, pcapng

PCAP, PCAPNG = pcap([Frame(0, b"a")]), pcapng([Section([Frame(0, b"a")])])


SHARED = os.environ.get("EGRESS_AUDIT_SHARED", "")
CORPUS = sorted(Path(SHARED, "corpus", "captures").glob("*")) if SHARED else []


def refused(path: Path) -> InputUnreadable:
    """The error with which a file is refused."""
    with pytest.raises(InputUnreadable) as caught:
        open_capture(str(path))
    assert caught.value.exit_code is ExitCode.NO_AUDIT
    return caught.value


def test_a_pcap_is_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(PCAP)
    source = open_capture(str(tmp_path / "a"))
    assert isinstance(source, PcapSource)
    assert sum(len(batch) for batch in source) == 1


def test_a_pcapng_is_one_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(PCAPNG)
    source = open_capture(str(tmp_path / "a.pcap"))
    assert isinstance(source, PcapngSource)
    assert sum(len(batch) for batch in source) == 1


def test_a_capture_is_called_by_its_name_without_folder(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(PCAP)
    source = open_capture(str(tmp_path / "a.pcap"))
    assert sum(len(batch) for batch in source) == 1
    assert source.facts().name == "a.pcap"


def test_standard_input_is_a_capture_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(PCAP)
    with (tmp_path / "a").open("rb") as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        source = open_capture("-")
        assert sum(len(batch) for batch in source) == 1
    assert source.facts().name == "-"


def test_a_file_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    assert "does not exist" in str(refused(tmp_path / "nothing"))


def test_a_folder_is_no_capture(tmp_path: Path) -> None:
    assert "is a folder" in str(refused(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(PCAP)
    (tmp_path / "a").chmod(0)
    assert "may not be read" in str(refused(tmp_path / "a"))


def test_an_empty_file_is_no_evidence_of_silence(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert "no evidence of silence" in str(refused(tmp_path / "a"))


@pytest.mark.parametrize("kept", [4, 20, 23])
def test_a_header_that_is_cut_is_called_cut(tmp_path: Path, kept: int) -> None:
    (tmp_path / "a").write_bytes(PCAP[:kept])
    assert "cut or damaged" in str(refused(tmp_path / "a"))


def test_a_section_header_with_a_wrong_magic_is_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(PCAPNG[:8] + b"\xff" + PCAPNG[9:])
    assert "cut or damaged" in str(refused(tmp_path / "a"))


@pytest.mark.parametrize("length", [0, 12, 24, 27, 30, (16 << 20) + 4, len(PCAPNG) + 4])
def test_a_section_header_of_an_impossible_length_is_no_evidence(
    tmp_path: Path, length: int
) -> None:
    (tmp_path / "a").write_bytes(PCAPNG[:4] + length.to_bytes(4, "little") + PCAPNG[8:])
    assert f"cut or damaged ({len(PCAPNG)} bytes in all)" in str(refused(tmp_path / "a"))


@pytest.mark.parametrize("kept", [8, 12, 27])
def test_a_section_header_that_is_cut_is_no_evidence(tmp_path: Path, kept: int) -> None:
    (tmp_path / "a").write_bytes(PCAPNG[:kept])
    assert f"cut or damaged ({kept} bytes in all)" in str(refused(tmp_path / "a"))


@pytest.mark.parametrize("big_endian", [False, True])
def test_another_major_version_of_pcapng_is_refused(tmp_path: Path, big_endian: bool) -> None:
    content = pcapng([Section([], big_endian=big_endian)])
    version = b"\0\2\0\0" if big_endian else b"\2\0\0\0"
    (tmp_path / "a").write_bytes(content[:12] + version + content[16:])
    assert "it begins with a section of version 2.0" in str(refused(tmp_path / "a"))


def test_another_minor_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(PCAPNG[:14] + b"\2\0" + PCAPNG[16:])
    source = open_capture(str(tmp_path / "a"))
    assert sum(len(batch) for batch in source) == 1
    assert source.facts().damage == ()


def test_a_section_header_alone_is_a_capture_of_silence(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(PCAPNG[:28])
    source = open_capture(str(tmp_path / "a"))
    assert sum(len(batch) for batch in source) == 0
    assert source.facts().damage == ()


def test_a_section_header_longer_than_the_window_is_read_in_one_piece() -> None:
    header = PCAPNG[8:24] + struct.pack("<HH", 1, 1000) + bytes(1000)
    source = source_of("a", Window(io.BytesIO(block(0x0A0D0D0A, header) + PCAPNG), block=32))
    assert source is not None
    assert sum(len(batch) for batch in source) == 1
    assert source.facts().format_detail.startswith("2 sections")


def test_errors_of_a_pipe_speak_of_standard_input(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a").touch()
    with (tmp_path / "a").open("rb") as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        with pytest.raises(InputUnreadable, match=r"^standard input: is empty"):
            open_capture("-")


@pytest.mark.parametrize(("magic", "what", "remedy"), BY_MAGIC, ids=lambda value: str(value)[:20])
def test_a_file_of_a_known_kind_is_named_with_its_remedy(
    tmp_path: Path, magic: bytes, what: str, remedy: str
) -> None:
    (tmp_path / "a").write_bytes(magic + bytes(64))
    error = refused(tmp_path / "a")
    assert what in str(error)
    assert error.hint == remedy


def test_text_is_called_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("frame,time\n1,2\n")
    assert "is text" in str(refused(tmp_path / "a"))


def test_anything_else_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x00\x01\x02\x03" * 9)
    assert "begins with 00 01 02 03" in str(refused(tmp_path / "a"))


@pytest.mark.skipif(not CORPUS, reason="no corpus on this machine")
def test_captures_from_elsewhere_are_read_to_their_end_or_refused_with_a_reason() -> None:
    refusals = []
    for path in CORPUS:
        try:
            source = open_capture(str(path))
        except EgressAuditError as error:
            refusals.append(error)
            continue
        assert sum(len(batch) for batch in source) == source.facts().frames
    assert len(refusals) < len(CORPUS) // 20
    assert all(error.what and error.where for error in refusals)


def test_a_window_without_a_header_gives_no_source() -> None:
    assert source_of("a", Window(io.BytesIO(b"GIF89a" * 9))) is None
