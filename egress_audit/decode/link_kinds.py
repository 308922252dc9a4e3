"""Names of what link headers lead to besides IP: what ends at the link, and what cannot be read.

An outcome is `kind << 32 | value`, as in `ledger`; the kinds of this file begin at 32.
"""

PPP_PROTOCOL = 32 << 32
"""A PPP protocol (RFC 1661 §2) that is neither IP nor known to end at the link."""
NLPID = 33 << 32
"""A network layer protocol identifier (ISO/IEC TR 9577) of the same sort."""
PKTAP_RECORD = 34 << 32
"""A PKTAP record that holds no packet, by its type."""
UNREAD = 35 << 32
"""Frames whose inside is not read; each has a name below."""
LINK_ONLY = 36 << 32
"""Frames that end at the link; each has a name below."""

ENCRYPTED_80211 = UNREAD | 1
AGGREGATE_80211 = UNREAD | 2
FRAGMENT_80211 = UNREAD | 3
VERSION_80211 = UNREAD | 4
ENCRYPTED_MACSEC = UNREAD | 5
MPLS_CHANNEL = UNREAD | 6
MPLS_PAYLOAD = UNREAD | 7
NESTED = UNREAD | 8
COMPRESSED_SLIP = UNREAD | 9
ATM_TRAFFIC = UNREAD | 10
ENCRYPTED_DOCSIS = UNREAD | 11
DOCSIS_FRAME = UNREAD | 12
ARCNET_FRAGMENT = UNREAD | 13
ARCNET_PROTOCOL = UNREAD | 14
ATM_SIGNALLING = UNREAD | 15
MORE_THAN_ARP = UNREAD | 16
STRANGE_ARP = UNREAD | 17
RESERVED_80211 = UNREAD | 18
VENDOR_80211 = UNREAD | 19
MORE_THAN_UPKEEP_80211 = UNREAD | 20
EXTENSION_80211 = UNREAD | 21
MORE_THAN_UPKEEP = UNREAD | 22

UNREAD_NAMES: dict[int, str] = {
    ENCRYPTED_80211: "encrypted 802.11",
    AGGREGATE_80211: "802.11 A-MSDU",
    FRAGMENT_80211: "802.11 fragment",
    VERSION_80211: "802.11 of another version",
    ENCRYPTED_MACSEC: "encrypted MACsec",
    MPLS_CHANNEL: "MPLS associated channel",
    MPLS_PAYLOAD: "MPLS payload",
    NESTED: "link headers nested too deep",
    COMPRESSED_SLIP: "compressed SLIP",
    ATM_TRAFFIC: "ATM traffic type",
    ENCRYPTED_DOCSIS: "encrypted DOCSIS",
    DOCSIS_FRAME: "DOCSIS frame control",
    ARCNET_FRAGMENT: "ARCNET fragment",
    ARCNET_PROTOCOL: "ARCNET protocol",
    ATM_SIGNALLING: "ATM signalling",
    MORE_THAN_ARP: "more than ARP",
    STRANGE_ARP: "ARP of another form",
    RESERVED_80211: "802.11 of a reserved subtype",
    VENDOR_80211: "802.11 action of a vendor",
    MORE_THAN_UPKEEP_80211: "more than 802.11 upkeep",
    EXTENSION_80211: "802.11 extension",
    MORE_THAN_UPKEEP: "more than link upkeep",
}

MANAGEMENT_80211 = LINK_ONLY | 1
CONTROL_80211 = LINK_ONLY | 2
NULL_80211 = LINK_ONLY | 3
SLARP = LINK_ONLY | 6
CDP = LINK_ONLY | 7
VTP = LINK_ONLY | 8
DTP = LINK_ONLY | 9
UDLD = LINK_ONLY | 10
PAGP = LINK_ONLY | 11
NETBEUI = LINK_ONLY | 12
LLC_PROBE = LINK_ONLY | 13
TOKEN_RING_MAC = LINK_ONLY | 14
FDDI_MAC = LINK_ONLY | 15
ATM_UPKEEP = LINK_ONLY | 16
DOCSIS_MANAGEMENT = LINK_ONLY | 17
CIRCUIT_STATUS = LINK_ONLY | 19

NO_DESTINATION: dict[int, str] = {
    MANAGEMENT_80211: "802.11 management",
    CONTROL_80211: "802.11 control",
    NULL_80211: "802.11 null data",
    SLARP: "SLARP",
    CDP: "CDP",
    VTP: "VTP",
    DTP: "DTP",
    UDLD: "UDLD",
    PAGP: "PAgP",
    NETBEUI: "NetBEUI",
    LLC_PROBE: "LLC XID and TEST",
    TOKEN_RING_MAC: "token ring MAC",
    FDDI_MAC: "FDDI MAC and SMT",
    ATM_UPKEEP: "ILMI",
    DOCSIS_MANAGEMENT: "DOCSIS management",
    CIRCUIT_STATUS: "Q.933 status",
    NLPID | 0x09: "LMI",
    NLPID | 0x82: "ES-IS",
    NLPID | 0x83: "IS-IS",
    PPP_PROTOCOL | 0x8021: "IPCP",
    PPP_PROTOCOL | 0x8031: "BCP",
    PPP_PROTOCOL | 0x8053: "ECP",
    PPP_PROTOCOL | 0x8057: "IPV6CP",
    PPP_PROTOCOL | 0x80FD: "CCP",
    PPP_PROTOCOL | 0x8207: "CDPCP",
    PPP_PROTOCOL | 0x8281: "MPLSCP",
    PPP_PROTOCOL | 0x0207: "CDP",
    PPP_PROTOCOL | 0xC021: "LCP",
    PPP_PROTOCOL | 0xC023: "PAP",
    PPP_PROTOCOL | 0xC025: "LQR",
    PPP_PROTOCOL | 0xC223: "CHAP",
    PPP_PROTOCOL | 0xC227: "EAP",
}
"""Negotiation and upkeep of one link; routing protocols that are spoken to a neighbour only."""


def link_reason(outcome: int) -> str:
    """The words for an outcome of this file; '' for one of another."""
    kind, value = outcome >> 32 << 32, outcome & 0xFFFFFFFF
    if kind == PPP_PROTOCOL:
        return f"PPP protocol 0x{value:04x}"
    if kind == NLPID:
        return f"NLPID 0x{value:02x}"
    if kind == PKTAP_RECORD:
        return f"PKTAP record {value}"
    return UNREAD_NAMES.get(outcome, "")
