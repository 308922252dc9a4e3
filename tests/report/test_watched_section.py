"""What was watched, in words."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.model.audit import OwnAddresses
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Damage
from egress_audit.report.safe_text import NO_BREAK
from egress_audit.report.watched_section import watched_section
from tests.builders.audit_parts import coverage, interface
from tests.builders.audits import SILENCE, hub_lookup


def told(**changes: Any) -> dict[str, tuple[str, ...]]:
    audit = replace(hub_lookup(), coverage=coverage(**changes))
    return {
        entry.term: tuple(line.replace(NO_BREAK, " ") for line in entry.lines)
        for entry in watched_section(audit).entries
    }


def test_the_capture_stands_first_with_hash_size_and_format() -> None:
    entry = watched_section(hub_lookup()).entries[0]
    assert entry.lines == ("67\u00a0240\u00a0bytes, pcap, little-endian, microseconds, 2.4",)
    assert entry.code == f"sha256 {'9c' * 32}"


def test_a_capture_that_was_not_hashed_says_what_that_means() -> None:
    audit = hub_lookup()
    (item,) = audit.evidence
    unhashed = replace(audit, evidence=(replace(item, sha256=Absent.NOT_ASKED),))
    entry = watched_section(unhashed).entries[0]
    assert "nothing ties this report" in entry.lines[-1]
    assert entry.code == ""


def test_every_frame_is_in_exactly_one_group() -> None:
    frames = told(frames=12, packets=6, no_destination={"ARP": 4}, undecoded={"truncated": 2})
    assert frames["Frames"] == (
        "12 in all: 6 packets of 57 flows, 4 without destination (4 ARP), "
        "2 not decoded (2 truncated)",
    )


def test_a_capture_without_frames_has_no_time() -> None:
    _, frames, time, *_ = watched_section(replace(hub_lookup(), coverage=SILENCE)).entries
    assert frames.lines == ("0: the evidence holds none",)
    assert time.lines[0].startswith("no frame, so no time")


def test_times_are_utc_and_the_longest_silence_stands_beside_them() -> None:
    assert told()["Time"] == (
        "2026-11-21T10:12:03.512Z to 2026-11-21T10:12:50.512Z, 47.0 s",
        "longest silence 8.0 s, after 2026-11-21T10:12:15.512Z",
    )


def test_drops_that_nobody_counted_are_not_called_zero() -> None:
    assert told()["Drops"] == ("unknown: the file does not say",)
    assert told(drops=0)["Drops"] == ("0 frames",)


def test_an_interface_shows_snaplen_filter_and_drops() -> None:
    shown = interface(name="eth0", capture_filter="port 53", drops=3, snaplen=0)
    assert told(interfaces=(shown,))["Interfaces"] == (
        "0 eth0: RAW, no snaplen, filter “port 53”, drops 3, 418 frames",
    )


def test_a_file_of_many_interfaces_names_the_first_and_counts_the_others() -> None:
    lines = told(interfaces=(interface(),) * 5000)["Interfaces"]
    assert len(lines) == 9
    assert lines[-1] == "… and 4 992 more: --format json"


def test_what_is_incomplete_is_told_only_where_it_is() -> None:
    assert "Incomplete" not in told()
    shown = told(truncated=3, partial={"fragment": 2})["Incomplete"]
    assert shown == ("3 shorter than on the wire, 2 fragment",)


@pytest.mark.parametrize(
    ("field", "one", "two"),
    [
        ("gap_flows", "1 flow with gaps", "2 flows with gaps"),
        ("one_way_flows", "1 one-way flow", "2 one-way flows"),
        ("missed_bytes", "1 byte missed", "2 bytes missed"),
        ("duplicates", "1 repeated frame", "2 repeated frames"),
        (
            "conflicting_segments",
            "1 stream sent twice with different content",
            "2 streams sent twice with different content",
        ),
    ],
)
def test_one_is_told_in_the_singular(field: str, one: str, two: str) -> None:
    assert told(**{field: 1})["Incomplete"] == (one,)
    assert told(**{field: 2})["Incomplete"] == (two,)


def test_damage_is_told_with_its_offset() -> None:
    shown = told(damage=(Damage(4096, "record length 4294967295"),))["Damage"]
    assert shown == ("at byte 4 096: record length 4294967295",)


def test_hidden_and_unread_names_are_counted_by_kind() -> None:
    shown = told(hidden_names={"quic": 2}, unread_heads={"cut by snaplen": 1}, tunnels={"gre": 1})
    assert shown["Names hidden"] == ("2 quic",)
    assert shown["Names unread"] == ("1 cut by snaplen",)
    assert shown["Tunnels"] == ("1 gre",)


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, ("1 packet of a machine to itself",)), (2, ("2 packets of a machine to itself",))],
)
def test_packets_to_itself_that_were_on_a_wire_are_counted(
    count: int, said: tuple[str, ...]
) -> None:
    assert told(loopback_on_wire=count)["On a wire"] == said


def test_where_there_were_none_nothing_is_said() -> None:
    assert "On a wire" not in told()


def test_what_a_run_adds_stands_in_its_own_sections() -> None:
    entries = told(conditions=("HF_HUB_OFFLINE=1",), probes=4, phases=("run",))
    assert not {"Conditions", "Probes", "Phases"} & entries.keys()


def test_own_addresses_say_how_they_are_known() -> None:
    assert told()["Own side"] == ("10.77.0.2/32, guessed from the traffic",)
    audit = replace(hub_lookup(), own_addresses=OwnAddresses("guessed", ()))
    assert watched_section(audit).entries[-1].lines[0].startswith("unknown")
