"""One frame dissected by scapy, with sockets closed (tests/conftest.py sees to that)."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.report.dissect import LAYERS, dissected
from tests.builders.packets import (
    ICMPV6,
    TCP,
    UDP,
    ethernet,
    icmp,
    ipv4,
    ipv6,
    null,
    sll,
    sll2,
    tcp,
    udp,
)
from tests.builders.payloads import A, dns_answer, dns_query

QUESTION = ipv4("10.77.0.2", "10.77.0.1", udp(40000, 53, dns_query("huggingface.co", A)), UDP)
SIX = ipv6("2001:db8::1", "2001:db8::2", tcp(40000, 443), TCP)
ANSWER = ethernet(
    ipv4("10.77.0.1", "10.77.0.2", udp(53, 40000, dns_answer("a.b", ["192.0.2.1"])), UDP)
)
SEEDS = (
    ethernet(QUESTION),
    ANSWER,
    ethernet(SIX),
    ethernet(ipv6("fe80::1", "ff02::1", icmp(134, 0, bytes(40)), ICMPV6)),
)


@pytest.mark.parametrize(
    ("frame", "linktype"),
    [
        (ethernet(QUESTION), 1),
        (QUESTION, 101),
        (QUESTION, 228),
        (null(QUESTION), 0),
        (sll(QUESTION), 113),
        (sll2(QUESTION), 276),
    ],
)
def test_a_question_can_be_read_under_every_link_type(frame: bytes, linktype: int) -> None:
    text = dissected(frame, linktype)
    assert "huggingface.co" in text
    assert "10.77.0.1" in text


@pytest.mark.parametrize("linktype", [101, 229])
def test_raw_ip_may_be_ipv6(linktype: int) -> None:
    assert "2001:db8::2" in dissected(SIX, linktype)


def test_a_payload_that_no_layer_reads_is_dumped() -> None:
    frame = ethernet(ipv4("10.0.0.1", "10.0.0.2", tcp(1, 2, "PA", payload=b"secret words"), TCP))
    text = dissected(frame, 1)
    assert "Payload: 12 bytes\n  0000  73 65 63 72 65 74 20 77 6f 72 64 73" in text
    assert text.endswith("secret words\n")


def test_an_unknown_link_type_is_dumped_whole() -> None:
    text = dissected(b"\x00" * 15 + b"A\xff", 147)
    assert text.splitlines() == [
        "Link type 147 is not dissected: 17 bytes",
        "  0000  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 41  ...............A",
        "  0010  ff                                               .",
    ]


def test_a_frame_too_short_for_its_header_is_dumped_with_the_reason() -> None:
    assert dissected(b"\x01\x02", 1).startswith("scapy cannot read this frame (")


@pytest.mark.parametrize("linktype", LAYERS)
def test_an_empty_frame_is_no_crash(linktype: int) -> None:
    assert dissected(b"", linktype).endswith("\n")


@settings(max_examples=300, deadline=None)
@given(
    frame=st.one_of(
        st.binary(max_size=120),
        st.builds(
            lambda seed, at, value, end: (seed[:at] + bytes([value]) + seed[at + 1 :])[:end],
            st.sampled_from(SEEDS),
            st.integers(0, 80),
            st.integers(0, 255),
            st.integers(0, 120),
        ),
    ),
    linktype=st.sampled_from(sorted(LAYERS)),
)
def test_no_frame_crashes_it_opens_a_socket_or_paints_the_terminal(
    frame: bytes, linktype: int
) -> None:
    text = dissected(frame, linktype)
    assert all(line.isprintable() and len(line) <= 100 for line in text.split("\n"))


def test_nothing_is_printed_and_scapy_is_imported_only_when_a_frame_is_shown() -> None:
    program = (
        "import sys; from egress_audit.report.dissect import dissected;"
        "import egress_audit.report.renderers;"
        "assert 'scapy' not in sys.modules;"
        "sys.addaudithook(lambda event, _: event == 'socket.__new__' and sys.exit('socket'));"
        "dissected(bytes(60), 1); assert 'scapy' in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
