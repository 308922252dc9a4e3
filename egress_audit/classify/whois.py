"""Who is behind a host, an address or an AS, from the lists alone: no name is resolved."""

import re
from ipaddress import IPv4Address, IPv6Address

from egress_audit.addresses import address_text, embedded_in, embedded_ipv4
from egress_audit.classify.catalogue import Catalogue
from egress_audit.classify.destination import Classifier
from egress_audit.classify.list_sources import LISTS, described
from egress_audit.classify.operators import HIGHEST_ASN, OperatorTable
from egress_audit.classify.pasted import place_within
from egress_audit.classify.places import NamedPlace, named_place
from egress_audit.classify.resolvers import NOBODY, Asked, known_resolvers
from egress_audit.classify.user_lists import current_list
from egress_audit.errors import WrongUsage
from egress_audit.model.audit import ListUsed
from egress_audit.model.destination import Absent
from egress_audit.model.whois import AutonomousSystem, Kind, WhoIs
from egress_audit.public_suffixes import is_registry_suffix

_AS = re.compile("(?:ASN? ?)?([0-9]{1,20})", re.IGNORECASE)
_NO_NUMBER = re.compile("ASN?[ -]?", re.IGNORECASE)
FORMS = "write ollama.com, 8.8.8.8, [2001:db8::1]:443 or AS15169; other scripts as xn--…"
_NOT_ASKED = Absent.NOT_APPLICABLE


def who_is(text: str, catalogue: Catalogue, classifier: Classifier) -> WhoIs:
    """What the lists know of a host, an address, either with a port, or an AS (AS15169 or 15169).

    Raises WrongUsage for a text that is none of them.
    """
    if _NO_NUMBER.fullmatch(text):
        raise WrongUsage(f"{text!r} lacks the number of an AS", hint="write AS15169")
    number = _AS.fullmatch(text)
    if number:
        return _of_as(int(number[1]))
    place = named_place(text)
    if place is None:
        within = place_within(text)
        raise WrongUsage(
            f"{text!r} is no host, address or AS",
            hint=f"perhaps: egress-audit whois {within}" if within else FORMS,
        )
    return _of_place(place, catalogue, classifier)


def _of_as(asn: int) -> WhoIs:
    if not 0 < asn <= HIGHEST_ASN:
        raise WrongUsage(f"there is no AS{asn}", hint=f"AS numbers go from 1 to {HIGHEST_ASN}")
    table = OperatorTable(current_list("operators.csv"))
    found = table.operator(asn)
    system: AutonomousSystem | Absent = Absent.NOT_FOUND
    if not isinstance(found, Absent):
        system = AutonomousSystem(
            asn=asn,
            organisation=found.organisation or Absent.NOT_FOUND,
            operator=found.group,
            jurisdiction=found.jurisdiction,
            category=found.role,
            registered=found.registered,
            note=found.note,
        )
    return WhoIs(
        asked=f"AS{asn}",
        kind=Kind.AS,
        port=_NOT_ASKED,
        protocol=_NOT_ASKED,
        endpoints=(),
        above=_NOT_ASKED,
        resolver=_NOT_ASKED,
        embeds=_NOT_ASKED,
        destination=_NOT_ASKED,
        autonomous_system=system,
        lists=(table.used,) if table.used else (),
    )


def _of_place(place: NamedPlace, catalogue: Catalogue, classifier: Classifier) -> WhoIs:
    address = None if place.address is None else _text(place.address)
    endpoints = catalogue.at(place)
    owned = any(entry.vendor != NOBODY for entry in endpoints)
    asked_how = _resolver_at(place)
    lists = [*catalogue.used, *_of_resolvers(), *(classifier.used if address else ())]
    return WhoIs(
        asked=address or place.host,
        kind=Kind.ADDRESS if address else Kind.HOST,
        port=place.port or Absent.NOT_FOUND,
        protocol=place.protocol or Absent.NOT_FOUND,
        endpoints=endpoints,
        above=_NOT_ASKED if address or owned else _above(place.host, catalogue),
        resolver=asked_how.value if asked_how else Absent.NOT_FOUND,
        embeds=(embedded_in(address) or _NOT_ASKED) if address else _NOT_ASKED,
        destination=classifier.destination(address) if address else _NOT_ASKED,
        autonomous_system=_NOT_ASKED,
        lists=tuple(lists),
    )


def _text(address: IPv4Address | IPv6Address) -> str:
    number = int(address)
    return address_text(address.version, number >> 64, number & 0xFFFF_FFFF_FFFF_FFFF)


def _resolver_at(place: NamedPlace) -> Asked | None:
    """How a resolver there is asked; also behind an IPv6 address that leads to an IPv4 one."""
    resolvers, address = known_resolvers(), place.address
    if address is None:
        return resolvers.asked_at(place.host)
    inner = embedded_ipv4(address) if isinstance(address, IPv6Address) else None
    return resolvers.addresses.get(str(inner or address))


def _of_resolvers() -> tuple[ListUsed, ...]:
    used = described(LISTS / "resolvers.csv")
    return (used,) if used else ()


def _above(host: str, catalogue: Catalogue) -> str | Absent:
    """The nearest name above a host whose owner the catalogue knows, below what registries sell."""
    name = host.partition(".")[2]
    while not is_registry_suffix(name):
        if any(entry.vendor != NOBODY for entry in catalogue.of_host(name)):
            return name
        name = name.partition(".")[2]
    return Absent.NOT_FOUND
