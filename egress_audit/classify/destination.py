"""What the lists say of an address: scope first, then country, AS, operator, and how sure it is.

Nothing is resolved and no network is asked: an answer follows from the address and the files.
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from egress_audit.addresses import Scope, address_of, embedded_ipv4, scope_of
from egress_audit.classify.address_lists import (
    AddressList,
    AddressLookup,
    ListAnswer,
    merged_answer,
)
from egress_audit.classify.operators import (
    Holder,
    Operator,
    OperatorTable,
    anycast_table,
    override_table,
)
from egress_audit.classify.tables import PrefixTable
from egress_audit.classify.user_lists import current_list, imported_lists
from egress_audit.model.audit import ListUsed
from egress_audit.model.destination import FRONTS, Absent, Confidence, Destination

PLACELESS = FRONTS | {"dns", "anycast-dns"}
"""Roles whose addresses are in many places at once, or stand before somebody else's: `dns` holds
the public resolvers, all anycast."""

KEPT = 1 << 14
"""Addresses whose destination is kept: many flows go to few of them."""

_Whereabouts = tuple[str | Absent, Confidence | Absent, str | Absent]
"""Country, how far it can be believed, and the country of a dissenting source."""

NO_ONE_PLACE: _Whereabouts = (Absent.NOT_APPLICABLE, Confidence.NONE, Absent.NOT_APPLICABLE)
"""Where something in many places at once is. The country that a list has for it, its holder's for
the most part, stays out of the destination, so that nobody can take it for a fact."""

UNASKED = ListAnswer(
    located=Absent.NOT_LOADED,
    located_alt=Absent.NOT_LOADED,
    registered=Absent.NOT_LOADED,
    asn=Absent.NOT_LOADED,
    organisation=Absent.NOT_LOADED,
)
"""The answer where there is no list to ask."""


class Classifier:
    """Addresses to destinations. Without a list, everything that needs one is NOT_LOADED."""

    def __init__(
        self,
        lists: Sequence[AddressLookup] = (),
        *,
        operators: OperatorTable | None = None,
        overrides: PrefixTable[Holder] | None = None,
        anycast: PrefixTable[Operator] | None = None,
    ) -> None:
        """`lists`: of several the first that knows answers; the others corroborate or dissent."""
        self._lists = tuple(lists)
        self._operators = operators
        self._overrides = overrides
        self._anycast = anycast
        self._built: dict[tuple[ListAnswer, Operator | None], Destination] = {}
        self._kept = lru_cache(maxsize=KEPT)(self._looked_up)

    def destination(self, address: str) -> Destination:
        """What is known of one address; an embedded IPv4 address answers for the one around it.

        Raises ValueError if `address` is none, ListUnreadable if a list turns out to be damaged.
        """
        return self._kept(address)

    def _looked_up(self, address: str) -> Destination:
        parsed = address_of(address)
        scope = scope_of(parsed)
        if scope is not Scope.GLOBAL:
            return without_place(scope, Absent.NOT_APPLICABLE)
        if isinstance(parsed, IPv6Address):
            parsed = embedded_ipv4(parsed) or parsed
        anycast = self._anycast.get(parsed) if self._anycast else None
        key = self._answer(parsed), anycast
        if key not in self._built:
            self._built[key] = self._global(*key)
        return self._built[key]

    @cached_property
    def used(self) -> tuple[ListUsed, ...]:
        """The lists and tables behind the answers, as the audit document names them.

        Kept, since every audit of a folder asks, and the files are hashed for it.
        """
        loaded = (*self._lists, self._operators, self._overrides, self._anycast)
        described = (source.used for source in loaded if source is not None)
        return tuple(used for used in described if used is not None)

    def _answer(self, address: IPv4Address | IPv6Address) -> ListAnswer:
        """What all lists together say of an address, with the AS of the overrides if they lack it.

        An override never stands against a list: it fills a gap.
        """
        if not self._lists:
            return UNASKED
        answers = []
        for each in self._lists:
            found = each.answer(address)
            if isinstance(found, ListAnswer):
                answers.append(found)
        answer = merged_answer(answers)
        if self._overrides is None or not isinstance(answer.asn, Absent):
            return answer
        holder = self._overrides.get(address)
        if holder is None:
            return answer
        return answer._replace(asn=holder.asn, organisation=holder.organisation)

    def _global(self, answer: ListAnswer, anycast: Operator | None) -> Destination:
        """The destination of a globally reachable address for which the lists say `answer`."""
        group, controlled, role = self._standing(answer.asn, anycast)
        vague = anycast is not None and anycast.is_of_no_region
        placeless = (anycast is not None and not vague) or role in PLACELESS
        sure = answer._replace(corroborated=False) if vague else answer
        located, confidence, dissent = NO_ONE_PLACE if placeless else _whereabouts(sure)
        return Destination(
            scope=Scope.GLOBAL,
            located=located,
            located_confidence=confidence,
            located_alt=dissent,
            registered=answer.registered,
            controlled=controlled,
            asn=answer.asn,
            organisation=answer.organisation,
            operator=group,
            role=role,
        )

    def _standing(
        self, asn: int | Absent, anycast: Operator | None
    ) -> tuple[str | Absent, str | Absent, str | Absent]:
        """Group, jurisdiction and role of who stands behind an address; else why not, thrice.

        An anycast row answers alone, its gaps included: whoever announces it is but a carrier.
        """
        found: Operator | Absent = Absent.NOT_LOADED
        if anycast is not None:
            found = anycast
        elif self._operators is not None:
            found = self._operators.operator(asn)
        if isinstance(found, Absent):
            return found, found, found
        return found.group, found.jurisdiction, found.role


def without_place(scope: Scope, why: Absent) -> Destination:
    """A destination of which nothing but its scope can be said, and why."""
    return Destination(scope, why, why, why, why, why, why, why, why, why)


def embedded_classifier(supplied: Sequence[Path] = ()) -> Classifier:
    """The classifier over the lists that come with the program, or newer versions of them.

    `supplied`: MMDB files of the user (GeoLite2, DB-IP, IPinfo …), in place of those imported. They
    are asked first, and the embedded list beside them: where both agree the answer is sure, where
    they differ both show. They should be independent of it: DB-IP's own file agrees with DB-IP's
    data in ours. Raises ListUnreadable if one of the files cannot be used.
    """
    return Classifier(
        [AddressList(path) for path in address_lists(supplied)],
        operators=OperatorTable(current_list("operators.csv")),
        overrides=override_table(current_list("ipv6_overrides.csv")),
        anycast=anycast_table(current_list("anycast.csv")),
    )


def address_lists(supplied: Sequence[Path] = ()) -> list[Path]:
    """The address lists in the order in which they are asked; those supplied replace imported ones,
    so that a command with `--lists` does not depend on what else a user keeps.
    """
    return [*(supplied or imported_lists()), current_list("addresses.mmdb")]


def _whereabouts(answer: ListAnswer) -> _Whereabouts:
    """Where something in one place is."""
    if isinstance(answer.located, Absent):
        return answer.located, answer.located, answer.located_alt
    confidence = Confidence.HIGH if answer.corroborated else Confidence.LOW
    return answer.located, confidence, answer.located_alt
