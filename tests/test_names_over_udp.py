"""Names carried over UDP, from the frame to the verdict."""

import io
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from egress_audit.addresses import Scope
from egress_audit.audit import Asserted, audited
from egress_audit.audited import Audited
from egress_audit.capture.source import source_of
from egress_audit.capture.window import Window
from egress_audit.classify.destination import embedded_classifier
from egress_audit.judge.profile import load_profile
from egress_audit.model.audit import Kind, Verdict
from egress_audit.model.claim import Claim
from egress_audit.model.flow import NameSource
from tests.builders.captures import (
    Frame,
    client_hello_message,
    dns_query,
    pcap,
    udp_exchange,
)
from tests.builders.dtls import HELLO as DTLS_HELLO
from tests.builders.dtls import whole
from tests.builders.quic import DCID, V1, V2, crypto, initial
from tests.names.test_link_names import encoded
from tests.names.test_tls import ECH, handshake, sni

OURS, SERVER, GROUP = ("10.0.0.2", 40000), ("203.0.113.9", 443), ("224.0.0.251", 5353)
HELLO = client_hello_message("a.example", post_quantum=True, alpn=("h3",))
FLIGHT = (initial(crypto(HELLO[700:], 700), number=1), initial(crypto(HELLO[:700])))
OUTER = initial(crypto(handshake(sni(b"outer.example"), ECH)))
OFFLINE = load_profile("offline")
SHARED = Path(os.environ.get("EGRESS_AUDIT_SHARED", "shared"), "corpus")
LINK = frozenset({Scope.LOOPBACK, Scope.LAN, Scope.LINK_LOCAL, Scope.MULTICAST})
ON_LAN = replace(OFFLINE, allow=replace(OFFLINE.allow, scopes=LINK))


def heard(frames: Sequence[Frame], claim: Claim = OFFLINE) -> Audited:
    """The audit of some frames, everything asserted."""
    source = source_of("made", Window(io.BytesIO(pcap(frames))))
    assert source is not None
    return audited(
        source,
        claim,
        embedded_classifier(),
        local=(ip_network("10.0.0.2"),),
        asserted=Asserted(("all",)),
    )


def sent(*payloads: bytes, to: tuple[str, int] = SERVER) -> list[Frame]:
    """Datagrams of ours, in one flow."""
    return [frame for payload in payloads for frame in udp_exchange(OURS, to, payload)]


def names(audit: Audited) -> list[tuple[str, NameSource]]:
    return [(name.host, name.source) for name in audit.names.of(0) if not name.outer]


def hidden(audit: Audited) -> dict[str, int]:
    return dict(audit.audit.coverage.hidden_names)


def unread(audit: Audited) -> dict[str, int]:
    return dict(audit.audit.coverage.unread_heads)


def asked(audit: Audited) -> list[str]:
    return [s.names[0].host for s in audit.audit.observations if s.kind is Kind.QUESTION]


@pytest.mark.parametrize("port", [443, 4433])
def test_a_quic_flow_whose_hello_was_read_hides_nothing(port: int) -> None:
    audit = heard(sent(*FLIGHT, b"\x40 short header", to=(SERVER[0], port)))
    assert names(audit) == [("a.example", NameSource.QUIC_SNI)]
    assert (hidden(audit), unread(audit)) == ({}, {})


def test_the_name_stands_in_the_row_of_its_far_end() -> None:
    (row,) = heard(sent(*FLIGHT)).audit.observations
    assert [(use.host, use.sources) for use in row.names] == [("a.example", (NameSource.QUIC_SNI,))]


@pytest.mark.parametrize("port", [443, 4433])
@pytest.mark.parametrize(
    "payload",
    [
        OUTER,
        initial(crypto(client_hello_message(""))),
        initial(b"\1", keys_of=bytes(8), to=DCID),
    ],
    ids=["ech", "no name", "keys unknown"],
)
def test_a_quic_flow_whose_name_is_not_known_hides_it(port: int, payload: bytes) -> None:
    audit = heard(sent(payload, to=(SERVER[0], port)))
    assert (names(audit), hidden(audit)) == ([], {"QUIC": 1})


def test_the_outer_name_of_a_hello_stands_with_its_flow_alone() -> None:
    audit = heard(sent(OUTER))
    (name,) = audit.names.of(0)
    assert (name.source, name.outer) == (NameSource.QUIC_SNI, True)
    assert audit.audit.observations[0].names == ()


def test_a_quic_flow_seen_from_its_middle_hides_its_name() -> None:
    assert hidden(heard(sent(b"\x40 short header"))) == {"QUIC": 1}


def test_a_second_hello_that_hides_its_name_is_not_excused_by_the_first() -> None:
    audit = heard(sent(*FLIGHT, initial(crypto(client_hello_message("")), to=b"another one")))
    assert hidden(audit) == {"QUIC": 1}


OF_CLIENT, OF_SERVER_ID = b"a client", b"4 id"
HEARD = initial(crypto(client_hello_message("a.example")), sender=OF_CLIENT)
OF_OTHER = crypto(client_hello_message("b.example"))
BEHIND_VERSION = b"\x08another!\x00\x00\x44\xb0" + bytes(1200)
"""An Initial of 1200 octets that no key opens."""
UNKNOWN_VERSION = b"\xc3\x1a\x2a\x3b\x4a" + BEHIND_VERSION
RESERVED_VERSION = b"\xc3\x1a\x2a\x3a\x4a" + BEHIND_VERSION


@pytest.mark.parametrize(
    "payload",
    [
        initial(OF_OTHER, to=b"7 bytes"),
        initial(OF_OTHER, to=b"another connection", keys_of=b"which nobody saw"),
        UNKNOWN_VERSION,
        RESERVED_VERSION,
    ],
    ids=["an ID too short", "keys unknown", "a version unknown", "a version that nobody has"],
)
def test_a_second_connection_that_nobody_can_read_is_not_excused_by_the_first(
    payload: bytes,
) -> None:
    audit = heard(sent(HEARD, payload))
    assert (names(audit), hidden(audit)) == ([("a.example", NameSource.QUIC_SNI)], {"QUIC": 1})


def test_a_packet_of_a_version_that_nobody_has_is_unread_if_it_is_not_laid_out_as_one() -> None:
    audit = heard(sent(HEARD, RESERVED_VERSION.replace(b"!", b"\x44!")))
    assert unread(audit) == {"QUIC, malformed": 1}


@pytest.mark.parametrize("first", [False, True])
def test_what_the_server_answers_hides_nothing_in_whatever_order_it_was_recorded(
    first: bool,
) -> None:
    answer = initial(crypto(b"\2\0\0\0"), to=OF_CLIENT, keys_of=DCID, server=True)
    negotiation = b"\xc3\0\0\0\0\x08" + OF_CLIENT + b"\x08" + DCID + b"\x1a\x2a\x3a\x4a"
    frames = [*sent(HEARD), *udp_exchange(SERVER, OURS, answer)]
    frames += udp_exchange(SERVER, OURS, negotiation)
    audit = heard(frames[::-1] if first else frames)
    assert (names(audit), hidden(audit)) == ([("a.example", NameSource.QUIC_SNI)], {})


def test_after_a_retry_to_a_short_id_the_name_is_read() -> None:
    audit = heard(sent(HEARD, initial(OF_OTHER, to=OF_SERVER_ID, sender=OF_CLIENT, number=1)))
    assert [name for name, _ in names(audit)] == ["a.example", "b.example"]
    assert hidden(audit) == {}


def test_a_hello_that_seems_to_answer_one_from_who_is_called_is_read() -> None:
    theirs = udp_exchange(SERVER, OURS, HEARD)
    audit = heard([*theirs, *sent(initial(OF_OTHER, to=OF_CLIENT))])
    assert [name for name, _ in names(audit)] == ["a.example", "b.example"]


def test_a_version_that_nobody_knows_behind_a_hello_is_unread() -> None:
    short = initial(crypto(client_hello_message("a.example")), size=400)
    audit = heard(sent(short + UNKNOWN_VERSION[:700]))
    assert (names(audit), unread(audit)) == (
        [("a.example", NameSource.QUIC_SNI)],
        {"QUIC, malformed": 1},
    )


def test_zeros_behind_a_hello_are_padding() -> None:
    short = initial(crypto(client_hello_message("a.example")), size=400)
    assert unread(heard(sent(short + bytes(700)))) == {}


MEDIA = b"\x90\x65\x64\x44\x64\xcd\xf6\xac" + bytes(100)


def test_media_beside_quic_hide_nothing() -> None:
    audit = heard(sent(HEARD, MEDIA))
    assert (names(audit), hidden(audit)) == ([("a.example", NameSource.QUIC_SNI)], {})


@pytest.mark.parametrize("transaction", [0x1001, 0x9001, 0xC001])
def test_a_question_to_the_port_of_quic_is_asked_whatever_its_id(transaction: int) -> None:
    query = transaction.to_bytes(2) + dns_query("a.example")[2:]
    assert asked(heard(sent(query))) == ["a.example"]


def test_a_client_that_changes_its_version_before_its_keys_hides_nothing() -> None:
    acknowledgement = b"\2\0\0\0\0"
    under_old_keys = initial(
        acknowledgement,
        to=b"server's",
        sender=OF_CLIENT,
        keys_of=DCID,
        version=V2,
        keys_in=V1,
        number=1,
    )
    audit = heard(sent(HEARD, under_old_keys))
    assert (names(audit), hidden(audit)) == ([("a.example", NameSource.QUIC_SNI)], {})


def test_a_hello_that_never_came_whole_is_unread() -> None:
    audit = heard(sent(FLIGHT[0]))
    assert unread(audit) == {"QUIC, never completed": 1}
    assert hidden(audit) == {"QUIC": 1}


def test_a_hello_that_the_recording_cut_is_unread() -> None:
    (frame,) = sent(initial(crypto(client_hello_message("a.example"))))
    audit = heard([Frame(frame.ts_ns, frame.data[:200], len(frame.data))])
    assert unread(audit) == {"QUIC, truncated": 1}


def test_the_name_in_a_dtls_hello_is_heard() -> None:
    audit = heard(sent(whole(DTLS_HELLO), to=(SERVER[0], 4433)))
    assert names(audit) == [("a.example", NameSource.DTLS_SNI)]
    assert hidden(audit) == {}


def test_a_question_to_neighbours_is_seen_and_is_no_question_to_a_resolver() -> None:
    audit = heard(sent(dns_query("printer.local"), to=GROUP), ON_LAN)
    assert names(audit) == [("printer.local", NameSource.MDNS)]
    assert (asked(audit), audit.audit.findings) == ([], ())
    assert (hidden(audit), unread(audit)) == ({}, {})
    assert audit.audit.verdict is Verdict.HOLDS


def test_it_is_a_contact_on_the_link_all_the_same() -> None:
    audit = heard(sent(dns_query("printer.local"), to=GROUP)).audit
    assert (audit.verdict, {found.rule for found in audit.findings}) == (
        Verdict.VIOLATED,
        {"EA003"},
    )


def test_a_name_of_the_world_asked_of_neighbours_is_a_question() -> None:
    audit = heard(sent(dns_query("stolen.example"), to=GROUP), ON_LAN)
    assert asked(audit) == ["stolen.example"]
    assert audit.audit.verdict is Verdict.VIOLATED


def test_a_name_of_the_link_asked_of_one_machine_is_a_question() -> None:
    audit = heard(sent(dns_query("stolen.local"), to=("10.0.0.9", 5353)), ON_LAN)
    assert asked(audit) == ["stolen.local"]


def test_a_question_to_a_resolver_from_the_port_of_multicast_dns_is_one() -> None:
    frames = udp_exchange(("10.0.0.2", 5353), ("10.0.0.9", 53), dns_query("printer.local"))
    audit = heard(frames, ON_LAN)
    assert names(audit) == [("printer.local", NameSource.DNS_QUERY)]
    assert asked(audit) == ["printer.local"]


def test_what_is_no_message_of_the_link_is_unread_and_hides_names() -> None:
    audit = heard(sent(b"\0\1\2", to=GROUP), ON_LAN)
    assert (unread(audit), hidden(audit)) == ({"mDNS, malformed": 1}, {"mDNS": 1})
    assert audit.audit.verdict is Verdict.INCONCLUSIVE


def test_a_netbios_name_is_heard() -> None:
    query = dns_query(encoded("FILESERVER"), 32)
    audit = heard(sent(query, to=("10.0.0.255", 137)), ON_LAN)
    assert names(audit) == [("fileserver", NameSource.NETBIOS)]
    assert (asked(audit), hidden(audit)) == ([], {})


def test_the_host_of_a_search_for_devices_is_the_group_it_goes_to() -> None:
    search = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n"
    audit = heard(sent(search, to=("239.255.255.250", 1900)), ON_LAN)
    assert names(audit) == [("239.255.255.250", NameSource.HTTP_HOST)]
    assert audit.audit.verdict is Verdict.HOLDS


def test_a_search_that_names_another_host_is_judged_by_it() -> None:
    search = b"M-SEARCH * HTTP/1.1\r\nHOST: stolen.example\r\n\r\n"
    audit = heard(sent(search, to=("239.255.255.250", 1900)), ON_LAN)
    assert audit.audit.verdict is Verdict.VIOLATED


def read_elsewhere() -> list[Path]:
    """Captures whose QUIC names others read, with nothing that hides them."""
    found = []
    for truth in sorted(SHARED.glob("truth/*.json")):
        said = json.loads(truth.read_text())
        odd = {"ech_ext", "tunnelled_pkts"} & said["features"].keys()
        if (said["quic_sni"] or said["gquic_sni"]) and not odd and 1 in _linktypes(said):
            found.append(truth)
    return found


def _linktypes(said: dict[str, dict[str, list[int]]]) -> list[int]:
    return said["container"]["linktypes"]


@pytest.mark.parametrize("truth", read_elsewhere(), ids=lambda path: path.stem[:40])
def test_the_names_in_quic_are_those_that_other_programs_read(truth: Path) -> None:
    said = json.loads(truth.read_text())
    raw = (SHARED / "captures" / truth.stem).read_bytes()
    source = source_of("made", Window(io.BytesIO(raw)))
    assert source is not None
    audit = audited(source, OFFLINE, embedded_classifier())
    quic = {
        name.host
        for _, all_names, *_ in audit.flow_records()
        for name in all_names
        if name.source is NameSource.QUIC_SNI
    }
    assert quic == {name.lower() for name in (*said["quic_sni"], *said["gquic_sni"])}


@pytest.mark.parametrize("port", [53, 1900, 5355, 9953])
@pytest.mark.parametrize("begins", [b"\x17\xfe", b"\x16\xfe", b"\x1a\1\0\0"])
def test_a_question_that_begins_like_a_record_of_dtls_contradicts(begins: bytes, port: int) -> None:
    question = begins + dns_query("a-long-enough-name.example")[len(begins) :]
    asked = heard(sent(question, to=("10.0.0.1", port)), ON_LAN)
    assert asked.audit.verdict is Verdict.VIOLATED
    assert unread(asked) == hidden(asked) == {}


def test_records_of_dtls_without_a_hello_ask_nothing() -> None:
    record = b"\x17\xfe\xfd" + bytes(8) + b"\0\x02ab"
    said = heard(sent(record * 2, to=("10.0.0.1", 4433)), ON_LAN).audit
    assert (said.verdict is Verdict.VIOLATED, dict(said.coverage.unread_heads)) == (False, {})
