"""What the lists say of addresses, outside any capture."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from egress_audit.addresses import address_of
from egress_audit.classify.destination import embedded_classifier
from egress_audit.errors import WrongUsage
from egress_audit.model.destination import Destination
from egress_audit.values import dataclass


@dataclass(frozen=True, slots=True)
class LookedUp:
    """An address as it was given, and what the lists say of it."""

    address: str
    destination: Destination


def lookup_addresses(addresses: Iterable[str], *, lists: Sequence[str] = ()) -> Iterator[LookedUp]:
    """What the lists say of each address; lists: MMDB files in place of imported ones.

    Raises WrongUsage for what is no address, ListUnreadable for a list that cannot be used. Nothing
    is resolved.
    """
    classifier = embedded_classifier([Path(path) for path in lists])
    for address in addresses:
        refuse_no_address(address)
        yield LookedUp(address, classifier.destination(address))


def refuse_no_address(word: str, where: str = "") -> None:
    """Raises WrongUsage for what is no address. where: it stands, for a person; '' if they know."""
    try:
        address_of(word)
    except ValueError as error:
        hint = "names are not resolved; give addresses, and to `egress-audit whois` a host or an AS"
        if "/" in word:
            hint = "its addresses may differ; give single ones"
        raise WrongUsage(f"{word!r} is no IP address", where=where, hint=hint) from error
