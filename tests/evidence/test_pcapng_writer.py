"""Tests of egress_audit/evidence/pcapng_writer.py."""

import io
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.capture.source import open_capture
from egress_audit.capture.tap import Tap, TappedFrame
from egress_audit.errors import EgressAuditError
from egress_audit.evidence.pcapng_writer import CaptureInterface, PcapngWriter, block
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import CaptureFacts
from tests.builders.captures import START_NS, TCP, UDP, client_hello, ipv4, tcp, udp
from tests.builders.disks import FullDisk

EG0, LO = CaptureInterface("eg0", 101), CaptureInterface("lo", 101)
A, B = "10.87.0.2", "203.0.113.7"
PACKET = ipv4(A, B, udp(1234, 80, b"secret"), UDP)

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def read_back(path: Path) -> tuple[list[TappedFrame], CaptureFacts]:
    """All frames of a file as our own reader has them, and its facts."""
    tap = Tap(open_capture(str(path)), range(1, 1000))
    for _ in tap:
        pass
    return [tap.frames[number] for number in sorted(tap.frames)], tap.facts()


def saved(path: Path, stream: io.BytesIO) -> Path:
    path.write_bytes(stream.getvalue())
    return path


def facts_of(tmp_path: Path, stream: io.BytesIO) -> CaptureFacts:
    return read_back(saved(tmp_path / "capture.pcapng", stream))[1]


FRAMES = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, (1 << 62) - 1),
        st.binary(max_size=90),
        st.booleans(),
        st.sampled_from(["", "pid 7 /usr/bin/a", "pid 7 /tmp/\udc80\n\0x", "ü" * 3000]),
    ),
    max_size=20,
)


@given(FRAMES)
def test_our_reader_gives_back_every_frame(
    tmp_path_factory: pytest.TempPathFactory,
    frames: Sequence[tuple[int, int, bytes, bool, str]],
) -> None:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, [EG0, LO])
    numbers = [
        writer.write(interface, t_ns, data, outbound=outbound, comment=comment)
        for interface, t_ns, data, outbound, comment in frames
    ]
    writer.flush()
    path = saved(tmp_path_factory.mktemp("written") / "capture.pcapng", stream)
    read, facts = read_back(path)
    assert numbers == [frame.number for frame in read]
    assert [f[:3] for f in frames] == [(r.interface, r.ts_ns, r.captured) for r in read]
    assert all(frame.wirelen == len(frame.captured) for frame in read)
    assert not facts.damage
    assert not facts.skipped_blocks


def test_interfaces_names_and_losses_are_read_back(tmp_path: Path) -> None:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, [EG0, LO])
    writer.write_names({B: "model.example", "2001:db8::7": "six.example"})
    writer.write(0, START_NS, PACKET, outbound=True)
    for interface, received, dropped in ((0, 4, 3), (1, 0, 0)):
        writer.write_statistics(
            interface, received=received, dropped=dropped, start_ns=START_NS, end_ns=START_NS + 1
        )
    writer.flush()
    facts = facts_of(tmp_path, stream)
    seen = [(i.name, i.linktype, i.received, i.drops, i.snaplen) for i in facts.interfaces]
    assert seen == [("eg0", 101, 4, 3, 0), ("lo", 101, 0, 0, 0)]
    assert [(r.address, r.hosts) for r in facts.host_records] == [
        (B, ("model.example",)),
        ("2001:db8::7", ("six.example",)),
    ]


def test_a_loss_that_is_not_known_is_not_written_as_none(tmp_path: Path) -> None:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, [EG0])
    writer.write_statistics(0, received=0, dropped=None, start_ns=0, end_ns=1)
    writer.flush()
    assert facts_of(tmp_path, stream).interfaces[0].drops is Absent.NOT_FOUND


def test_an_empty_filter_is_no_filter_that_a_reader_would_name(tmp_path: Path) -> None:
    stream = io.BytesIO()
    PcapngWriter(stream, [EG0])
    assert b"\x0b\x00\x01\x00\x00" in stream.getvalue()
    assert facts_of(tmp_path, stream).interfaces[0].capture_filter is Absent.NOT_FOUND


def test_more_names_than_fit_one_block_are_all_read_back(tmp_path: Path) -> None:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, [EG0])
    names = {f"198.18.{n >> 8}.{n & 255}": f"n{n}.example" for n in range(5000)}
    writer.write_names(names)
    writer.flush()
    records = facts_of(tmp_path, stream).host_records
    assert {record.address: record.hosts[0] for record in records} == names


def test_a_name_that_is_no_name_stays_one_record(tmp_path: Path) -> None:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, [EG0])
    writer.write_names({B: "a\0b\n" + "x" * 70_000})
    writer.flush()
    facts = facts_of(tmp_path, stream)
    assert not facts.damage
    assert [len(record.hosts) for record in facts.host_records] == [1]


def test_headers_only_keeps_the_length_on_the_wire(tmp_path: Path) -> None:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, [EG0], headers_only=True)
    hello = ipv4(A, B, tcp(1, 443, "PA", payload=client_hello("a.example")), TCP)
    for frame in (PACKET, hello):
        writer.write(0, START_NS, frame, outbound=True)
    writer.flush()
    cut, whole = read_back(saved(tmp_path / "capture.pcapng", stream))[0]
    assert (cut.captured, cut.wirelen) == (PACKET[:28], len(PACKET))
    assert (whole.captured, whole.wirelen) == (hello, len(hello))
    assert b"secret" not in stream.getvalue()


def test_a_frame_that_could_not_be_read_whole_keeps_its_length_on_the_wire(tmp_path: Path) -> None:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, [EG0])
    writer.write(0, START_NS, PACKET, outbound=True, wire_len=100_000)
    writer.write(0, START_NS, PACKET, outbound=True, wire_len=len(PACKET))
    writer.flush()
    cut, whole = read_back(saved(tmp_path / "capture.pcapng", stream))[0]
    assert (cut.captured, cut.wirelen) == (PACKET, 100_000)
    assert (whole.captured, whole.wirelen) == (PACKET, len(PACKET))


def test_what_was_flushed_can_be_read_while_the_recorder_lives(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcapng"
    with path.open("wb", buffering=0) as stream:
        writer = PcapngWriter(stream, [EG0])
        writer.write(0, START_NS, PACKET, outbound=True)
        writer.flush()
        writer.write(0, START_NS, PACKET, outbound=True)
        read, facts = read_back(path)
    assert (len(read), facts.damage) == (1, ())


def test_without_any_flush_the_file_ends_with_a_whole_block(tmp_path: Path) -> None:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, [EG0])
    for _ in range(5000):
        writer.write(0, START_NS, PACKET, outbound=False, comment="pid 1 /bin/a")
    facts = facts_of(tmp_path, stream)
    assert 0 < facts.frames < writer.frames
    assert not facts.damage


@pytest.mark.parametrize("room", range(160, 420, 7))
def test_a_full_disk_keeps_whole_frames_and_says_how_many(tmp_path: Path, room: int) -> None:
    disk = FullDisk(room)
    writer = PcapngWriter(disk, [EG0])
    for _ in range(9):
        writer.write(0, START_NS, PACKET, outbound=True)
    with pytest.raises(EgressAuditError) as refused:
        writer.flush()
    facts = facts_of(tmp_path, disk)
    assert not facts.damage
    assert (
        f"capture.pcapng: cannot be written: No space left on device; its first {facts.frames}"
        in (str(refused.value))
    )


def test_a_disk_with_room_again_gets_the_rest(tmp_path: Path) -> None:
    disk = FullDisk(250)
    writer = PcapngWriter(disk, [EG0])
    for _ in range(9):
        writer.write(0, START_NS, PACKET, outbound=True)
    with pytest.raises(EgressAuditError):
        writer.flush()
    disk.room = 10_000
    writer.flush()
    facts = facts_of(tmp_path, disk)
    assert (facts.frames, facts.damage) == (9, ())


def test_more_processes_than_are_cached_keep_their_own_comments() -> None:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, [EG0])
    for pid in range(5000):
        writer.write(0, START_NS, PACKET, outbound=True, comment=f"pid {pid}.")
    writer.flush()
    written = stream.getvalue()
    assert all(f"pid {pid}.".encode() in written for pid in range(5000))


def test_a_block_says_its_length_twice() -> None:
    assert block(9, b"abcd") == b"\x09\0\0\0\x10\0\0\0abcd\x10\0\0\0"


@needs_tshark
def test_wireshark_shows_process_direction_and_name(tmp_path: Path) -> None:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, [EG0, LO])
    writer.write_names({B: "model.example"})
    writer.write(0, START_NS, PACKET, outbound=True, comment="pid 1234 /usr/bin/python3.11")
    writer.write(1, START_NS + 1, PACKET, outbound=False)
    writer.flush()
    path = saved(tmp_path / "capture.pcapng", stream)
    fields = ("frame.comment", "frame.p2p_dir", "frame.interface_name", "ip.dst_host")
    shown = ["-T", "fields", *(word for name in fields for word in ("-e", name))]
    done = subprocess.run(
        ["tshark", "-r", str(path), "-N", "n", *shown], capture_output=True, text=True, check=True
    )
    assert [row.split("\t") for row in done.stdout.splitlines()] == [
        ["pid 1234 /usr/bin/python3.11", "0", "eg0", "model.example"],
        ["", "1", "lo", "model.example"],
    ]


@needs_tshark
def test_wireshark_reads_the_statistics(tmp_path: Path) -> None:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, [EG0, LO])
    for interface in (0, 1):
        writer.write_statistics(interface, received=5, dropped=2, start_ns=1, end_ns=START_NS)
    writer.flush()
    path = saved(tmp_path / "capture.pcapng", stream)
    done = subprocess.run(["capinfos", str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.count("Number of stat entries = 1") == 2
    assert "Capture application: egress-audit" in done.stdout
