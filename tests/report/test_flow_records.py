"""One line of JSON a flow."""

import json
from dataclasses import fields, replace

import pytest

from egress_audit.model.destination import Absent
from egress_audit.model.flow import Flow, FlowOwner, Name, NameSource
from egress_audit.model.run import Role
from egress_audit.report.flow_records import flow_line, flow_record
from tests.builders.audit_parts import ALIBABA, CLOUDFLARE, HUB_NAME, flow

OWNER = FlowOwner(1002, "/usr/bin/program", Role.TARGET, "seccomp")


def test_the_owner_is_the_process_and_how_it_is_known() -> None:
    assert flow_record(flow(), (), CLOUDFLARE, OWNER)["owner"] == {
        "pid": 1002,
        "exe": "/usr/bin/program",
        "role": "target",
        "how": "seccomp",
    }


def test_an_absent_owner_says_why() -> None:
    record = flow_record(flow(), (), CLOUDFLARE, Absent.NOT_FOUND)
    assert record["owner"] == {"absent": "not-found"}


def test_a_record_has_every_field_of_the_flow_then_names_and_destination() -> None:
    record = flow_record(flow(), (HUB_NAME,), CLOUDFLARE, OWNER)
    assert list(record) == [
        *(field.name for field in fields(Flow)),
        "names",
        "destination",
        "owner",
    ]


def test_the_protocol_is_its_iana_number() -> None:
    assert flow_record(flow(proto=17), (), CLOUDFLARE, OWNER)["proto"] == 17


def test_a_name_has_host_source_and_frame_and_says_if_it_stood_outside_an_encrypted_hello() -> None:
    names = (HUB_NAME, replace(HUB_NAME, outer=True))
    said = {"host": "huggingface.co", "source": "tls-sni", "frame": 10}
    assert flow_record(flow(), names, CLOUDFLARE, OWNER)["names"] == [
        {**said, "outer": False},
        {**said, "outer": True},
    ]


@pytest.mark.parametrize(
    ("source", "written"),
    [(NameSource.HTTP_HOST, "[2001:db8::1]"), (NameSource.SOCKS, "2001:db8::1")],
)
def test_an_ipv6_address_in_a_request_stands_in_brackets(source: NameSource, written: str) -> None:
    name = Name("2001:db8::1", source, 0, 1)
    (said,) = json.loads(flow_line(flow(), (name,), CLOUDFLARE, OWNER))["names"]
    assert said["host"] == written


def test_an_absent_destination_says_why() -> None:
    record = flow_record(flow(), (), Absent.NOT_APPLICABLE, OWNER)
    assert record["destination"] == {"absent": "not-applicable"}


def test_a_line_is_its_record() -> None:
    for ends in ((ALIBABA, OWNER), (CLOUDFLARE, Absent.NOT_FOUND), (Absent.NOT_FOUND, OWNER)):
        line = flow_line(flow(), (HUB_NAME,), *ends)
        assert json.loads(line) == flow_record(flow(), (HUB_NAME,), *ends)


def test_a_line_is_one_line_of_ascii() -> None:
    hostile = flow(history="\n\u202e")
    line = flow_line(hostile, (), ALIBABA, OWNER)
    assert line.isascii()
    assert line.isprintable()
