"""Frames that somebody asks for by number, or that findings cite."""

from pathlib import Path

import pytest

from egress_audit.api import audit_capture
from egress_audit.errors import InputUnreadable, WrongUsage
from egress_audit.model.destination import Absent
from egress_audit.single_frames import cited_frames, explain_frames
from tests.builders.captures import START_NS, Frame, arp, ethernet, pcap, tcp_session


def saved(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def test_a_frame_is_explained_with_its_flow(tmp_path: Path) -> None:
    frames = tcp_session(("10.0.0.2", 4), ("192.0.2.7", 443))
    asked = Frame(START_NS, ethernet(arp(), ethertype=0x0806))
    path = saved(tmp_path / "a.pcap", pcap([*frames, asked]))
    second, last = explain_frames(path, [2, len(frames) + 1])
    assert not isinstance(second.flow, Absent)
    assert (second.flow.orig_h, second.frame.captured) == ("10.0.0.2", frames[1].data)
    assert last.flow is Absent.NOT_APPLICABLE


def test_a_frame_beyond_the_end_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pcap", pcap([]))
    with pytest.raises(WrongUsage, match="no frame 1"):
        explain_frames(path, [1])


def test_cited_frames_are_read_a_second_time(tmp_path: Path) -> None:
    frames = tcp_session(("10.0.0.2", 4), ("192.0.2.7", 443))
    path = saved(tmp_path / "a.pcap", pcap(frames))
    (frame,) = cited_frames([path], audit_capture(path))
    assert (frame.number, frame.captured) == (1, frames[0].data)


def test_without_a_sha256_their_size_tells_captures_that_changed(tmp_path: Path) -> None:
    frames = tcp_session(("10.0.0.2", 4), ("192.0.2.7", 443))
    path = saved(tmp_path / "a.pcap", pcap(frames))
    result = audit_capture(path, hashed=False)
    (frame,) = cited_frames([path], result)
    assert frame.number == 1
    saved(tmp_path / "a.pcap", pcap([*frames, frames[0]]))
    with pytest.raises(InputUnreadable, match="changed"):
        list(cited_frames([path], result))


def test_captures_that_changed_since_they_were_judged_are_refused(tmp_path: Path) -> None:
    frames = tcp_session(("10.0.0.2", 4), ("192.0.2.7", 443))
    path = saved(tmp_path / "a.pcap", pcap(frames))
    result = audit_capture(path)
    saved(tmp_path / "a.pcap", pcap([*frames, frames[0]]))
    with pytest.raises(InputUnreadable, match="changed"):
        list(cited_frames([path], result))
