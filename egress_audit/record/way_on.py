"""Which way the packets of an open run go on: passt, or for root the host's own forwarding."""

import os
import random

from egress_audit.model.run import Network
from egress_audit.record.internet.internet import Internet
from egress_audit.record.internet.settings import InternetSettings
from egress_audit.record.masquerade import Masquerade, uplink_mtu
from egress_audit.record.passt import MTU, NoPassage, passt_path, start_passt
from egress_audit.record.passthrough import (
    OpenNetwork,
    Passage,
    host_resolvers,
    open_resolvers,
    versions_with_a_route,
)
from egress_audit.record.plan import Prepared, RunPlan
from egress_audit.record.probe import SENTINEL_RESOLVER4, SENTINEL_RESOLVER6
from egress_audit.record.setup import RESOLVER4, RESOLVER6

DEFAULT_MTU = 1500
IPV4_ALONE = frozenset({4})


def resolvers_of(plan: RunPlan) -> tuple[str, ...]:
    """Whom the program asks for names: our side of the wire, or the real resolvers."""
    if plan.network is Network.OPEN:
        return open_resolvers(ipv6=plan.ipv6)
    return (RESOLVER4, RESOLVER6) if plan.ipv6 else (RESOLVER4,)


def probed_resolvers(plan: RunPlan) -> tuple[str, ...]:
    """Whom the probes ask: nobody real, so that they end at our side of the wire in any case."""
    if plan.network is Network.OPEN:
        return (SENTINEL_RESOLVER4, SENTINEL_RESOLVER6)
    return resolvers_of(plan)


def mtu_of(plan: RunPlan) -> int:
    """The longest packet that the program may send."""
    if plan.network is not Network.OPEN:
        return DEFAULT_MTU
    return MTU if passt_path() is not None else uplink_mtu()


def way_on(prepared: Prepared) -> OpenNetwork:
    """The real network for one run. Raises NoPassage when there is no way to it."""
    passage, versions = _passage(prepared)
    refused = InternetSettings(mode=Network.SEALED, ipv6=prepared.plan.ipv6)
    return OpenNetwork(passage, Internet(refused, random.Random(os.urandom(16))), versions)


def _passage(prepared: Prepared) -> tuple[Passage, frozenset[int]]:
    is_stub = not host_resolvers()
    versions = versions_with_a_route()
    if not prepared.plan.ipv6:
        versions &= IPV4_ALONE
    try:
        return start_passt(prepared.user, forwards_dns=is_stub), versions
    except NoPassage as error:
        if os.geteuid() != 0:
            raise
        first = error
    if is_stub:
        raise NoPassage(
            f"{first.what}, and the host's resolver answers nobody but the host",
            where="/etc/resolv.conf",
            hint=first.hint,
        )
    try:
        return Masquerade(mtu_of(prepared.plan)), versions & IPV4_ALONE
    except NoPassage as error:
        raise NoPassage(
            f"{first.what}; {error.what}", where=error.where, hint=first.hint
        ) from error
