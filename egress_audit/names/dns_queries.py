"""Queries of the DNS that were seen: by them answers are told from what is only called one.

Source: RFC 5452 §9.1: an answer has the ID and the question of its query, and its ends the other
way round. Ports do not tell who is who: a resolver may ask from port 53, and listen on any.
"""

MAX_QUERIES = 1 << 14
"""Questions remembered at most, and at least half as many, the last ones: far more than wait for
their answer at any time. Each takes some 200 bytes."""

_Query = tuple[int, bool, int | None, str, str | None]
"""Flow, whether its originator asked, ID, host and type."""


class Queries:
    """The last questions, each with the flow and the direction in which it was asked."""

    def __init__(self) -> None:
        # Two generations, as forgetting each by itself costs more than reading it does.
        self._young: set[_Query] = set()
        self._old: set[_Query] = set()
        self._asking: set[tuple[int, bool]] = set()
        self._asked_long_ago: set[tuple[int, bool]] = set()

    def take(
        self, flow: int, by_orig: bool, transaction: int | None, host: str, qtype: str | None
    ) -> None:
        """One side of a flow asked; `transaction`: the ID, None where no message has its own."""
        self._asking.add((flow, by_orig))
        self._young.add((flow, by_orig, transaction, host, qtype))
        if len(self._young) >= MAX_QUERIES // 2:
            self._old, self._young = self._young, set()
            self._asked_long_ago, self._asking = self._asking, set()

    def has(
        self, flow: int, by_orig: bool, transaction: int | None, host: str, qtype: str | None
    ) -> bool:
        """True if that side asked so, not too long ago."""
        query = flow, by_orig, transaction, host, qtype
        return query in self._young or query in self._old

    def has_any(self, flow: int, by_orig: bool) -> bool:
        """True if that side asked anything, not too long ago."""
        side = flow, by_orig
        return side in self._asking or side in self._asked_long_ago
