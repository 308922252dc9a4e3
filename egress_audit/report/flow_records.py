"""One line of JSON a flow, for `--flows`: every field of the flow, its names, its destination, its
owner."""

import json
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter

from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import Flow, FlowOwner, Name, NameSource
from egress_audit.report.plain import Plain, plain

FROM_HTTP = (NameSource.HTTP_HOST, NameSource.HTTP_CONNECT, NameSource.HTTP2_AUTHORITY)
"""Sources of names in requests of HTTP, to proxies and to origins alike."""
FLOW_FIELDS = tuple(field.name for field in fields(Flow))

_flow_values = attrgetter(*FLOW_FIELDS)
# ASCII: lines are for programs, whatever their locale. One encoder, since making it costs more
# than a line does.
_encoded = json.JSONEncoder(separators=(",", ":")).encode


def flow_record(
    flow: Flow,
    names: tuple[Name, ...],
    destination: Destination | Absent,
    owner: FlowOwner | Absent,
) -> dict[str, Plain]:
    """A flow as plain data; described by docs/schema/flow-1.json. `proto` is the IANA number."""
    ends = {"destination": plain(destination), "owner": plain(owner)}
    return {**_without_ends(flow, names), **ends}


def flow_line(
    flow: Flow,
    names: tuple[Name, ...],
    destination: Destination | Absent,
    owner: FlowOwner | Absent,
) -> str:
    """`flow_record` as one line of JSON, without its newline.

    There may be millions, and destinations and owners repeat: their JSON is kept, and put in as
    text.
    """
    record = _encoded(_without_ends(flow, names))
    ends = f'"destination":{_json_of(destination)},"owner":{_json_of(owner)}'
    return f"{record[:-1]},{ends}}}"


def _without_ends(flow: Flow, names: tuple[Name, ...]) -> dict[str, Plain]:
    record: dict[str, Plain] = dict(zip(FLOW_FIELDS, _flow_values(flow), strict=True))
    record["names"] = [
        {
            "host": _as_written(name),
            "source": name.source.value,
            "frame": name.frame,
            "outer": name.outer,
        }
        for name in names
    ]
    return record


def _as_written(name: Name) -> str:
    """The host; an IPv6 address in a request in brackets, as it stood there (RFC 3986 §3.2.2)."""
    literal = ":" in name.host and name.source in FROM_HTTP
    return f"[{name.host}]" if literal else name.host


@lru_cache(maxsize=4096)
def _json_of(end: Destination | FlowOwner | Absent) -> str:
    return _encoded(plain(end))
