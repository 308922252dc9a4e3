"""ICMP messages that answer something, so that their sender did not begin. HOT PATH.

Source: RFC 792, RFC 950 and RFC 1256 (types of ICMP), RFC 4443, RFC 2710, RFC 4861, RFC 4620 and
RFC 6275 (of ICMPv6).
"""

import numpy as np

from egress_audit.columns import Bool, FlowColumns
from egress_audit.model.protocols import ICMP, ICMP_ERRORS, ICMPV6

ANSWERS = {ICMP: (0, 9, 14, 16, 18), ICMPV6: (129, 131, 132, 134, 136, 140, 145)}
"""Types that do not begin a conversation: replies, reports and advertisements."""


def is_icmp_answer(flows: FlowColumns) -> Bool:
    """(n,) True for flows that begin with an ICMP message that answers, or need not be asked."""
    answer: Bool = np.zeros(len(flows), np.bool_)
    for proto, types in ANSWERS.items():
        answer |= (flows.proto == proto) & np.isin(flows.orig_p, types)
    return answer


def is_icmp_error(flows: FlowColumns) -> Bool:
    """(n,) True for flows of ICMP messages that quote the packet they answer."""
    error: Bool = np.zeros(len(flows), np.bool_)
    for proto, types in ICMP_ERRORS.items():
        error |= (flows.proto == proto) & flows.one_way & np.isin(flows.orig_p, types)
    return error
