"""Tests of egress_audit/evidence/events.py."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.errors import EgressAuditError, InputUnreadable
from egress_audit.evidence import events
from egress_audit.evidence.events import MAX_LINE, Event, EventsWriter, read_events, wrong_field
from egress_audit.model.destination import Absent
from tests.builders.disks import FullDisk


def read(data: bytes) -> list[Event]:
    return list(read_events(io.BytesIO(data)))


def refusal(data: bytes) -> str:
    with pytest.raises(InputUnreadable) as refused:
        read(data)
    return str(refused.value)


def test_a_line_is_canonical() -> None:
    stream = io.BytesIO()
    EventsWriter(stream).write("written", 7, size=None, path="/tmp/ü")
    expected = b'{"event":"written","path":"/tmp/\\u00fc","size":null,"t":7}\n'
    assert stream.getvalue() == expected


@given(st.text(), st.one_of(st.none(), st.integers(0, (1 << 62) - 1)))
def test_what_was_written_is_read_back(path: str, size: int | None) -> None:
    stream = io.BytesIO()
    EventsWriter(stream).write("written", 7, path=path, size=size)
    assert read(stream.getvalue()) == [Event(1, "written", 7, {"path": path, "size": size})]


def test_an_event_that_could_not_be_read_back_is_not_written() -> None:
    writer = EventsWriter(io.BytesIO())
    with pytest.raises(ValueError, match="size"):
        writer.write("written", 7, path="/tmp/a", size=-1)
    with pytest.raises(ValueError, match="unheard"):
        writer.write("unheard", 7)
    with pytest.raises(ValueError, match="end"):
        writer.write("end", -1)
    with pytest.raises(ValueError, match="bytes"):
        writer.write("removed", 7, name="x" * MAX_LINE)


def test_a_full_disk_keeps_whole_lines_and_says_how_many() -> None:
    disk = FullDisk(80)
    writer = EventsWriter(disk)
    with pytest.raises(EgressAuditError, match="its first 2 events are kept"):
        for t in range(9):
            writer.write("tree-ended", t)
    assert len(read(disk.getvalue())) == 2


def test_a_last_line_that_is_cut_is_damage_and_no_error() -> None:
    reader = read_events(io.BytesIO(b'{"event":"end","t":1}\n{"event":"en'))
    assert len(list(reader)) == 1
    assert reader.damage == "line 2, the last one, is cut in the middle"


def test_a_kind_of_a_later_version_is_kept_and_counted() -> None:
    reader = read_events(io.BytesIO(b'{"event":"dream","t":1,"x":[{}]}\n' * 2))
    assert [event.fields for event in reader] == [{"x": [{}]}] * 2
    assert reader.unknown == {"dream": 2}


def test_unknown_kinds_without_end_are_counted_together() -> None:
    lines = "".join(f'{{"event":"k{n}","t":1}}\n' for n in range(100))
    reader = read_events(io.BytesIO(lines.encode()))
    assert len(list(reader)) == 100
    assert (len(reader.unknown), reader.unknown["further kinds"]) == (65, 36)


def test_the_wrong_type_is_named_with_line_and_field() -> None:
    good = b'{"event":"end","t":1}\n'
    shown = refusal(good + b'{"event":"exec","process":"1\\u001b","t":1}\n')
    assert shown.startswith("events.jsonl, line 2: `process` of `exec` may not be")
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b'{"event":"exec","t":1}', "`process` of `exec` is missing"),
        (b'{"event":"end","t":true}', "`t` is missing or no time"),
        (b'{"event":"end","t":-1}', "`t` is missing or no time"),
        (b'{"event":"end","t":1e3}', "no JSON object"),
        (b'{"event":"end","t":NaN}', "no JSON object"),
        (b'{"event":"end"}', "`t` is missing"),
        (b'{"event":["end"],"t":1}', "`event` is missing or no text"),
        (b'{"event":"end","event":"end","t":1}', "no JSON object"),
        (b"[1]", "no JSON object"),
        (b"", "no JSON object"),
        (b"\xff\xfe", "no JSON object"),
        (b"[" * 100_000, "no JSON object"),
        (b'{"event":"end","t":' + b"9" * 5000 + b"}", "no JSON object"),
        (b"x" * (MAX_LINE + 9), "is longer than"),
    ],
    ids=range(14),
)
def test_a_line_that_is_no_event_is_named(line: bytes, what: str) -> None:
    assert what in refusal(line + b"\n")


def test_a_field_that_may_be_left_out_is_checked_when_it_is_there() -> None:
    begin: dict[str, object] = {
        "version": 1,
        "rung": "tun",
        "network": "sealed",
        "recorder": "run",
        "command": "",
        "own_addresses": [],
        "resolvers": [],
        "home": "real",
        "cannot_see": [],
    }
    assert wrong_field("begin", begin) == ""
    assert wrong_field("begin", begin | {"hostname": "sandbox"}) == ""
    assert wrong_field("begin", begin | {"hostname": 1}) == "hostname"


def test_a_record_without_end_is_read_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_EVENTS", 3)
    reader = read_events(io.BytesIO(b'{"event":"end","t":1}\n' * 5))
    assert len(list(reader)) == 3
    assert reader.damage == "the record goes on after 3 events"


def test_fields_are_given_as_one_line_texts_and_absences() -> None:
    fields: dict[str, object] = {"a": "x\ny", "b": None, "n": 3, "l": ["\x1b"]}
    event = Event(1, "any", 1, fields)
    assert (event.text("a"), event.text_or_absent("b")) == ("x\\ny", Absent.NOT_FOUND)
    assert (event.number("n"), event.number_or_absent("b")) == (3, Absent.NOT_FOUND)
    assert (event.texts("l"), event.text_or_empty("z")) == (("\\x1b",), "")


@given(st.binary(max_size=200))
def test_any_bytes_are_events_or_one_clear_error(data: bytes) -> None:
    try:
        read(data)
    except InputUnreadable as error:
        assert "line" in str(error)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_value_of_a_field_is_taken_or_refused_by_name(value: object) -> None:
    line = json.dumps({"event": "exited", "t": 1, "status": value}).encode() + b"\n"
    try:
        (event,) = read(line)
    except InputUnreadable as error:
        assert "`status` of `exited`" in str(error)
    else:
        assert type(event.fields["status"]) is int
