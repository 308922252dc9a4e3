"""Tests of egress_audit/evidence/writing.py."""

import io
from pathlib import Path

from egress_audit.evidence.writing import cannot_write, cut_to, write_all
from tests.builders.disks import FullDisk, SlowDisk


def test_a_stream_that_takes_a_part_gets_the_rest() -> None:
    disk = SlowDisk()
    assert write_all(disk, b"abcdefgh") == (8, None)
    assert disk.getvalue() == b"abcdefgh"


def test_a_full_disk_is_told_with_what_reached_it() -> None:
    written, error = write_all(FullDisk(5), b"abcdefgh")
    assert written == 5
    assert error is not None
    assert "No space left" in str(error)


def test_a_file_can_be_cut_and_written_on() -> None:
    stream = io.BytesIO(b"whole half")
    cut_to(stream, 5)
    stream.write(b"!")
    assert stream.getvalue() == b"whole!"


def test_what_cannot_be_cut_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(b"whole half")
    with path.open("rb", buffering=0) as stream:
        cut_to(stream, 5)
    assert path.read_bytes() == b"whole half"


def test_the_error_names_file_reason_and_what_is_kept() -> None:
    _, error = write_all(FullDisk(0), b"x")
    assert error is not None
    shown = str(cannot_write("capture.pcapng", error, "3 frames are kept"))
    assert "capture.pcapng: cannot be written: No space left on device; 3 frames are kept" in shown
