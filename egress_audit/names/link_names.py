"""Names asked of the neighbours on the link: multicast DNS, LLMNR and NetBIOS.

Source: RFC 6762 §3 and §4 (names of the link), §18 (messages), RFC 4795 §2.1, RFC 1001 §14.1 and
RFC 1002 §4.2 (NetBIOS names and messages). All three have the form of DNS messages.

No address that a neighbour gives is believed: everybody on the link may answer.
"""

import re
from dataclasses import replace
from ipaddress import ip_address, ip_network

from egress_audit.addresses import NEAR, Scope, scope_of
from egress_audit.model.flow import NameSource
from egress_audit.names.dns import read_message
from egress_audit.names.dns_cursor import address_text
from egress_audit.names.reading import READ, Reading, Spoken, printable_host

LINK_SOURCES = (NameSource.MDNS, NameSource.LLMNR, NameSource.NETBIOS)
_GROUPS = (ip_network("224.0.0.0/24"), ip_network("ff02::/16"), ip_network("255.255.255.255/32"))
"""What no router passes on (RFC 5771 §4, RFC 4291 §2.7, RFC 919 §7)."""
_SUBNET_BROADCAST = ".255"
_ENCODED = 32
"""Characters of a NetBIOS name: two for each of 16 bytes, the last of which is its kind."""
_OCTET, _NIBBLE = re.compile("[0-9]{1,3}"), re.compile("[0-9a-f]")
_NETBIOS_TYPES = {"TYPE32": "NB", "SRV": "NBSTAT"}
"""By what the DNS calls their numbers, 32 and 33."""


def read_link_message(message: bytes, source: NameSource, complete: bool = True) -> Reading:
    """What one message of these protocols asks or announces: its names, each once, no address.

    Marks and damage as in `read_message`; `names-read` when the message was read to its end. A name
    of NetBIOS is spoken without its padding and kind, and with its scope. Never raises.
    """
    reading = read_message(message, complete)
    words = [
        word
        for word in reading.spoken
        if word.source is not NameSource.DNS_UNPROVEN and word.leads_to is None
    ]
    names = {word.host: word for word in reversed(words)}
    spoken = tuple(_of_link(word, source) for word in reversed(names.values()))
    marks = reading.marks | READ if reading.unread is None else reading.marks
    return replace(reading, spoken=spoken, marks=marks)


def stays_on_link(spoken: Spoken, response: bool, sender: str, receiver: str) -> bool:
    """True if only neighbours learn of a name, so that it is no question to a resolver.

    A name of the link (.local, a single label, the reverse of a near address) that a group of the
    link is asked for; and whatever is announced among neighbours, since nobody looks up what he is
    told. Asked of one machine alone it may be passed on to a resolver, like any other name.
    """
    if response:
        return all(_is_near(end) for end in (sender, receiver))
    group = _is_group(receiver)
    if spoken.source is NameSource.NETBIOS:
        group |= receiver.endswith(_SUBNET_BROADCAST) and _is_near(receiver)
    return group and _is_link_name(spoken.host)


def _of_link(word: Spoken, source: NameSource) -> Spoken:
    host, qtype = word.host, word.qtype or "?"
    if source is NameSource.NETBIOS:
        host, qtype = _netbios_name(host), _NETBIOS_TYPES.get(qtype, qtype)
    return Spoken(host, source, qtype=qtype)


def _netbios_name(host: str) -> str:
    """The name behind the first-level encoding; as it stands if it is not encoded."""
    label, dot, scope = host.partition(".")
    nibbles = [ord(letter) - ord("a") for letter in label]
    if len(label) != _ENCODED or not all(0 <= nibble < 16 for nibble in nibbles):
        return host
    raw = bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))
    return printable_host(raw[:-1].rstrip(b" \0")) + dot + scope


def _is_link_name(host: str) -> bool:
    return "." not in host or host.endswith(".local") or _is_near_reverse(host)


def _is_near_reverse(host: str) -> bool:
    """True for the reverse name of an address on this machine or its network (RFC 6762 §4)."""
    labels = host.split(".")[::-1]
    tree, digits = labels[:2], labels[2:]
    if tree == ["arpa", "in-addr"] and all(_OCTET.fullmatch(digit) for digit in digits):
        octets = [int(digit) for digit in digits]
        known = len(octets) == 4 and max(octets) < 256
        return known and _is_near(address_text(bytes(octets)))
    if tree == ["arpa", "ip6"] and all(_NIBBLE.fullmatch(digit) for digit in digits):
        return len(digits) == 32 and _is_near(address_text(bytes.fromhex("".join(digits))))
    return False


def _is_group(address: str) -> bool:
    known = ip_address(address)
    return any(known.version == group.version and known in group for group in _GROUPS)


def _is_near(address: str) -> bool:
    scope = scope_of(address)
    if scope is Scope.MULTICAST:
        return _is_group(address)
    return scope in NEAR
