"""A connection that goes on after a silence is still of whoever began it."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from egress_audit.api import audit_capture
from egress_audit.audit import Asserted
from egress_audit.model.audit import Verdict
from tests.builders.captures import START_NS, TCP, Frame, ip, pcap, tcp

US, STRANGER = ("10.0.0.2", 22), ("192.0.2.9", 50022)
MINUTE = 60_000_000_000
CALL = [(0, False, "S"), (0, True, "SA"), (0, False, "A"), (0, True, "PA")]
ON = [(9, False, "PA"), (9, True, "PA")]
END = [(9, False, "FA"), (9, True, "FA"), (9, False, "A")]


def verdict(
    folder: Path, script: list[tuple[int, bool, str]], alone_over_four: int = -1
) -> Verdict:
    """Of a connection, each segment with its minute, whether it is ours, and its flags.

    alone_over_four: minute of the only segments over IPv4; all others are between the same numbers
    as addresses of IPv6.
    """
    frames, numbers = [], {True: 100, False: 500}
    for place, (minute, ours, flags) in enumerate(script):
        (src, sport), (dst, dport) = (US, STRANGER) if ours else (STRANGER, US)
        if alone_over_four not in (-1, minute):
            src, dst = f"::{src}", f"::{dst}"
        data = b"\0\1\2" if "P" in flags else b""
        wire = tcp(sport, dport, flags, numbers[ours], numbers[not ours], data)
        numbers[ours] += len(data) + ("S" in flags or "F" in flags)
        frames.append(Frame(START_NS + minute * MINUTE + place * 1000, ip(src, dst, wire, TCP)))
    path = folder / "made.pcap"
    path.write_bytes(pcap(frames, 101, nanoseconds=True))
    local = [ip_network(US[0]), ip_network(f"::{US[0]}")]
    return audit_capture(str(path), local=local, asserted=Asserted(("all",))).audit.verdict


@pytest.mark.parametrize("script", [[*CALL, *ON], [*CALL, *ON[::-1]], [*CALL, (9, True, "PA")]])
def test_what_a_stranger_began_is_answered(
    tmp_path: Path, script: list[tuple[int, bool, str]]
) -> None:
    assert verdict(tmp_path, [*CALL, (0, False, "A")]) is Verdict.HOLDS
    assert verdict(tmp_path, script) is not Verdict.VIOLATED


def test_it_may_go_on_more_than_once(tmp_path: Path) -> None:
    again = [(minute + 9, ours, flags) for minute, ours, flags in ON]
    assert verdict(tmp_path, [*CALL, *ON, *again]) is Verdict.HOLDS


def test_what_we_begin_on_its_ports_is_ours(tmp_path: Path) -> None:
    assert verdict(tmp_path, [*CALL, (9, True, "S")]) is Verdict.VIOLATED


def test_what_comes_behind_its_end_is_ours(tmp_path: Path) -> None:
    assert verdict(tmp_path, [*CALL, *END, (18, True, "PA")]) is Verdict.VIOLATED


def test_what_was_never_answered_does_not_go_on(tmp_path: Path) -> None:
    assert verdict(tmp_path, [CALL[0], (9, True, "PA")]) is Verdict.VIOLATED


def test_what_nobody_was_seen_to_begin_is_ours(tmp_path: Path) -> None:
    assert verdict(tmp_path, ON) is Verdict.VIOLATED


def test_what_comes_over_another_version_of_ip_goes_on_with_nothing(tmp_path: Path) -> None:
    script = [*CALL, (9, True, "PA"), (18, False, "A")]
    assert verdict(tmp_path, script) is not Verdict.VIOLATED
    assert verdict(tmp_path, script, 9) is Verdict.VIOLATED
