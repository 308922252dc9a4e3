"""Accounts from lines of a record, without a bundle around them."""

import io
from collections.abc import Iterable

from egress_audit.evidence.account import Account, read_account
from egress_audit.evidence.events import EventsWriter
from tests.builders.bundles import START_NS, Line


def record_of(lines: Iterable[Line]) -> bytes:
    """The record as it stands in its file; each line at its own time."""
    stream = io.BytesIO()
    events = EventsWriter(stream)
    for made in lines:
        events.write(made.event, made.t, **made.fields)
    return stream.getvalue()


def account_of(lines: Iterable[Line]) -> Account:
    """What a record of these lines says; a line without a time has that of the line before."""
    latest_ns, timed = START_NS, []
    for made in lines:
        latest_ns = latest_ns if made.t == START_NS else made.t
        timed.append(Line(made.event, made.fields, latest_ns))
    return read_account(io.BytesIO(record_of(timed)))
