"""What requests of HTTP ask for beside their authority: a DNS message, or a host in their path.

Source: RFC 8484 §4.1 (DNS queries over HTTPS), RFC 9298 §2 and §3 (proxying UDP; the template that
every proxy has by default), RFC 3986 §2.1 (percent-encoding).
"""

import re
from base64 import urlsafe_b64decode

from egress_audit.model.flow import NameSource
from egress_audit.names.dns import could_begin_stream, read_message
from egress_audit.names.reading import Spoken, Unread, printable_host

MAX_QUESTION = 4096
"""Octets of a DNS message in a request."""
_MAX_CODED = (MAX_QUESTION * 4 + 2) // 3
"""Letters of one in a path."""
DNS_MESSAGE = b"application/dns-message"

_IN_PATH = re.compile(rb"[?&]dns=([0-9A-Za-z_\-]{16,})=*(?:&|\Z)")
_UDP_TARGET = re.compile(rb"/\.well-known/masque/udp/([^/?#]{1,300})/[0-9]{1,5}(?:/|\Z)")
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_SIGNS = b"dns", b"/masque/"
"""Some of these, in lower case, is in every head that is of interest here."""


def may_ask(head: bytes) -> bool:
    """False if nothing but the authority is asked for by a request with this head."""
    lower = head.lower()
    return any(sign in lower for sign in _SIGNS)


def asked_in(path: bytes) -> tuple[tuple[Spoken, ...], bool]:
    """What the DNS messages in a path ask, and the hosts that a proxy is asked to send UDP to; and
    whether one of the messages could not be read to its end.

    What does not begin with a header of the DNS is no message: `dns` may be anybody's parameter.
    """
    spoken: list[Spoken] = []
    odd = False
    for coded in _IN_PATH.findall(path):
        letters = coded[:_MAX_CODED]
        message = urlsafe_b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + b"==")
        if could_begin_stream(bytes(2) + message):
            asked, unread = asked_by(message)
            spoken += asked
            odd |= unread is not None or len(coded) > _MAX_CODED
    for target in _UDP_TARGET.findall(path):
        host = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), target)
        spoken.append(Spoken(printable_host(host), NameSource.HTTP_CONNECT))
    return tuple(spoken), odd


def asked_by(message: bytes) -> tuple[tuple[Spoken, ...], Unread | None]:
    """The questions of a DNS message that a client sends, and why it was not read to its end."""
    reading = read_message(message)
    asked = (word for word in reading.spoken if word.source is NameSource.DNS_QUERY)
    return tuple(asked), reading.unread
