"""One line of JSON a flow."""

import json
from dataclasses import fields

from egress_audit.model.destination import Absent
from egress_audit.model.flow import Flow
from egress_audit.report.flow_records import flow_line, flow_record
from tests.builders.audit_parts import ALIBABA, CLOUDFLARE, HUB_NAME, flow


def test_a_record_has_every_field_of_the_flow_then_names_and_destination() -> None:
    record = flow_record(flow(), (HUB_NAME,), CLOUDFLARE)
    assert list(record) == [*(field.name for field in fields(Flow)), "names", "destination"]


def test_the_protocol_is_its_iana_number() -> None:
    assert flow_record(flow(proto=17), (), CLOUDFLARE)["proto"] == 17


def test_a_name_has_host_source_and_frame() -> None:
    record = flow_record(flow(), (HUB_NAME,), CLOUDFLARE)
    assert record["names"] == [{"host": "huggingface.co", "source": "tls-sni", "frame": 10}]


def test_an_absent_destination_says_why() -> None:
    record = flow_record(flow(), (), Absent.NOT_APPLICABLE)
    assert record["destination"] == {"absent": "not-applicable"}


def test_a_line_is_its_record() -> None:
    for destination in (ALIBABA, CLOUDFLARE, Absent.NOT_FOUND):
        line = flow_line(flow(), (HUB_NAME,), destination)
        assert json.loads(line) == flow_record(flow(), (HUB_NAME,), destination)


def test_a_line_is_one_line_of_ascii() -> None:
    hostile = flow(history="\n\u202e")
    line = flow_line(hostile, (), ALIBABA)
    assert line.isascii()
    assert line.isprintable()
