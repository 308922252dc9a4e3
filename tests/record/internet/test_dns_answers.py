"""Every name has an address; every odd message has the answer that ends a resolver's wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR, DNSRROPT

from egress_audit.record.internet.dns_answers import DnsAnswers, Silence
from egress_audit.record.internet.invented_names import InventedNames
from egress_audit.record.internet.settings import DnsPolicy

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP = range(5)


def server(
    policy: DnsPolicy = DnsPolicy.ANSWER, range4: str = "198.18.0.0/15", **options: bool | str
) -> DnsAnswers:
    """A server that has answered nothing yet."""
    names = InventedNames(range4, "fd00:e6e5::/64")
    return DnsAnswers(
        names,
        policy,
        ipv6=bool(options.get("ipv6", True)),
        silent_suffix=str(options.get("silent_suffix", "")),
    )


def query(name: str, qtype: str | int = "A", **fields: object) -> bytes:
    """A query as a stub resolver writes it."""
    return bytes(DNS(id=7, rd=1, qd=DNSQR(qname=name, qtype=qtype), **fields))


def asked(message: bytes, of: DnsAnswers | None = None) -> DNS:
    """The answer, taken apart by scapy."""
    answer = (of or server()).answer(message)
    assert isinstance(answer, bytes)
    return DNS(answer)


def addresses(answer: DNS) -> list[str]:
    """The addresses of an answer, in order."""
    return [answer.an[number].rdata for number in range(answer.ancount)]


def test_a_name_has_an_address_of_each_family() -> None:
    of = server()
    assert addresses(asked(query("a.example"), of)) == ["198.18.0.1"]
    assert addresses(asked(query("a.example", "AAAA"), of)) == ["fd00:e6e5::1"]
    assert addresses(asked(query("a.example", "ALL"), of)) == ["198.18.0.1", "fd00:e6e5::1"]


def test_case_is_echoed_and_does_not_make_another_name() -> None:
    of = server()
    first = asked(query("ExAmPlE.com"), of)
    assert first.qd[0].qname == b"ExAmPlE.com."
    assert addresses(first) == addresses(asked(query("example.COM"), of))


def test_an_answer_is_one_to_its_query() -> None:
    answer = asked(query("a.example"))
    assert (answer.id, answer.qr, answer.rd, answer.ra, answer.aa, answer.tc) == (7, 1, 1, 1, 0, 0)
    assert answer.an[0].ttl == 60


@pytest.mark.parametrize(
    "qtype", ["HTTPS", "SVCB", "TXT", "MX", "SRV", "NS", "SOA", "CNAME", 65400]
)
def test_other_records_do_not_exist_for_a_name_that_does(qtype: str | int) -> None:
    answer = asked(query("a.example", qtype))
    assert (answer.rcode, answer.ancount, answer.nscount) == (NOERROR, 0, 1)
    assert answer.ns[0].type == 6, "a SOA says for how long"


def test_without_ipv6_a_name_has_no_aaaa() -> None:
    of = server(ipv6=False)
    answer = asked(query("a.example", "AAAA"), of)
    assert (answer.rcode, answer.ancount) == (NOERROR, 0)
    assert addresses(asked(query("a.example", "ALL"), of)) == ["198.18.0.1"]


def test_a_given_address_leads_back_to_its_name() -> None:
    of = server()
    asked(query("a.example", "ALL"), of)
    assert asked(query("1.0.18.198.in-addr.arpa", "PTR"), of).an[0].rdata == b"a.example."
    nibbles = ".".join(reversed("fd00e6e5" + "0" * 23 + "1"))
    assert asked(query(nibbles + ".ip6.arpa", "PTR"), of).an[0].rdata == b"a.example."


@pytest.mark.parametrize(
    "name", ["1.1.1.1.in-addr.arpa", "x.y.z.w.in-addr.arpa", "300.1.1.1.in-addr.arpa", "a.example"]
)
def test_nothing_else_has_a_reverse_name(name: str) -> None:
    assert asked(query(name, "PTR")).rcode == NXDOMAIN


def test_a_range_that_is_used_up_ends_in_servfail() -> None:
    of = server(range4="192.0.2.0/30")
    rcodes = [asked(query(f"{number}.example"), of).rcode for number in range(3)]
    assert rcodes == [NOERROR, NOERROR, SERVFAIL]


def test_the_names_that_are_the_same_everywhere_are_not_invented() -> None:
    assert addresses(asked(query("localhost", "ALL"))) == ["127.0.0.1", "::1"]
    assert addresses(asked(query("x.localhost"))) == ["127.0.0.1"]
    assert addresses(asked(query("ipv4only.arpa"))) == ["192.0.0.170"]
    assert asked(query("ipv4only.arpa", "AAAA")).rcode == NOERROR, "or there were a NAT64"
    assert asked(query("a.invalid")).rcode == NXDOMAIN


def test_policies_refuse_every_name_and_echo_its_question() -> None:
    refused = asked(query("a.example"), server(DnsPolicy.NXDOMAIN))
    assert (refused.rcode, refused.nscount, refused.qd[0].qname) == (NXDOMAIN, 1, b"a.example.")
    failed = asked(query("a.example"), server(DnsPolicy.SERVFAIL))
    assert (failed.rcode, failed.nscount, failed.qd[0].qname) == (SERVFAIL, 0, b"a.example.")


def test_edns_is_answered_with_edns() -> None:
    answer = asked(query("a.example", ar=DNSRROPT(rclass=4096, z=0x8000)))
    assert (answer.arcount, answer.ar[0].type, answer.ar[0].rclass) == (1, 41, 1232)
    assert answer.ar[0].z & 0x8000, "DO comes back"
    assert asked(query("a.example")).arcount == 0


def test_a_version_of_edns_that_does_not_exist_is_badvers() -> None:
    answer = asked(query("a.example", ar=DNSRROPT(version=1)))
    assert (answer.ar[0].extrcode, answer.rcode, answer.ancount) == (1, 0, 0)


def test_two_opt_records_are_a_format_error() -> None:
    opt = bytes(DNSRROPT())
    message = bytearray(query("a.example") + opt + opt)
    message[11] = 2
    assert asked(bytes(message)).rcode == FORMERR


def test_more_or_less_than_one_question_is_a_format_error() -> None:
    two = bytes(DNS(id=7, qd=DNSQR(qname="a") / DNSQR(qname="b"), qdcount=2))
    assert asked(two).rcode == FORMERR
    assert asked(b"\0\7\1\0" + bytes(8)).rcode == FORMERR


@pytest.mark.parametrize(
    "question",
    [b"", b"\7exam", b"\1a\0", b"\1a\0\0\1\0", b"\xc0\x0c\0\1\0\1", b"\x40" + bytes(70),
     b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 3 + b"\0\0\1\0\1"],
)  # fmt: skip
def test_a_question_that_cannot_be_read_is_a_format_error(question: bytes) -> None:
    answer = asked(b"\0\7\1\0\0\1" + bytes(6) + question)
    assert (answer.id, answer.rcode, answer.qdcount) == (7, FORMERR, 0)


def test_the_longest_name_has_an_address() -> None:
    name = b"".join(b"\x3f" + b"a" * 63 for _ in range(3)) + b"\x3d" + b"b" * 61 + b"\0"
    assert len(name) == 255
    message = b"\0\7\1\0\0\1" + bytes(6) + name + b"\0\1\0\1"
    assert asked(message).ancount == 1


def test_another_operation_is_not_implemented() -> None:
    assert asked(query("a.example", opcode=5)).rcode == NOTIMP


def test_what_is_no_query_gets_no_answer() -> None:
    assert server().answer(b"\0\1\0") == Silence("dns: no message")
    assert server().answer(query("a", qr=1)) == Silence("dns: a response")


def test_names_of_our_own_probes_get_no_answer() -> None:
    of = server(silent_suffix=".Probe.invalid")
    assert of.answer(query("x1.PROBE.invalid")) == Silence("swallowed", is_no_query=False)
    assert of.answer(query("probe.invalid")) == Silence("swallowed", is_no_query=False)
    assert asked(query("notprobe.invalid"), of).rcode == NXDOMAIN


def test_bytes_of_any_language_are_a_name() -> None:
    names = InventedNames("198.18.0.0/15", "fd00:e6e5::/64")
    of = DnsAnswers(names, DnsPolicy.ANSWER)
    message = b"\0\7\1\0\0\1" + bytes(6) + b"\3\xc3\xa4.\2de\0\0\1\0\1"
    assert addresses(asked(message, of)) == ["198.18.0.1"]
    assert names.names == {"198.18.0.1": "\\xc3\\xa4\\x2e.de"}


def test_the_root_has_no_address() -> None:
    assert asked(query(".")).ancount == 0


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_bytes_have_an_answer_or_a_reason(head: bytes, tail: bytes) -> None:
    of = server()
    for message in (head, query("a.example")[:20] + tail, b"\0\7\1\0\0\1" + bytes(6) + tail):
        assert isinstance(of.answer(message), bytes | Silence)
