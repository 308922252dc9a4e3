"""The packets that ICMP errors quote are kept, by their ends; and nothing that quotes none."""

from ipaddress import ip_address

import pytest

from egress_audit.decode.ledger import Ledger
from egress_audit.flows import quotes
from egress_audit.flows.quotes import Quotes
from egress_audit.flows.table import FlowTable
from tests.builders.captures import Frame, icmp, ip, pcap, udp
from tests.builders.engine import SMALLEST_BLOCK, opened, packets_of

OURS, ROUTER, STRANGER = "10.0.0.2", "10.0.0.1", "192.0.2.1"
SENT = ip(OURS, STRANGER, udp(40000, 443), 17)
SENT_6 = ip("2001:db8::2", "2001:db8::9", udp(40000, 443), 17)


def kept(*packets: bytes) -> Quotes:
    """The quotes in some packets."""
    table, found = FlowTable(), Quotes()
    for batch in opened(pcap([Frame(0, packet) for packet in packets], 101), SMALLEST_BLOCK):
        decoded = packets_of(batch, Ledger())
        found.take(decoded, table.add(decoded))
    return found


def ends_in(*packets: bytes) -> list[tuple[int, str, str]]:
    """Row of the flow, sender and receiver of each quote; 'unreadable' in the place of both."""
    found = []
    for flow, version, *words in zip(*kept(*packets).columns(), strict=True):
        src, dst = (int(high) << 64 | int(low) for high, low in (words[:2], words[2:]))
        kind = ip_address if version == 4 else lambda number: ip_address(number.to_bytes(16))
        read = (str(kind(src)), str(kind(dst))) if version else ("unreadable", "unreadable")
        found.append((int(flow), *read))
    return found


@pytest.mark.parametrize("kind", [3, 4, 5, 11, 12])
def test_an_error_quotes_the_packet_that_it_answers(kind: int) -> None:
    assert ends_in(ip(ROUTER, OURS, icmp(kind, 0, SENT), 1)) == [(0, OURS, STRANGER)]


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_an_error_of_icmpv6_does_too(kind: int) -> None:
    error = ip("2001:db8::1", "2001:db8::2", icmp(kind, 0, SENT_6), 58)
    assert ends_in(error) == [(0, "2001:db8::2", "2001:db8::9")]


def test_a_redirect_of_icmpv6_says_whom_its_receiver_sent_to() -> None:
    better, sent_to = ip_address("fe80::9").packed, ip_address("2001:db8::9").packed
    redirect = ip("fe80::1", "2001:db8::2", icmp(137, 0, better + sent_to), 58)
    assert ends_in(redirect) == [(0, "2001:db8::2", "2001:db8::9")]
    short = ip("fe80::1", "2001:db8::2", icmp(137, 0, better + sent_to[:15]), 58)
    assert ends_in(short) == [(0, "unreadable", "unreadable")]


@pytest.mark.parametrize("kind", [0, 8, 13])
def test_a_message_that_is_no_error_quotes_nothing(kind: int) -> None:
    assert ends_in(ip(ROUTER, OURS, icmp(kind, 0, SENT), 1)) == []


def test_a_type_of_icmpv6_is_none_of_icmp() -> None:
    assert ends_in(ip(ROUTER, OURS, icmp(2, 0, SENT), 1)) == []


def test_a_quote_that_comes_again_is_kept_once() -> None:
    error = ip(ROUTER, OURS, icmp(3, 0, SENT), 1)
    assert ends_in(error, error) == [(0, OURS, STRANGER)]


def test_each_quote_has_the_flow_of_its_error() -> None:
    errors = [ip(sender, OURS, icmp(3, 0, SENT), 1) for sender in (ROUTER, STRANGER)]
    assert ends_in(*errors) == [(0, OURS, STRANGER), (1, OURS, STRANGER)]


@pytest.mark.parametrize("quoted", [b"", SENT[:19], SENT_6, bytes(40)])
def test_what_is_no_header_of_that_version_is_a_quote_that_cannot_be_read(quoted: bytes) -> None:
    assert ends_in(ip(ROUTER, OURS, icmp(3, 0, quoted), 1)) == [(0, "unreadable", "unreadable")]


def test_quotes_beyond_the_bound_are_counted_by_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotes, "MAX_QUOTES", 1)
    other = ip(OURS, ROUTER, udp(40000, 443), 17)
    sent = [(ROUTER, SENT), (STRANGER, SENT), ("10.0.0.3", SENT), (STRANGER, other)]
    errors = [ip(sender, OURS, icmp(3, 0, quoted), 1) for sender, quoted in sent]
    found = kept(*errors, *(ip(OURS, ROUTER, udp(1, port), 17) for port in range(2, 90)), errors[2])
    assert len(found.columns().flow) == 1
    assert found.beyond.tolist() == [0, 2, 2]
