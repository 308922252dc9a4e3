"""Frames in a file of their own are read back as they were, with their reasons."""

import io
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from egress_audit.capture.source import open_capture
from egress_audit.errors import EgressAuditError
from egress_audit.evidence.cited_frames import MAX_COMMENTS, CitedFramesWriter
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Interface
from tests.builders.audit_parts import interface
from tests.builders.captures import START_NS


def written(path: Path, interfaces: Sequence[Interface], *comments: str) -> Path:
    with path.open("wb", buffering=0) as stream:
        writer = CitedFramesWriter(stream, interfaces, name="x")
        writer.write(1, START_NS + 7, b"\x45" + bytes(20), 1500, comments)
        writer.write(0, START_NS, b"\x01\x02\x03", 3, ())
        assert writer.frames == 2
    return path


BOTH = (
    interface(name=Absent.NOT_FOUND, linktype=101, snaplen=96),
    interface(name="eth0", linktype=1, snaplen=0, capture_filter="tcp"),
)


def test_bytes_times_lengths_and_link_types_are_kept(tmp_path: Path) -> None:
    source = open_capture(str(written(tmp_path / "o.pcapng", BOTH)))
    batch = next(iter(source))
    assert batch.ts_ns.tolist() == [START_NS + 7, START_NS]
    assert (batch.caplen.tolist(), batch.wirelen.tolist()) == ([21, 3], [1500, 3])
    assert batch.linktype.tolist() == [1, 101]
    start = int(batch.offset[0])
    assert batch.buffer[start : start + 21].tobytes() == b"\x45" + bytes(20)
    source.close()


def test_interfaces_keep_name_and_snaplen_and_no_filter_is_claimed(tmp_path: Path) -> None:
    source = open_capture(str(written(tmp_path / "o.pcapng", BOTH)))
    list(source)
    facts = source.facts()
    assert [(i.name, i.snaplen) for i in facts.interfaces] == [(Absent.NOT_FOUND, 96), ("eth0", 0)]
    assert {i.capture_filter for i in facts.interfaces} == {Absent.NOT_FOUND}
    assert not facts.damage


def test_reasons_stand_beside_the_frame_and_cannot_forge_a_line(tmp_path: Path) -> None:
    raw = written(tmp_path / "o.pcapng", BOTH, "EA001: a\nb", "second").read_bytes()
    assert b"EA001: a\\nb" in raw
    assert b"second" in raw


def test_many_reasons_are_counted(tmp_path: Path) -> None:
    comments = [f"r{n}" for n in range(MAX_COMMENTS + 3)]
    raw = written(tmp_path / "o.pcapng", BOTH, *comments).read_bytes()
    assert b"and 3 more findings" in raw
    assert f"r{MAX_COMMENTS}".encode() not in raw


def test_a_time_before_the_epoch_is_written_as_two_s_complement() -> None:
    stream = io.BytesIO()
    writer = CitedFramesWriter(stream, BOTH, name="x")
    before = len(stream.getvalue())
    writer.write(0, -5, b"", 0, ())
    assert struct.unpack_from("<II", stream.getvalue(), before + 12) == (2**32 - 1, 2**32 - 5)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_a_full_disk_says_which_file() -> None:
    refused = pytest.raises(EgressAuditError, match=r"o\.pcapng: cannot be written")
    with Path("/dev/full").open("wb", buffering=0) as stream, refused:
        CitedFramesWriter(stream, BOTH, name="o.pcapng")
