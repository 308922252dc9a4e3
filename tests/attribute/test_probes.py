"""A probe counts if its nonce is in its frame, and its call was noticed."""

import io

import pytest

from egress_audit.attribute.probes import (
    ProbeSearch,
    expected_probes,
    holds_nonce,
    missing_probes,
)
from egress_audit.capture.source import source_of
from egress_audit.capture.window import Window
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.packets import Decoder
from egress_audit.model.destination import Absent
from egress_audit.model.run import Probe
from tests.builders.captures import UDP, Frame, dns_query, ip, pcap, udp
from tests.builders.engine import packets_of
from tests.builders.runs import OWN, RESOLVER, probe, run

NONCE = "00112233445566778899aabbccddeeff"


def looked_for(probes: list[Probe], *payloads: bytes, port: int = 9) -> ProbeSearch:
    """A search in a capture of one datagram a payload."""
    packets = [ip(OWN, "192.0.2.254", udp(50000, port, payload), UDP) for payload in payloads]
    data = pcap([Frame(n, packet) for n, packet in enumerate(packets)], 101)
    source = source_of("made", Window(io.BytesIO(data)))
    assert source is not None
    search = ProbeSearch(probes)
    for batch in source:
        search.take(packets_of(batch, Ledger()))
    return search


def test_a_probe_whose_nonce_is_in_its_frame_is_found() -> None:
    sent = probe(nonce=NONCE, frame=2)
    assert looked_for([sent], b"other", NONCE.encode()).found(sent)


def test_a_nonce_in_another_frame_is_no_probe_found() -> None:
    sent = probe(nonce=NONCE, frame=1)
    assert not looked_for([sent], b"other", NONCE.encode()).found(sent)


def test_a_nonce_in_a_frame_of_the_other_ip_version_is_no_probe_found() -> None:
    sent = probe(nonce=NONCE, version=6)
    assert not looked_for([sent], NONCE.encode()).found(sent)


def test_a_call_that_nobody_noticed_does_not_count() -> None:
    sent = probe(nonce=NONCE, noticed=False)
    assert not looked_for([sent], NONCE.encode()).found(sent)


@pytest.mark.parametrize("frame", [Absent.NOT_FOUND, 7])
def test_a_frame_that_is_not_there_holds_nothing(frame: int | Absent) -> None:
    sent = probe(nonce=NONCE, frame=frame)
    assert not looked_for([sent], NONCE.encode()).found(sent)


def test_by_name_the_nonce_is_the_first_label_asked() -> None:
    by_name = probe(by="name", nonce=NONCE)
    assert holds_nonce(dns_query(f"{NONCE}.invalid"), by_name)
    assert not holds_nonce(dns_query(f"www.{NONCE}.invalid"), by_name)
    assert not holds_nonce(NONCE.encode(), by_name)


def test_a_nonce_too_short_to_be_one_proves_nothing() -> None:
    assert not holds_nonce(b"00", probe(nonce="00"))


ALL_PROBES = tuple(
    probe(when, by, version)
    for when in ("before", "after")
    for by in ("address", "name")
    for version in (4, 6)
)


def searched(*probes: Probe) -> ProbeSearch:
    """A search that finds all these."""
    framed = [probe(p.when, p.by, p.version, frame=n) for n, p in enumerate(probes, 1)]
    search = ProbeSearch(framed)
    for p in probes:
        search._found.add(p.nonce)
    return search


def test_the_whole_control_is_before_and_after_by_both_and_in_both_versions() -> None:
    assert len(expected_probes(run())) == 8
    assert missing_probes(run(probes=ALL_PROBES), searched(*ALL_PROBES)) == ()


@pytest.mark.parametrize("lost", range(8))
def test_each_part_that_was_not_found_is_missing(lost: int) -> None:
    rest = [p for n, p in enumerate(ALL_PROBES) if n != lost]
    gone = ALL_PROBES[lost]
    words = f"{gone.when} the program, by {gone.by}, IPv{gone.version}"
    assert missing_probes(run(probes=ALL_PROBES), searched(*rest)) == (words,)
    assert missing_probes(run(probes=tuple(rest)), searched(*rest)) == (words,)


def test_without_ipv6_no_probe_of_it_is_expected() -> None:
    four = tuple(p for p in ALL_PROBES if p.version == 4)
    only = run(own_addresses=(OWN,), resolvers=(RESOLVER,), probes=four)
    assert missing_probes(only, searched(*four)) == ()


def test_without_a_resolver_nothing_shows_that_names_would_have_been_seen() -> None:
    by_address = tuple(p for p in ALL_PROBES if p.by == "address")
    deaf = run(resolvers=(), probes=by_address)
    assert len(missing_probes(deaf, searched(*by_address))) == 2


def test_without_any_probe_everything_is_missing() -> None:
    assert len(missing_probes(run(), searched())) == 8


def test_the_nonce_is_found_in_a_frame_with_a_tunnel_around_it() -> None:
    inner = ip(OWN, "192.0.2.254", udp(50000, 9, NONCE.encode()), UDP)
    data = pcap([Frame(0, ip("10.0.0.2", "192.0.2.1", inner, 4))], 101)
    source = source_of("made", Window(io.BytesIO(data)))
    assert source is not None
    search, sent = ProbeSearch([probe(nonce=NONCE, frame=1)]), probe(nonce=NONCE, frame=1)
    for batch in source:
        search.take(Decoder().packets(batch, Ledger()))
    assert search.found(sent)
