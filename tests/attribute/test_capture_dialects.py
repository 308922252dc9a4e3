"""Processes that a plain capture names: whose flows they are, and when they are nobody's."""

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from egress_audit.api import audit_capture
from egress_audit.attribute import capture_dialects
from egress_audit.attribute.capture_dialects import MAX_TEXT, claim_of
from egress_audit.audit import audited
from egress_audit.classify.destination import Classifier
from egress_audit.judge.profile import load_profile
from egress_audit.model.audit import Audit, Owner, Verdict
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Dialect
from tests.builders.captures import (
    UDP,
    Block,
    Frame,
    Item,
    Section,
    ethernet,
    ipv4,
    options,
    pcapng,
    udp,
)
from tests.builders.engine import opened
from tests.builders.tunnels import in_fragments

BASE_NS = 1_757_500_000_000_000_000
NONE = Absent.NOT_FOUND
PTCPDUMP = b"PID: 812\nCmd: /usr/bin/curl\nArgs: curl https://example.com"
ORDERS = pytest.mark.parametrize("big_endian", [False, True])


def frame(*pairs: tuple[int, bytes], port: int = 4_000, after_us: int = 0) -> Frame:
    """A datagram from a port of ours, with options beside it."""
    packet = ipv4("192.168.1.5", "93.184.216.34", udp(port, 9_999, b"x"), UDP)
    return Frame(BASE_NS + after_us * 1_000, ethernet(packet), options=pairs)


def comment(text: bytes, port: int = 4_000) -> Frame:
    """The same with a comment."""
    return frame((1, text), port=port)


def custom(pid: int, name: bytes, start_us: int | None = None) -> Block:
    """Wireshark's block for a process."""
    pairs = [(2, name)]
    if start_us is not None:
        pairs.append((9, struct.pack("<Q", BASE_NS + start_us * 1_000)))
    body = struct.pack("<I", pid) + options(pairs)
    return Block(0xBAD, struct.pack("<III", 32_622, 3, len(body)) + body)


def apple(pid: int, name: bytes, order: str = "<") -> Block:
    """Apple's block for a process."""
    return Block(0x80000001, struct.pack(order + "I", pid) + options([(2, name)], order))


def thread(pid: int, order: str = "<") -> tuple[int, bytes]:
    """The option epb_processid_threadid."""
    return 8, struct.pack(order + "II", pid, 0)


def number(code: int, index: int, order: str = "<") -> tuple[int, bytes]:
    """An option of one 32-bit number."""
    return code, struct.pack(order + "I", index)


def judged(folder: Path, items: Sequence[Item], *, big_endian: bool = False) -> Audit:
    """The audit of a section with these blocks."""
    (folder / "a.pcapng").write_bytes(pcapng([Section(items, big_endian=big_endian)]))
    return audit_capture(str(folder / "a.pcapng")).audit


def owners(audit: Audit) -> list[tuple[int, str] | None]:
    """Pid and executable of each row's owner."""
    found = [seen.owner for seen in audit.observations]
    return [(each.pid, each.exe) if isinstance(each, Owner) else None for each in found]


def owner(audit: Audit) -> Owner:
    """The owner of the only row."""
    (seen,) = audit.observations
    assert isinstance(seen.owner, Owner)
    return seen.owner


def test_arguments_past_the_bound_are_said_to_be_cut(tmp_path: Path) -> None:
    found = owner(judged(tmp_path, [comment(PTCPDUMP + b"a" * MAX_TEXT)]))
    assert str(found.cmdline).startswith("curl https://example.coma")
    assert (len(str(found.cmdline)), str(found.cmdline)[-1]) == (MAX_TEXT + 1, "…")


def test_a_comment_of_ptcpdump_names_program_and_arguments(tmp_path: Path) -> None:
    found = owner(judged(tmp_path, [comment(PTCPDUMP)]))
    assert (found.pid, found.exe, found.cmdline) == (
        812,
        "/usr/bin/curl",
        "curl https://example.com",
    )
    assert found.how == "comments of ptcpdump"


def test_its_other_comments_say_nothing_of_the_sender(tmp_path: Path) -> None:
    parent = (1, b"ParentPID: 1\nParentCmd: /sbin/init\nParentArgs: init")
    found = owner(judged(tmp_path, [frame((1, PTCPDUMP), (1, b"UserId: 0\nGroupId: 0"), parent)]))
    assert found.pid == 812


def test_a_comment_of_rustnet_names_a_process(tmp_path: Path) -> None:
    text = b"rustnet process=curl pid=4242 ppid=4000 uid=0 attr=procfs direction=outgoing"
    found = owner(judged(tmp_path, [comment(text)]))
    assert (found.pid, found.exe, found.how) == (4242, "curl", "comments of RustNet")


@pytest.mark.parametrize(
    "text", [b"rustnet process=curl", b"rustnet ppid=4000", b"a rustnet pid=1"]
)
def test_a_comment_of_rustnet_without_a_pid_names_nobody(tmp_path: Path, text: bytes) -> None:
    assert owners(judged(tmp_path, [comment(text)])) == [None]


def test_a_comment_of_etl2pcapng_gives_a_number_alone(tmp_path: Path) -> None:
    found = owner(judged(tmp_path, [comment(b"PID=1234 ProcessorNumber=3")]))
    assert (found.pid, found.exe, found.how) == (1234, "unnamed", "comments of etl2pcapng")


@pytest.mark.parametrize(
    "text", [b"see PID: 5", b"PID: x\nCmd: a\nArgs: b", b"", b"PID=12x", b"\xff"]
)
def test_any_other_comment_names_nobody(tmp_path: Path, text: bytes) -> None:
    assert owners(judged(tmp_path, [comment(text)])) == [None]


@ORDERS
def test_wiresharks_option_is_looked_up_in_its_blocks(tmp_path: Path, big_endian: bool) -> None:
    order = ">" if big_endian else "<"
    body = struct.pack("<I", 77) + options([(2, b"sshd")])
    block = Block(0xBAD, struct.pack(order + "I", 32_622) + struct.pack("<II", 3, len(body)) + body)
    audit = judged(tmp_path, [block, frame(thread(77, order))], big_endian=big_endian)
    assert owners(audit) == [(77, "sshd")]


def test_without_a_block_only_the_number_is_known(tmp_path: Path) -> None:
    assert owners(judged(tmp_path, [frame(thread(700))])) == [(700, "unnamed")]


@pytest.mark.parametrize(("after_us", "name"), [(5, "first"), (25, "second")])
def test_of_one_number_the_process_counts_that_had_started(
    tmp_path: Path, after_us: int, name: str
) -> None:
    blocks = [custom(500, b"first", -10), custom(500, b"second", 20)]
    audit = judged(tmp_path, [*blocks, frame(thread(500), after_us=after_us)])
    assert owners(audit) == [(500, name)]


@pytest.mark.parametrize("after_us", [-100, 15])
def test_a_flow_that_outlives_a_process_or_precedes_it_is_nobodys(
    tmp_path: Path, after_us: int
) -> None:
    blocks = [custom(500, b"first", -10), custom(500, b"second", 20)]
    frames = [frame(thread(500), after_us=moment) for moment in (after_us, after_us + 10)]
    assert owners(judged(tmp_path, [*blocks, *frames])) == [None]


def test_of_two_without_a_start_neither_is_held_to_be_the_sender(tmp_path: Path) -> None:
    audit = judged(tmp_path, [custom(600, b"old"), custom(600, b"new"), frame(thread(600))])
    assert owners(audit) == [None]


@ORDERS
def test_apples_option_is_the_place_of_a_block(tmp_path: Path, big_endian: bool) -> None:
    order = ">" if big_endian else "<"
    blocks = [apple(501, b"mDNSResponder", order), apple(1, b"launchd", order)]
    audit = judged(tmp_path, [*blocks, frame(number(0x8001, 1, order))], big_endian=big_endian)
    assert owners(audit) == [(1, "launchd")]


def test_on_whose_behalf_says_more_than_who(tmp_path: Path) -> None:
    blocks = [apple(501, b"mDNSResponder"), apple(77, b"curl")]
    audit = judged(tmp_path, [*blocks, frame(number(0x8001, 0), number(0x8003, 1))])
    assert owners(audit) == [(77, "curl")]
    assert owner(audit).how == "Apple's process blocks"


def test_a_place_without_a_block_names_nobody(tmp_path: Path) -> None:
    assert owners(judged(tmp_path, [apple(1, b"a"), frame(number(0x8001, 9))])) == [None]


def test_places_are_counted_within_a_section(tmp_path: Path) -> None:
    sections = [
        Section([apple(1, b"one"), frame(number(0x8001, 0), port=1)]),
        Section([apple(2, b"two"), frame(number(0x8001, 0), port=2)]),
    ]
    (tmp_path / "a").write_bytes(pcapng(sections))
    assert sorted(filter(None, owners(audit_capture(str(tmp_path / "a")).audit))) == [
        (1, "one"),
        (2, "two"),
    ]


HONE = Block(0x101, struct.pack("<III", 9, 0, 0) + options([(3, b"/bin/curl")]))
SOCKET = Block(0x102, struct.pack("<QIII", 0xABCD, 9, 0, 0))


@pytest.mark.parametrize(
    "pairs",
    [
        [(257, struct.pack("<Q", 0xABCD))],
        [(258, struct.pack("<I", 9))],
        [(257, struct.pack("<Q", 0x1111)), (258, struct.pack("<I", 9))],
    ],
)
def test_hone_names_a_process_by_socket_or_number(
    tmp_path: Path, pairs: list[tuple[int, bytes]]
) -> None:
    assert owners(judged(tmp_path, [HONE, SOCKET, frame(*pairs)])) == [(9, "/bin/curl")]


def test_a_socket_of_two_processes_is_nobodys(tmp_path: Path) -> None:
    other = Block(0x102, struct.pack("<QIII", 0xABCD, 10, 0, 0))
    option = (257, struct.pack("<Q", 0xABCD))
    assert owners(judged(tmp_path, [HONE, SOCKET, other, frame(option)])) == [None]


def test_a_flow_of_which_two_frames_name_two_processes_is_nobodys(tmp_path: Path) -> None:
    second = PTCPDUMP.replace(b"812", b"813")
    assert owners(judged(tmp_path, [comment(PTCPDUMP), comment(second)])) == [None]


def test_a_frame_that_names_nobody_contradicts_nobody(tmp_path: Path) -> None:
    assert owners(judged(tmp_path, [comment(PTCPDUMP), frame()])) == [(812, "/usr/bin/curl")]


def test_flows_of_different_processes_are_rows_of_their_own(tmp_path: Path) -> None:
    second = PTCPDUMP.replace(b"812", b"813").replace(b"curl", b"wget")
    audit = judged(tmp_path, [comment(PTCPDUMP, 1), comment(second, 2), frame(port=3)])
    assert sorted(owners(audit), key=str) == [
        (812, "/usr/bin/curl"),
        (813, "/usr/bin/wget"),
        None,
    ]


def test_what_the_kernel_sends_by_itself_is_nobodys(tmp_path: Path) -> None:
    report = ipv4("192.168.1.5", "224.0.0.22", bytes([0x22, *bytes(15)]), 2)
    said = Frame(BASE_NS, ethernet(report), options=[(1, PTCPDUMP)])
    assert owners(judged(tmp_path, [said])) == [None]


def test_a_capture_that_names_processes_is_judged_like_one_that_does_not(tmp_path: Path) -> None:
    named, plain = judged(tmp_path, [comment(PTCPDUMP)]), judged(tmp_path, [frame()])
    assert named.verdict is plain.verdict is Verdict.VIOLATED
    assert named.subject == plain.subject == "this capture"
    assert [spot.id for spot in named.blind_spots] == [spot.id for spot in plain.blind_spots]


def test_names_of_processes_cannot_move_a_cursor(tmp_path: Path) -> None:
    found = owner(judged(tmp_path, [comment(PTCPDUMP.replace(b"curl", b"\x1b[2J"))]))
    assert "\x1b" not in f"{found.exe}{found.cmdline}"


def test_more_processes_than_are_kept_are_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_dialects, "MAX_CLAIMS", 2)
    monkeypatch.setattr(capture_dialects, "MAX_REMEMBERED", 1)
    frames = [comment(b"PID=%d" % pid, port=pid) for pid in range(1, 5)]
    assert owners(judged(tmp_path, frames)).count(None) == 1
    assert len([each for each in owners(judged(tmp_path, frames)) if each]) == 1


@pytest.mark.parametrize("code", [8, 257, 258, 0x8001, 0x8003])
@pytest.mark.parametrize("value", [b"", b"abc", bytes(9)])
def test_a_number_of_the_wrong_size_claims_nothing(code: int, value: bytes) -> None:
    assert claim_of(code, value, False, 0) is None


def test_a_comment_longer_than_any_of_processes_claims_nothing(tmp_path: Path) -> None:
    assert owners(judged(tmp_path, [comment(PTCPDUMP + b"a" * 5_000)])) == [None]


def fragments_with(*comments: bytes | None) -> bytes:
    """The fragments of a datagram, the last one first, each with a comment or without."""
    packet = ipv4("192.168.1.5", "93.184.216.34", udp(4_000, 9_999, bytes(40)), UDP)
    parts = in_fragments(packet, 24)[::-1]
    frames = [
        Frame(BASE_NS, ethernet(part), options=[] if text is None else [(1, text)])
        for part, text in zip(parts, comments, strict=False)
    ]
    return pcapng([Section(frames)])


def heard_of(data: bytes, block: int) -> list[tuple[int, str] | None]:
    """The owners in a capture that is read in batches of so many bytes."""
    return owners(audited(opened(data, block), load_profile("offline"), Classifier()).audit)


@pytest.mark.parametrize("block", [64, 1 << 20])
@pytest.mark.parametrize("comments", [(PTCPDUMP, None), (PTCPDUMP,), (PTCPDUMP, PTCPDUMP)])
def test_what_stands_beside_a_fragment_that_waits_is_of_its_flow(
    comments: tuple[bytes | None, ...], block: int
) -> None:
    assert heard_of(fragments_with(*comments), block) == [(812, "/usr/bin/curl")]


@pytest.mark.parametrize("block", [64, 1 << 20])
@pytest.mark.parametrize("comments", [(None, None), (PTCPDUMP, b"PID=7 "), (b"nothing", None)])
def test_fragments_of_two_senders_or_of_none_are_nobodys(
    comments: tuple[bytes | None, ...], block: int
) -> None:
    assert heard_of(fragments_with(*comments), block) == [None]


def test_every_dialect_says_how_it_knows() -> None:
    assert len({str(dialect) for dialect in Dialect}) == len(Dialect)
