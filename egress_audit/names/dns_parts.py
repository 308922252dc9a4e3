"""What one DNS message asks and gives, and which names lead to which address in it."""

from collections.abc import Iterator

from egress_audit.model.flow import NameSource
from egress_audit.names.dns_cursor import address_text, type_word
from egress_audit.names.reading import Spoken

MAX_ALIASES = 32
"""Names that lead to one address; resolvers give up after 11 to 17."""
MAX_NAME = 253
"""Characters of a name that somebody is sent on to by a zone above (RFC 1035 §2.3.4)."""
MAX_SENT_ON = 128
"""Names of one message with which zones are looked for above them."""
MAX_SPOKEN = 2048
"""Names spoken by one message."""


class Parts:
    """What one message asks, which addresses it gives, and the aliases on the way to them."""

    __slots__ = (
        "_addresses",
        "_owners",
        "_renamed",
        "_servers",
        "_targets",
        "cut",
        "questions",
        "unanswered",
    )

    def __init__(self) -> None:
        self.questions: list[tuple[str, str]] = []
        self._addresses: list[tuple[str, str]] = []
        self._targets: dict[str, list[str]] = {}
        self._renamed: list[tuple[str, str]] = []
        self._owners: dict[str, tuple[str, bool]] = {}
        self._servers: set[str] = set()
        self.cut = False
        """True once there turned out to be more aliases than we follow."""
        self.unanswered = False
        """True for a message without answers: what else it gives, nobody takes for one."""

    def own(self, owner: str, kind: int, beside: bool) -> None:
        """There is a record of `owner`; the root says no name (it is the owner of EDNS)."""
        if owner != "." and (owner not in self._owners or (self._owners[owner][1] > beside)):
            self._owners[owner] = (type_word(kind), beside)

    def add(self, host: str, raw: bytes) -> None:
        """`host` has the address `raw`, 4 or 16 bytes in network order."""
        self._addresses.append((host, address_text(raw)))

    def alias(self, owner: str, target: str) -> None:
        """Whoever asks for `owner` is sent on to `target`."""
        self._targets.setdefault(owner, []).append(target)

    def rename(self, zone: str, target: str) -> None:
        """Whoever asks for a name below `zone` is sent on to the same below `target`; of the first
        MAX_ALIASES such zones (RFC 6672 §2.2)."""
        self.cut |= len(self._renamed) >= MAX_ALIASES
        self._renamed += [] if self.cut else [(f".{zone}", f".{target}")]

    def serve(self, host: str) -> None:
        """Some record names `host` as a server: whoever reads it may go there."""
        self._servers.add(host)

    def asked(self) -> list[Spoken]:
        """What a query asks for: its questions, and the owners of its records."""
        hosts = {host for host, _ in self.questions}
        owners = [(owner, qtype) for owner, (qtype, _) in self._owners.items()]
        rest = [(owner, qtype) for owner, qtype in owners if owner not in hosts]
        query = NameSource.DNS_QUERY
        return [Spoken(host, query, qtype=qtype) for host, qtype in (*self.questions, *rest)]

    def answers(self, *, whole: bool) -> list[Spoken]:
        """What a response says: questions, addresses and hosts that they lead to, other owners.

        An address of a server that no question leads to is there to be used, and proves nothing:
        anybody may put it beside an answer about another host (RFC 2181 §5.4.1). A zone above a
        question says no more than the question. Nor does what stands beside no answer at all prove
        anything: to whoever asked, the name has no address. `whole`: False if records are missing,
        which might have led further, or to the owners that are left.
        """
        source, led = NameSource.DNS_ANSWER, self._source_of_addresses()
        spoken = [Spoken(host, source, qtype=qtype) for host, qtype in self.questions]
        origin, owners = self._led_to()
        names: dict[str, list[str]] = {}
        for host, address in self._addresses:
            if len(spoken) > MAX_SPOKEN:
                break
            if host not in origin:
                spoken += self._of_server(host, address)
                continue
            if host not in names:
                names[host] = self._names_leading_to(host, owners)
            spoken.extend(
                Spoken(name, led, address=address, question=origin[name]) for name in names[host]
            )
        spoken += self._open_ends(origin, owners) if whole else []
        left = self._owners.keys() - origin.keys() if whole else ()
        above = {zone for host in (origin if left else ()) for zone in _zones_above(host)}
        for owner, (qtype, beside) in self._owners.items():
            if owner in left and owner not in above:
                spoken.append(Spoken(owner, source, qtype=qtype, owner=True, beside=beside))
        return spoken

    def _open_ends(
        self, origin: dict[str, tuple[str, str]], owners: dict[str, list[str]]
    ) -> list[Spoken]:
        """The names that lead to hosts of which another message must give the address."""
        given, source = {host for host, _ in self._addresses}, self._source_of_addresses()
        ends = [host for host in owners if host not in given and host not in self._targets]
        self.cut |= len(ends) > MAX_ALIASES
        return [
            Spoken(name, source, question=origin[name], leads_to=end)
            for end in ends[:MAX_ALIASES]
            for name in self._names_leading_to(end, owners)[1:]
        ]

    def _source_of_addresses(self) -> NameSource:
        return NameSource.DNS_UNPROVEN if self.unanswered else NameSource.DNS_ANSWER

    def _of_server(self, host: str, address: str) -> list[Spoken]:
        if host not in self._servers or not self.questions:
            return []
        first = self.questions[0]
        return [Spoken(host, NameSource.DNS_UNPROVEN, address=address, question=first)]

    def _led_to(self) -> tuple[dict[str, tuple[str, str]], dict[str, list[str]]]:
        """Each host that a question leads to with that question; the aliases of each such host."""
        origin = {host: (host, qtype) for host, qtype in self.questions}
        owners: dict[str, list[str]] = {}
        order = list(origin)
        for owner in order:  # grows while it is walked
            below = self._below(owner, len(order)) if self._renamed else ()
            for target in (*self._targets.get(owner, ()), *below):
                owners.setdefault(target, []).append(owner)
                if target not in origin:
                    origin[target] = origin[owner]
                    order.append(target)
        return origin, owners

    def _below(self, owner: str, known: int) -> list[str]:
        """The names to which a zone above sends this one on, none longer than names may be; none
        where so many are known that zones send on to each other."""
        if known >= MAX_SENT_ON:
            self.cut = True
            return []
        sent = [
            owner.removesuffix(zone) + target
            for zone, target in self._renamed
            if owner.endswith(zone)
        ]
        return [name for name in sent if len(name) <= MAX_NAME]

    def _names_leading_to(self, host: str, owners: dict[str, list[str]]) -> list[str]:
        names = {host}
        order = [host]
        for name in order:  # grows while it is walked
            for owner in owners.get(name, ()):
                if owner in names:
                    continue
                if len(names) == MAX_ALIASES:
                    self.cut = True
                    return order
                names.add(owner)
                order.append(owner)
        return order


def _zones_above(host: str) -> Iterator[str]:
    at = host.find(".")
    while at >= 0:
        yield host[at + 1 :]
        at = host.find(".", at + 1)
