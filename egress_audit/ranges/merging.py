"""One record an address from several published lists: AS, countries, and which of them dissent.

The rules, each with what speaks for it:

- AS: the first list that has one. A stretch that nobody announces, between two ranges of one AS and
  inside one delegation, is taken for that AS's: whoever holds the block leaves parts of it unused
  or announces them elsewhere for a while. So is the rest of an IPv6 /32 in one delegation in which
  one AS alone has ranges: the lists have no AS for much of what is announced there.
- Country: what the operator publishes of its own sites, then the measured list (DB-IP); for an AS
  of an operator that publishes geofeeds the list made of geofeeds comes before the measured one. A
  majority vote was tried and is worse, because whois and registries vote together.
- China in a geofeed, where another list has Hong Kong, Macau or Taiwan, is the first part of a
  region's code, and means that region.
- Dissent: the first other country that any of them names. One voice alone is marked as such.
- Registration: the country of the delegation.

The country of an AS's registration (iptoasn's `cc`) is no place and is left out.
"""

from collections.abc import Collection, Iterator, Sequence
from enum import Enum
from itertools import pairwise
from typing import Any, NamedTuple

from egress_audit.addresses import parse_prefix
from egress_audit.ranges.intervals import IPV4_END, Range, flattened, joined, no_place, without
from egress_audit.values import dataclass


class Gives(Enum):
    """What a published list is good for."""

    ORIGIN = "AS and organisation"
    MEASURED = "country"
    FEED = "country, from geofeeds"
    DELEGATION = "country of registration"
    GAP = "AS of an unannounced stretch"
    PUBLISHED = "country, as the operator publishes it"


class Holder(NamedTuple):
    """An AS and its holder's name, which may be empty."""

    asn: int
    organisation: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One published list, as it was read: ranges may overlap."""

    gives: Gives
    rows: Sequence[Range[str]] | Sequence[Range[Holder]]
    """Countries (ISO 3166-1 alpha-2); holders for ORIGIN."""


class Merged(NamedTuple):
    """What is known of a stretch of addresses; '' and 0 where nothing is."""

    country: str
    dissent: str
    """What another list says, where it differs."""
    alone: bool
    """True if only one list names a country."""
    registered: str
    asn: int
    organisation: str


WIDEST_GAP_V4, WIDEST_GAP_V6 = 1 << 16, 1 << 96
"""Addresses of the widest unannounced stretch that is filled: a /16 and a /32."""

BLOCK_BITS = 96
"""Free bits of an IPv6 /32: what registries give a provider at least."""

REGISTRY_SEAT = "AU"
"""What geo-whois says of IPv6 blocks under APNIC that name no country themselves: the seat of the
registry. It places CERNET in Australia, against the delegation and against what is measured. Below
whois that list has the delegation, so that is what it says instead."""
UNDER_APNIC = tuple(
    (int(block.network_address), int(block.broadcast_address))
    for block in map(
        parse_prefix,
        (
            "2001:200::/23",
            "2001:c00::/23",
            "2001:e00::/23",
            "2001:4400::/23",
            "2001:8000::/19",
            "2001:a000::/20",
            "2001:b000::/20",
            "2400::/12",
        ),
    )
)
"""Source: IANA IPv6 Global Unicast Address Assignments."""

CHINA, HAVE_CODES_OF_THEIR_OWN = "CN", frozenset({"HK", "MO", "TW"})
"""A geofeed writes the region as well, and that of Hong Kong is CN-HK: geo-whois has China for all
of AWS in Hong Kong. Source: ISO 3166-2:CN, RFC 8805 §2.1.1.3."""

NOBODY = Holder(0, "")
MEASURED_FIRST = (Gives.PUBLISHED, Gives.MEASURED, Gives.FEED)
FEEDS_FIRST = (Gives.PUBLISHED, Gives.FEED, Gives.MEASURED)


def merged(layers: Sequence[Layer], feeding: Collection[int]) -> Iterator[Range[Merged]]:
    """The merged list, ascending, without overlap and without special-purpose ranges.

    `feeding`: numbers of the ASes whose operators publish geofeeds.
    """
    holes = no_place()
    by_kind: dict[Gives, list[list[Range[Any]]]] = {gives: [] for gives in Gives}
    for layer in layers:
        by_kind[layer.gives].append(without(flattened(layer.rows), holes))
    if by_kind[Gives.ORIGIN] and by_kind[Gives.DELEGATION]:
        origins, delegations = by_kind[Gives.ORIGIN][0], by_kind[Gives.DELEGATION][0]
        between = gaps(origins, delegations)
        around = sole_holders(sorted([*origins, *between]), delegations)
        by_kind[Gives.GAP] += [between, without(around, origins)]
    kinds = [gives for gives in Gives for _ in by_kind[gives]]
    before: Range[Merged] | None = None
    for first, last, said in joined([rows for gives in Gives for rows in by_kind[gives]]):
        value = _merged(list(zip(kinds, said, strict=True)), feeding, _under_apnic(first))
        if before and before[1] == first - 1 and before[2] == value and first != IPV4_END:
            first = before[0]
        elif before:
            yield before
        before = first, last, value
    if before:
        yield before


def _merged(
    said: Sequence[tuple[Gives, Any]], feeding: Collection[int], under_apnic: bool
) -> Merged:
    """One record from what each list says of a stretch; None where it says nothing."""
    told: dict[Gives, list[Any]] = {gives: [] for gives in Gives}
    for gives, value in said:
        if value is not None:
            told[gives].append(value)
    holder = next(iter([*told[Gives.ORIGIN], *told[Gives.GAP]]), NOBODY)
    registered = next(iter(told[Gives.DELEGATION]), "")
    if under_apnic and registered in told[Gives.MEASURED] and registered != REGISTRY_SEAT:
        told[Gives.FEED] = [registered if v == REGISTRY_SEAT else v for v in told[Gives.FEED]]
    announced_by_feeder = bool(told[Gives.ORIGIN]) and holder.asn in feeding
    if announced_by_feeder:
        told[Gives.FEED] = _with_own_codes(told[Gives.FEED], told[Gives.MEASURED])
    order = FEEDS_FIRST if announced_by_feeder else MEASURED_FIRST
    voices = [voice for gives in order for voice in told[gives]]
    country = voices[0] if voices else ""
    dissent = next((voice for voice in voices if voice != country), "")
    return Merged(country, dissent, len(voices) == 1, registered, *holder)


def _with_own_codes(fed: Sequence[str], measured: Sequence[str]) -> list[str]:
    """What feeds say, where China is a region of it that another list names by its own code."""
    own = HAVE_CODES_OF_THEIR_OWN.intersection([*fed, *measured])
    return [min(own) if own and voice == CHINA else voice for voice in fed]


def _under_apnic(number: int) -> bool:
    """Whether an address lies in IPv6 space that APNIC gives out."""
    return number >= IPV4_END and any(first <= number <= last for first, last in UNDER_APNIC)


def gaps(
    origins: Sequence[Range[Holder]], delegations: Sequence[Range[str]]
) -> list[Range[Holder]]:
    """The stretches between two ranges of one AS that lie inside one delegation, as that AS's."""
    out: list[Range[Holder]] = []
    place = 0
    for (_, end, holder), (after, _, other) in pairwise(origins):
        widest = WIDEST_GAP_V4 if after < IPV4_END else WIDEST_GAP_V6
        if holder.asn != other.asn or not 1 < after - end <= widest + 1:
            continue
        while place < len(delegations) and delegations[place][1] < end:
            place += 1
        if place < len(delegations) and _spans(delegations[place], end, after):
            out.append((end + 1, after - 1, holder))
    return out


def sole_holders(
    origins: Sequence[Range[Holder]], delegations: Sequence[Range[str]]
) -> list[Range[Holder]]:
    """The IPv6 /32s inside one delegation in which one AS alone has ranges, as that AS's."""
    holders: dict[int, set[Holder]] = {}
    for first, last, holder in origins:
        if first >= IPV4_END:
            for block in {first >> BLOCK_BITS, last >> BLOCK_BITS}:
                holders.setdefault(block, set()).add(holder)
    out: list[Range[Holder]] = []
    place = 0
    for block, found in sorted(holders.items()):
        first = block << BLOCK_BITS
        last = first + (1 << BLOCK_BITS) - 1
        while place < len(delegations) and delegations[place][1] < first:
            place += 1
        if len(found) == 1 and place < len(delegations) and _spans(delegations[place], first, last):
            out.append((first, last, next(iter(found))))
    return out


def _spans(outer: Range[str], first: int, last: int) -> bool:
    return outer[0] <= first and last <= outer[1]
