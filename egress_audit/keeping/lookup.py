"""What the lists say of addresses, outside any capture."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

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
        try:
            yield LookedUp(address, classifier.destination(address))
        except ValueError as error:
            raise WrongUsage(
                f"{address!r} is no IP address", hint="names are not resolved; give addresses"
            ) from error
