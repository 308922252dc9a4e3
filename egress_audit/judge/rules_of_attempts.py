"""The rule that looks at system calls where there is no packet, EA012; and how others tell them."""

from collections import Counter
from collections.abc import Iterable, Iterator

from egress_audit.judge.attempts import Address, names_of, tried_place, unseen_attempts
from egress_audit.judge.case import Case, Matches, Tried
from egress_audit.model.audit import Match
from egress_audit.model.destination import Absent
from egress_audit.model.run import Attempt

End = tuple[Address, int | Absent, str]
"""Address, port and call."""
REFUSED = "refused before it became a packet)"
"""The end of every clause about such a call; what follows says what makes it worse."""


def attempt_outside(case: Case) -> Matches:
    """EA012."""
    for place, clause in tried(case, unseen_attempts(case)):
        yield clause, place


def tried(case: Case, attempts: Iterable[tuple[Attempt, Address]]) -> Iterator[tuple[Tried, str]]:
    """Each place that was tried, with a clause; alike attempts of several processes as one."""
    counted: Counter[End] = Counter()
    places: dict[End, Tried] = {}
    for attempt, address in attempts:
        end = address, attempt.port, attempt.call
        counted[end] += attempt.count
        places.setdefault(end, tried_place(attempt, address))
    for (address, port, call), count in counted.items():
        names = names_of(case, address)
        whom = f"{names[0]} at {endpoint(address, port)}" if names else endpoint(address, port)
        times = f" {count} times" if count > 1 else ""
        yield (
            places[address, port, call],
            f"tried to reach {whom} ({call}{times}, {REFUSED}",
        )


def tried_known(
    case: Case, known: Iterable[tuple[Attempt, Address, Match]]
) -> Iterator[tuple[Tried, Match, str]]:
    """Each place that was tried without a packet, with what is known of it, and a clause."""
    matches: dict[Tried, Match] = {}
    attempts = []
    for attempt, address, match in known:
        matches.setdefault(tried_place(attempt, address), match)
        attempts.append((attempt, address))
    for place, clause in tried(case, attempts):
        yield place, matches[place], clause


def endpoint(address: Address, port: int | Absent) -> str:
    """`1.2.3.4:443`, `[2001:db8::1]:443`, or the address alone."""
    if isinstance(port, Absent):
        return str(address)
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
