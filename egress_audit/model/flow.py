"""A flow as the table of flows keeps it, seen as one row; and a name somebody spoke in it."""

from enum import StrEnum

from egress_audit.model.destination import Absent
from egress_audit.model.run import Role
from egress_audit.values import dataclass


class NameSource(StrEnum):
    """How a host name came to be known. The words are part of the published flow format."""

    DNS_QUERY = "dns-query"
    DNS_ANSWER = "dns-answer"
    TLS_SNI = "tls-sni"
    QUIC_SNI = "quic-sni"
    DTLS_SNI = "dtls-sni"
    HTTP_HOST = "http-host"
    HTTP_CONNECT = "http-connect"
    HTTP2_AUTHORITY = "http2-authority"
    SOCKS = "socks"
    PCAPNG_NRB = "pcapng-nrb"
    MDNS = "mdns"
    LLMNR = "llmnr"
    NETBIOS = "netbios"
    SANDBOX_DNS = "sandbox-dns"
    DNS_UNPROVEN = "dns-unproven"
    """A DNS message leads from the name to the address, and the program may have had it written:
    it came from a port that is not the DNS's, or tells the address of a host that was not asked
    for."""

    # Enum's own is a function of Python, and part of every look-up of a name.
    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True)
class Name:
    """A host name, how it is known, and the frame that says so."""

    host: str
    """Lower case, without trailing dot and port; bytes that are not printable ASCII as \\xNN."""
    source: NameSource
    ts_ns: int
    frame: int
    """Frame number as Wireshark counts, from 1; 0 when the name is in no frame (pcapng NRB)."""
    outer: bool = False
    """It stands in front of an Encrypted ClientHello and may be a stage prop (RFC 9849 §6.1): it
    was on the wire, and is never a destination."""


@dataclass(frozen=True, slots=True)
class FlowOwner:
    """The very process behind one flow."""

    pid: int
    exe: str
    role: Role
    """`target` is the program; what the others did is not counted as the program's."""
    how: str
    """How it is known: `seccomp` (its own system call was seen), or `kernel, on behalf of`."""


class EndReason(StrEnum):
    """Why a flow has its last packet where it has (IPFIX flowEndReason, RFC 5102 §5.11.3)."""

    IDLE_TIMEOUT = "idle-timeout"
    END_OF_FLOW = "end-of-flow"
    """FIN from both sides or RST, followed by a new SYN on the same 5-tuple."""
    FORCED_END = "forced-end"
    """The capture ended."""
    LACK_OF_RESOURCES = "lack-of-resources"
    """The table was full: the flow was cut to bound memory."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One bidirectional flow (RFC 5103 biflow); fields are Zeek's where Zeek has them."""

    community_id: str
    """Community ID v1, seed 0."""
    proto: int
    """IANA protocol number."""
    orig_h: str
    """Address of the originator: who sent first, or who is held to have (`direction_known`)."""
    orig_p: int
    """Port, or ICMP type; 0 for protocols without, and for fragments that carry no port."""
    resp_h: str
    resp_p: int
    """Port, or the ICMP type of the answer (code where there is none), as Zeek has it."""
    ts_ns: int
    """Time of the first packet, nanoseconds since 1970-01-01 UTC."""
    duration_ns: int
    orig_pkts: int
    resp_pkts: int
    orig_ip_bytes: int
    """Bytes on the wire from the IP header's length field, headers included."""
    resp_ip_bytes: int
    conn_state: str
    """Zeek's: S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH."""
    history: str
    """Zeek's letters, upper case from the originator; `^` first when the direction was guessed."""
    missed_bytes: int
    """Payload that the other side acknowledged and the capture does not have."""
    local_orig: bool
    local_resp: bool
    direction_known: bool
    """False when the first packet seen cannot have been the first sent."""
    end_reason: EndReason
    first_frame: int
    last_frame: int
    encap_depth: int
    carrier: bool
    """True when flows inside this one (a tunnel) are reported as well."""

    @property
    def far_h(self) -> str | Absent:
        """The far side: the address that is not ours; NOT_APPLICABLE when both are, or none is."""
        if self.local_orig == self.local_resp:
            return Absent.NOT_APPLICABLE
        return self.resp_h if self.local_orig else self.orig_h
