"""Frames as they are shown to a person."""

import json
from pathlib import Path

from egress_audit.api import ExplainedFrame, explain_frames
from egress_audit.report.explanation import explanation_json, explanation_text
from tests.builders.captures import (
    START_NS,
    Frame,
    client_hello,
    ethernet,
    pcap,
    tcp_session,
)


def explained(tmp_path: Path, *numbers: int) -> list[ExplainedFrame]:
    frames = tcp_session(("10.0.0.2", 4), ("192.0.2.7", 443), client_hello("hub.example"))
    arp = Frame(START_NS, ethernet(bytes(28), ethertype=0x0806))
    path = tmp_path / "made.pcap"
    path.write_bytes(pcap([arp, *frames]))
    return explain_frames(str(path), numbers)


def test_a_frame_is_shown_with_time_flow_name_and_layers(tmp_path: Path) -> None:
    shown = explanation_text(explained(tmp_path, 5))
    assert shown.startswith("Frame 5  2023-11-14 22:13:20.003000000 UTC")
    for words in ("10.0.0.2:4 → 192.0.2.7:443", "hub.example (tls-sni, frame 5)", "[ TCP ]"):
        assert words in shown


def test_a_frame_that_is_no_packet_says_so(tmp_path: Path) -> None:
    shown = explanation_text(explained(tmp_path, 1))
    assert "no IP packet" in shown
    assert "[ ARP ]" in shown


def test_no_line_is_wider_than_a_hundred_columns(tmp_path: Path) -> None:
    shown = explanation_text(explained(tmp_path, 1, 2, 3, 4, 5, 6))
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_the_json_has_the_bytes_and_the_flow(tmp_path: Path) -> None:
    (record,) = json.loads(explanation_json(explained(tmp_path, 5)))
    assert record["frame"] == 5
    assert bytes.fromhex(record["bytes"])[12:14] == b"\x08\x00"
    assert record["flow"]["names"][0]["host"] == "hub.example"
