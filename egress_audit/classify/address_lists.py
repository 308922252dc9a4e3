"""Address lists in MMDB, the field's format: address in, countries and AS out.

One adapter reads the merged list that comes with the program, GeoLite2, DB-IP, and IPinfo
with its flat records.

On confidence. The merged list has `country_alt` only where its sources differ (a third of the
networks), never with the value of `country`, and `country_alone` where only one of them knew the
network. It counts as corroborated where it has neither, and a registered country: a network in no
registry's delegation had nothing to be checked against. Any other list is one source, and is
corroborated only by another list beside it.

High confidence is no certainty. Where the two sources agree, they match the regions that clouds
publish in 99.56 % of 22,914 prefixes, where they differ in 82.1 %; of 86 hand-checked addresses on
which they agree, two are elsewhere, since both sources followed the registration.

Source: MaxMind DB File Format Specification 2.0.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from egress_audit.classify.list_sources import LISTS, ListOnDisk, described
from egress_audit.classify.tables import is_country
from egress_audit.classify.user_lists import way_back_from
from egress_audit.errors import ListUnreadable
from egress_audit.model.audit import ListUsed
from egress_audit.model.destination import Absent
from egress_audit.paths import is_folder, is_ordinary_file, is_there
from egress_audit.ranges.mmdb_tree import (
    holder_name,
    networks_of,
    opened,
    record_of,
    refuse_broken_tree,
)
from egress_audit.ranges.unfit_files import what_is_wrong

if TYPE_CHECKING:
    from maxminddb.reader import Reader

MERGED = "egress-audit-Country-ASN"
"""`database_type` of a list that was merged from two sources, the dissent in `country_alt`."""

SAMPLE = 200
"""Networks looked at to see whether a file holds countries or AS numbers at all."""


class ListAnswer(NamedTuple):
    """What an address list says of one address."""

    located: str | Absent
    located_alt: str | Absent
    """What a dissenting source says; NOT_FOUND if none dissents."""
    registered: str | Absent
    asn: int | Absent
    organisation: str | Absent
    corroborated: bool = False
    """True if a second source was there to dissent, and did not."""


NOTHING = ListAnswer(
    located=Absent.NOT_FOUND,
    located_alt=Absent.NOT_FOUND,
    registered=Absent.NOT_FOUND,
    asn=Absent.NOT_FOUND,
    organisation=Absent.NOT_FOUND,
)
"""What a record without any of the known fields says."""


class AddressLookup(Protocol):
    """Whatever can say something of an address without asking the network."""

    def answer(self, address: IPv4Address | IPv6Address) -> ListAnswer | Absent:
        """What it says; NOT_FOUND if the address is in none of its networks."""
        ...

    @property
    def used(self) -> ListUsed | None:
        """What is known of the list itself; None if nothing is."""
        ...


class AddressList:
    """An MMDB file. Raises ListUnreadable if it is missing, damaged or of another kind."""

    def __init__(self, path: Path) -> None:
        import maxminddb  # only where a list is asked for

        self._path = path
        self._damage = maxminddb.InvalidDatabaseError
        try:
            ours = path.parent == LISTS
            if not ours and is_there(path) and not (is_ordinary_file(path) or is_folder(path)):
                raise self._unreadable("is no ordinary file", "write it to one, and name that")
            self._reader: Reader = opened(path, ours=ours)
            if not ours:
                refuse_broken_tree(self._reader, path)
            records = [record for _, _, record in islice(networks_of(self._reader, path), SAMPLE)]
        except OSError as error:
            hint = way_back_from(path) or "check the path, or leave the option out"
            reason = error.strerror.lower() if error.strerror else "it cannot be opened"
            raise self._unreadable(f"cannot be read: {reason}", hint) from error
        except (self._damage, ValueError) as error:
            raise self._damaged() from error
        self._metadata = self._reader.metadata()
        self._version = self._metadata.ip_version
        self._merged = self._metadata.database_type == MERGED
        if all(_answer_of(record, merged=False) == NOTHING for record in records):
            kind = self._metadata.database_type
            what = f"holds neither countries nor AS numbers (it is a {kind!r})"
            raise self._unreadable(what, "name a country or ASN list, such as GeoLite2-Country")

    def answer(self, address: IPv4Address | IPv6Address) -> ListAnswer | Absent:
        """What the list says of an address; NOT_FOUND if it is in none of its networks."""
        if address.version > self._version:
            # Not every builder writes IPv6; the reader would take the question for a mistake.
            return Absent.NOT_FOUND
        try:
            record = record_of(self._reader, address)
        except (self._damage, UnicodeDecodeError) as error:
            raise self._damaged() from error
        if record is None:
            return Absent.NOT_FOUND
        if not isinstance(record, dict):  # each has facts by name, or the bytes are not its own
            raise self._damaged()
        return _answer_of(record, merged=self._merged)

    @property
    def kind(self) -> str:
        """Its `database_type`: what its publisher calls a list of this kind."""
        return str(self._metadata.database_type)

    @cached_property
    def used(self) -> ListUsed:
        """Name, date, sha256 and licence; of a file without a SOURCES.yaml, what it says itself."""
        try:
            date = datetime.fromtimestamp(self._metadata.build_epoch, UTC).date().isoformat()
        except (OverflowError, OSError, ValueError) as error:  # a year that no calendar has
            raise self._damaged() from error
        return described(self._path) or ListOnDisk(
            self._path,
            name=self._metadata.database_type,
            date=date,
            licence="as supplied by the user",
            attribution=self._metadata.description.get("en", ""),
        )

    def _damaged(self) -> ListUnreadable:
        return self._unreadable(*what_is_wrong(self._path))

    def _unreadable(self, what: str, hint: str) -> ListUnreadable:
        return ListUnreadable(f"address list {what}", where=str(self._path), hint=hint)


def merged_answer(answers: Sequence[ListAnswer]) -> ListAnswer:
    """One answer from several lists: the first that knows a field gives it, the rest may dissent.

    AS and organisation come from one list. NOTHING if there is no answer at all.
    """
    if len(answers) < 2:
        return answers[0] if answers else NOTHING
    located = _first([answer.located for answer in answers])
    voices = [voice for answer in answers for voice in (answer.located, answer.located_alt)]
    dissent = _first([voice for voice in voices if voice != located])
    located_by = sum(not isinstance(answer.located, Absent) for answer in answers)
    holder = next((a for a in answers if not isinstance(a.asn, Absent)), NOTHING)
    return ListAnswer(
        located=located,
        located_alt=dissent,
        registered=_first([answer.registered for answer in answers]),
        asn=holder.asn,
        organisation=holder.organisation,
        corroborated=isinstance(dissent, Absent)
        and (located_by > 1 or any(answer.corroborated for answer in answers)),
    )


def _first(values: Sequence[str | Absent]) -> str | Absent:
    """The first value that is there; NOT_FOUND if none is."""
    return next((value for value in values if not isinstance(value, Absent)), Absent.NOT_FOUND)


def _answer_of(record: object, *, merged: bool) -> ListAnswer:
    """A record of any of the known shapes as an answer; NOTHING if it has none of the fields."""
    if not isinstance(record, dict):
        return NOTHING
    return _interned(
        _country(record.get("country"), record.get("country_code")),
        _country(record.get("country_alt"), None),
        _country(record.get("registered_country"), None),
        _asn(record),
        _text(holder_name(record)),
        merged and record.get("country_alone") is not True,
    )


@lru_cache(maxsize=1 << 16)
def _interned(
    located: str | Absent,
    located_alt: str | Absent,
    registered: str | Absent,
    asn: int | Absent,
    organisation: str | Absent,
    several: bool,
) -> ListAnswer:
    """One object for all records that say the same: few holders have many networks."""
    agreed = not isinstance(located, Absent) and isinstance(located_alt, Absent)
    corroborated = several and agreed and not isinstance(registered, Absent)
    return ListAnswer(located, located_alt, registered, asn, organisation, corroborated)


def _country(named: object, flat: object) -> str | Absent:
    """The ISO code of a GeoLite2-like `{"iso_code": "JP"}`, else of a flat field: IPinfo's older
    lists have it where its newer ones have the country's name."""
    codes = (named.get("iso_code"),) if isinstance(named, dict) else (flat, named)
    for code in codes:
        if isinstance(code, str) and is_country(code):
            return code
    return Absent.NOT_FOUND


def _asn(record: Mapping[str, object]) -> int | Absent:
    """`autonomous_system_number`, or IPinfo's `asn`, which is written `AS15169`."""
    number = record.get("autonomous_system_number")
    if number is None and isinstance(text := record.get("asn"), str):
        digits = text.removeprefix("AS")
        number = int(digits) if digits.isascii() and digits.isdigit() else None
    return number if isinstance(number, int) and number > 0 else Absent.NOT_FOUND


def _text(value: object) -> str | Absent:
    return value if isinstance(value, str) and value else Absent.NOT_FOUND
