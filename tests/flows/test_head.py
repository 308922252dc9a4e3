"""A head ends at its bounds, and lets go of what was read."""

from egress_audit.flows.assembly import Assembly
from egress_audit.flows.head import (
    CRUMB,
    MAX_CRUMBS,
    MAX_HEAD,
    MAX_READ_AGAIN,
    MAX_SEGMENTS,
    Head,
    read_on,
)


def head(stream: bytes = b"", *, dns: bool = False) -> Head:
    assembly = Assembly(100, origin_known=True)
    assembly.add(100, stream)
    return Head(3, True, dns, assembly, packets=5)


def test_the_side_of_a_head_tells_flow_and_direction() -> None:
    assert head().side == 7


def test_a_head_is_spent_by_bytes_or_by_segments() -> None:
    assert head(bytes(MAX_HEAD)).spent
    assert not head(bytes(MAX_HEAD), dns=True).spent
    many = head()
    many.packets = MAX_CRUMBS
    assert many.spent


def test_a_head_is_not_read_again_and_again_for_ever() -> None:
    long, longer = (head(bytes(MAX_READ_AGAIN // 64 - less)) for less in (1, 0))
    long.packets = longer.packets = 64
    assert (long.spent, longer.spent) == (False, True)


def test_a_head_waits_less_for_what_may_never_come() -> None:
    lines = bytes(CRUMB * MAX_SEGMENTS)
    waiting, crumbs, lacking, plain = head(lines), head(lines[1:]), head(), head(lines)
    waiting.optional = crumbs.optional = True
    for _ in range(MAX_SEGMENTS):
        lacking.add(200, b"later")
    heads = (waiting, crumbs, lacking, plain)
    for each in heads:
        each.packets = MAX_SEGMENTS
    assert [each.spent for each in heads] == [True, False, True, False]


def test_what_a_head_waits_for_may_come_behind_any_number_of_segments() -> None:
    long = head()
    for at in range(0, 2 * MAX_SEGMENTS):
        assert long.add(100 + at, b"a")
    for at in range(1, MAX_SEGMENTS):
        assert not long.add(100 + 2 * MAX_SEGMENTS + at, b"c")
    assert not long.spent
    assert long.add(100 + 2 * MAX_SEGMENTS, b"b")
    assert (long.waiting, long.spent, long.assembly.has_hole) == (0, False, False)


def test_an_old_segment_is_known_once_the_stream_was_read_on() -> None:
    assert not head().lies_behind(100)
    going_on = head(b"read")
    going_on.print_kept = True
    going_on.advance(4, len)
    assert [going_on.lies_behind(end) for end in (104, 105)] == [True, False]


def test_an_old_segment_is_known_in_a_stream_that_is_read_from_its_middle() -> None:
    going_on = read_on(7, 104, None)
    assert [going_on.lies_behind(end) for end in (104, 105)] == [True, False]


def test_a_hungry_head_stops_for_a_reason() -> None:
    assert head().reason_to_stop(too_much=False) == ""
    assert head().reason_to_stop(too_much=True) == "longer than is read"
    cut = head()
    cut.cut = True
    assert cut.reason_to_stop(too_much=False) == "cut by snaplen"


def test_behind_a_hole_a_request_is_looked_for() -> None:
    lacking = head(b"re")
    lacking.assembly.add(110, b"GET / HTTP/1.1")
    assert lacking.beyond_hole() == 10
    lacking = head(b"re")
    lacking.assembly.add(110, b"data")
    assert lacking.beyond_hole() == 0


def test_what_was_read_is_let_go_of() -> None:
    going_on = head(b"readrest")
    going_on.advance(4, len)
    assert (going_on.assembly.stream, going_on.assembly.origin) == (b"rest", 104)
    assert (going_on.packets, going_on.reader) == (1, len)


def test_a_head_may_go_on_behind_bytes_that_are_to_come() -> None:
    waiting = head(b"read")
    waiting.assembly.add(110, b"later")
    waiting.advance(10, len)
    assert (waiting.assembly.stream, waiting.assembly.has_hole) == (b"later", False)
    waiting = head(b"read")
    waiting.assembly.add(110, b"later")
    waiting.advance(8, len)
    assert (waiting.assembly.stream, waiting.assembly.has_hole) == (b"", True)
    waiting.assembly.add(108, b"xx")
    assert waiting.assembly.stream == b"xxlater"


def test_a_stream_is_read_on_from_a_message() -> None:
    going_on = read_on(7, (1 << 32) + 100, len)
    assert (going_on.side, going_on.assembly.origin, going_on.reader) == (7, 100, len)
