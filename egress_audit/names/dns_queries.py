"""Queries of the DNS that were seen: by them answers are told from what is only called one.

Source: RFC 5452 §9.1: an answer has the ID and the question of its query, and its ends the other
way round. Ports do not tell who is who: a resolver may ask from port 53, and listen on any.
"""

from collections import OrderedDict

MAX_QUERIES = 1 << 14
"""Questions remembered, the last ones: far more than wait for their answer at any time. Each takes
some 250 bytes."""

_Query = tuple[int, bool, int | None, str, str | None]
"""Flow, whether its originator asked, ID, host and type."""


class Queries:
    """The last questions, each with the flow and the direction in which it was asked."""

    def __init__(self) -> None:
        self._seen: OrderedDict[_Query, None] = OrderedDict()

    def take(
        self, flow: int, by_orig: bool, transaction: int | None, host: str, qtype: str | None
    ) -> None:
        """One side of a flow asked; `transaction`: the ID, None where no message has its own."""
        query = flow, by_orig, transaction, host, qtype
        self._seen.pop(query, None)  # so that what is asked again counts from now on
        self._seen[query] = None
        if len(self._seen) > MAX_QUERIES:
            self._seen.popitem(last=False)

    def has(
        self, flow: int, by_orig: bool, transaction: int | None, host: str, qtype: str | None
    ) -> bool:
        """True if that side asked so, not too long ago."""
        return (flow, by_orig, transaction, host, qtype) in self._seen
