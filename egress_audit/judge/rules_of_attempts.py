"""The rule that looks at system calls where there is no packet. EA012."""

from collections import Counter
from collections.abc import Iterable, Iterator

from egress_audit.judge.attempts import Address, names_of, unseen_attempts
from egress_audit.judge.case import Case, Matches, Tried
from egress_audit.model.destination import Absent
from egress_audit.model.run import Attempt

End = tuple[Address, int | Absent, str]
"""Address, port and call."""


def attempt_outside(case: Case) -> Matches:
    """EA012."""
    for place, clause in tried(case, unseen_attempts(case)):
        yield clause, place


def tried(case: Case, attempts: Iterable[tuple[Attempt, Address]]) -> Iterator[tuple[Tried, str]]:
    """Each place that was tried, with a clause; alike attempts of several processes as one."""
    counted: Counter[End] = Counter()
    for attempt, address in attempts:
        counted[address, attempt.port, attempt.call] += attempt.count
    for (address, port, call), count in counted.items():
        names = names_of(case, address)
        whom = f"{names[0]} at {endpoint(address, port)}" if names else endpoint(address, port)
        times = f" {count} times" if count > 1 else ""
        yield (
            Tried(str(address), port),
            f"tried to reach {whom} ({call}{times}, refused before it became a packet)",
        )


def endpoint(address: Address, port: int | Absent) -> str:
    """`1.2.3.4:443`, `[2001:db8::1]:443`, or the address alone."""
    if isinstance(port, Absent):
        return str(address)
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
