"""Frames as they are shown to a person."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from egress_audit.api import ExplainedFrame, explain_frames
from egress_audit.capture.tap import TappedFrame
from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent
from egress_audit.model.flow import Flow, FlowOwner, Name, NameSource
from egress_audit.model.run import Role
from egress_audit.report.explanation import explanation_json, explanation_text
from tests.builders.audit_parts import flow
from tests.builders.captures import (
    START_NS,
    Frame,
    arp,
    client_hello,
    ethernet,
    pcap,
    tcp_session,
)
from tests.builders.endpoints import entry
from tests.builders.runs import process


def explained(tmp_path: Path, *numbers: int) -> list[ExplainedFrame]:
    frames = tcp_session(("10.0.0.2", 4), ("192.0.2.7", 443), client_hello("hub.example"))
    asked = Frame(START_NS, ethernet(arp(), ethertype=0x0806))
    path = tmp_path / "made.pcap"
    path.write_bytes(pcap([asked, *frames]))
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


@pytest.mark.parametrize("width", [80, 100])
def test_no_line_is_wider_than_its_terminal(width: int, tmp_path: Path) -> None:
    shown = explanation_text(explained(tmp_path, 1, 2, 3, 4, 5, 6), width)
    assert max(len(line) for line in shown.splitlines()) <= width


def test_no_line_is_wider_than_a_hundred_columns(tmp_path: Path) -> None:
    explanations = explained(tmp_path, 1, 2, 3, 4, 5, 6)
    assert explanation_text(explanations, 160) == explanation_text(explanations)


def frame_of(flow: Flow, *names: Name) -> ExplainedFrame:
    """A frame of a flow, which is told with these names."""
    return ExplainedFrame(
        frame=TappedFrame(1, START_NS, 0, 1, ethernet(b""), 14),
        flow=flow,
        names=names,
        destination=Absent.NOT_APPLICABLE,
    )


def test_every_name_has_its_line_and_none_is_cut() -> None:
    long = ".".join(["a" * 60] * 4)
    names = [Name(host, NameSource.TLS_SNI, 0, 4) for host in ("good.example", long)]
    lines = explanation_text([frame_of(flow(), *names)]).splitlines()
    assert "  Names        good.example (tls-sni, frame 4)" in lines
    assert long in "".join(line.strip() for line in lines)
    assert max(len(line) for line in lines) <= 100


def test_a_recorded_name_is_in_no_frame() -> None:
    name = Name("a.example", NameSource.PCAPNG_NRB, 0, 0)
    assert "a.example (pcapng-nrb, in no frame)" in explanation_text([frame_of(flow(), name)])


@pytest.mark.parametrize(
    ("history", "told"), [("ShADr", "state SF, history ShADr"), ("", "state SF")]
)
def test_the_state_says_what_it_is(history: str, told: str) -> None:
    shown = explanation_text([frame_of(flow(conn_state="SF", history=history))])
    assert told in [line.strip() for line in shown.splitlines()]


@pytest.mark.parametrize(
    ("count", "told"), [(1, "1 packet there, 0 back"), (2, "2 packets there, 0 back")]
)
def test_one_packet_is_told_in_the_singular(count: int, told: str) -> None:
    shown = explanation_text([frame_of(flow(orig_pkts=count, resp_pkts=0))])
    assert told in shown


def test_no_line_ends_in_a_space(tmp_path: Path) -> None:
    lines = explanation_text(explained(tmp_path, 1, 2, 5)).splitlines()
    lines += explanation_text([frame_of(flow(history=""))]).splitlines()
    assert [line for line in lines if line != line.rstrip()] == []


def test_the_json_has_the_bytes_and_the_flow(tmp_path: Path) -> None:
    (record,) = json.loads(explanation_json(explained(tmp_path, 5)))
    assert record["frame"] == 5
    assert bytes.fromhex(record["bytes"])[12:14] == b"\x08\x00"
    assert record["flow"]["names"][0]["host"] == "hub.example"


def test_the_process_behind_a_frame_is_told_with_its_parents() -> None:
    shell = process(1, pid=9, exe="/bin/sh", cmdline=Absent.NOT_FOUND)
    program = process(2, parent=1)
    owner = FlowOwner(program.pid, program.exe, program.role, "seccomp")
    init = process(3, Role.RECORDER, pid=8, exe="")
    sent = replace(frame_of(flow()), owner=owner, lineage=(program, shell, init))
    lines = explanation_text([sent]).splitlines()
    at = lines.index(f"  Process      pid {program.pid} {program.exe}")
    assert lines[at + 1 : at + 5] == [
        f"               {program.cmdline}",
        "               the program's; known by: seccomp",
        "  Parents      pid 9 /bin/sh",
        "               pid 8, the first process of the sandbox, which is ours",
    ]
    (record,) = json.loads(explanation_json([sent]))
    assert record["flow"]["owner"]["pid"] == program.pid
    assert [known["exe"] for known in record["processes"]] == [program.exe, "/bin/sh", ""]


def test_a_frame_of_ours_is_not_told_as_the_programs() -> None:
    owner = FlowOwner(5, "/usr/bin/python3", Role.PROBE, "seccomp")
    shown = explanation_text([replace(frame_of(flow()), owner=owner, lineage=(process(3),))])
    assert "our own (probe), not judged; known by: seccomp" in shown


def test_a_frame_of_nobody_says_so_and_one_of_a_capture_says_nothing() -> None:
    nobodys = replace(frame_of(flow()), owner=Absent.NOT_FOUND)
    assert "nobody is known" in explanation_text([nobodys])
    assert "Process" not in explanation_text([frame_of(flow())])


def knowing(*entries: Entry) -> str:
    """What is told of a frame whose names fit these entries."""
    return explanation_text([replace(frame_of(flow()), entries=entries)])


def test_one_use_of_a_name_is_told_as_what_it_is_known_for() -> None:
    assert "Known for    Acme server: telemetry, at Acme (acme-usage)" in knowing(
        entry("acme-usage")
    )


def test_of_several_uses_each_is_a_perhaps_and_the_rest_is_counted() -> None:
    told = knowing(*(entry(f"acme-{number}") for number in range(5)))
    assert told.count("Acme (acme-") == 3
    assert "Perhaps" in told
    assert "and 2 more uses" in told


def test_a_name_that_no_entry_fits_is_known_for_nothing() -> None:
    told = knowing()
    assert "Known for" not in told
    assert "Perhaps" not in told


def test_what_is_to_be_known_of_a_vendor_is_told_once() -> None:
    noted = [entry(f"acme-{number}", note="One host for all.") for number in range(2)]
    assert knowing(*noted).count("Note         Acme: One host for all.\n") == 1
    assert "Note" not in knowing(entry())
