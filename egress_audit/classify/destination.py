"""What the lists say of an address: scope first, then country, AS, operator, and how sure it is.

Nothing is resolved and no network is asked: an answer follows from the address and the files.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
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
from egress_audit.classify.list_sources import LISTS
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
from egress_audit.values import dataclass

PLACELESS = FRONTS | {"dns", "anycast-dns"}
"""Roles whose addresses are in many places at once, or stand before somebody else's: `dns` holds
the public resolvers, all anycast."""

KEPT = 1 << 14
"""Addresses whose destination is kept: many flows go to few of them."""

UNASKED = ListAnswer(
    located=Absent.NOT_LOADED,
    located_alt=Absent.NOT_LOADED,
    registered=Absent.NOT_LOADED,
    asn=Absent.NOT_LOADED,
    organisation=Absent.NOT_LOADED,
)
"""The answer where there is no list to ask."""


@dataclass(frozen=True, slots=True)
class Lists:
    """What can be asked of an address."""

    lists: Sequence[AddressLookup] = ()
    """Of several the first that knows answers; the others corroborate or dissent."""
    operators: OperatorTable | None = None
    overrides: PrefixTable[Holder] | None = None
    anycast: PrefixTable[Operator] | None = None


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
        given = Lists(lists, operators, overrides, anycast)
        self._open: Callable[[], Lists] = lambda: given
        self._built: dict[tuple[ListAnswer, Operator | None], Destination] = {}
        self._kept = lru_cache(maxsize=KEPT)(self._looked_up)

    @classmethod
    def over(cls, lists: Callable[[], Lists]) -> "Classifier":
        """The classifier over lists that are opened when the first address asks for them."""
        classifier = cls()
        classifier._open = lists
        return classifier

    @cached_property
    def _asked(self) -> Lists:
        return self._open()

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
        table = self._asked.anycast
        anycast = table.get(parsed) if table else None
        key = self._answer(parsed), anycast
        if key not in self._built:
            self._built[key] = self._global(*key)
        return self._built[key]

    @cached_property
    def used(self) -> tuple[ListUsed, ...]:
        """The lists and tables behind the answers, as the audit document names them.

        Kept, since every audit of a folder asks, and the files are hashed for it.
        """
        asked = self._asked
        loaded = (*asked.lists, asked.operators, asked.overrides, asked.anycast)
        described = (source.used for source in loaded if source is not None)
        return tuple(used for used in described if used is not None)

    def _answer(self, address: IPv4Address | IPv6Address) -> ListAnswer:
        """What all lists together say of an address, with the AS of the overrides if they lack it.

        An override never stands against a list: it fills a gap.
        """
        lists, overrides = self._asked.lists, self._asked.overrides
        if not lists:
            return UNASKED
        answers = [found.answer(address) for found in lists]
        answer = merged_answer([found for found in answers if isinstance(found, ListAnswer)])
        holder = overrides.get(address) if overrides else None
        if holder is None or not isinstance(answer.asn, Absent):
            return answer
        return replace(answer, asn=holder.asn, organisation=holder.organisation)

    def _global(self, answer: ListAnswer, anycast: Operator | None) -> Destination:
        """The destination of a globally reachable address for which the lists say `answer`."""
        group, controlled, role = self._standing(answer.asn, anycast)
        return Destination(
            scope=Scope.GLOBAL,
            located=answer.located,
            located_confidence=_confidence(answer, role),
            located_alt=answer.located_alt,
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
        elif self._asked.operators is not None:
            found = self._asked.operators.operator(asn)
        if isinstance(found, Absent):
            return found, found, found
        return found.group, found.jurisdiction, found.category


def without_place(scope: Scope, why: Absent) -> Destination:
    """A destination of which nothing but its scope can be said, and why."""
    return Destination(scope, why, why, why, why, why, why, why, why, why)


def embedded_classifier(supplied: Sequence[Path] = ()) -> Classifier:
    """The classifier over the lists that come with the program, or newer versions of them.

    `supplied`: MMDB files of the user (GeoLite2, DB-IP, IPinfo …), in place of those imported. They
    are asked first, and the embedded list beside them: where both agree the answer is sure, where
    they differ both show. They should be independent of it: DB-IP's own file agrees with DB-IP's
    data in ours. Raises ListUnreadable if one of the user's files cannot be used; those that came
    with the program are opened when an address asks, which of a capture without one none does.
    """
    *theirs, ours = address_lists(supplied)
    tables = [current_list(name) for name in ("operators.csv", "ipv6_overrides.csv", "anycast.csv")]
    opened = [AddressList(path) for path in theirs]

    def lists() -> Lists:
        operators, overrides, anycast = tables
        return Lists(
            (*opened, AddressList(ours)),
            OperatorTable(operators),
            override_table(overrides),
            anycast_table(anycast),
        )

    if all(path.parent == LISTS for path in (ours, *tables)):
        return Classifier.over(lists)
    newer = lists()  # at once: another update may remove them before they are asked
    return Classifier.over(lambda: newer)


def address_lists(supplied: Sequence[Path] = ()) -> list[Path]:
    """The address lists in the order in which they are asked; those supplied replace imported ones,
    so that a command with `--lists` does not depend on what else a user keeps.
    """
    return [*(supplied or imported_lists()), current_list("addresses.mmdb")]


def _confidence(answer: ListAnswer, role: str | Absent) -> Confidence | Absent:
    """How far `located` can be believed; why it cannot be asked, if no list has a country."""
    if isinstance(answer.located, Absent):
        return answer.located
    if role in PLACELESS:
        return Confidence.NONE
    return Confidence.HIGH if answer.corroborated else Confidence.LOW
