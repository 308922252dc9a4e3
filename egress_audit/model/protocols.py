"""Numbers that several rooms have to know alike: protocols above IP, what ICMP quotes, a port.

Source: IANA, "Protocol Numbers"; RFC 792 (types of ICMP), RFC 4443 (of ICMPv6).
"""

ICMP, IGMP, TCP, UDP, DCCP, ICMPV6, SCTP, UDP_LITE = 1, 2, 6, 17, 33, 58, 132, 136

EITHER_ICMP = (ICMP, ICMPV6)
DATAGRAMS = (UDP, UDP_LITE)
WITH_PORTS = (TCP, UDP, DCCP, SCTP, UDP_LITE)
"""Protocols whose headers begin with two ports (RFC 9293, 768, 4340, 9260, 3828)."""

ICMP_ERRORS = {ICMP: (3, 11, 12), ICMPV6: (1, 2, 3, 4)}
"""By protocol, types in which a host answers a packet by quoting it (RFC 1122 §3.2.2, RFC 4443
§2.1)."""
ICMP_QUOTES = {ICMP: (*ICMP_ERRORS[ICMP], 4, 5), ICMPV6: ICMP_ERRORS[ICMPV6]}
"""By protocol, types behind whose header a quoted packet begins: of ICMP also source quench, which
is obsolete, and redirect, which is a router's."""

DNS_PORT, SEALED_DNS_PORT = 53, 853
"""The second is that of DNS over TLS and over QUIC (RFC 7858 §3.1, RFC 9250 §4.1.1)."""
DNS_PORTS = (DNS_PORT, SEALED_DNS_PORT)
