"""All names that were spoken in some evidence: by flow, by the address they lead to, by question.

Everything is bounded, and what did not fit is counted. Iteration is in the order of first sight,
so that the same evidence gives the same table.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field

from egress_audit.model.flow import Name, NameSource
from egress_audit.names.mentions import Mentions
from egress_audit.values import dataclass

MAX_ADDRESSES = 1_000_000
MAX_NAMES_PER_ADDRESS = 1024
"""Hosts that share one address, as behind a CDN."""
MAX_HOSTS = 100_000
"""Hosts asked for."""
MAX_ALIASES = 1 << 15
"""Aliases kept whose address another message gives."""
MAX_LEADING = 128
"""Names followed back from a host that such aliases lead to, as that of a CDN."""
MAX_JOINED = 1 << 18
"""Names that lead to an address by such aliases: what these may cost, of time as of room."""
MAX_LED_ON = 1 << 16
"""Hosts kept that answers led on to: a CDN takes others all day, and each may be a denied one."""
MAX_DETAILS = 20
"""Resolvers, frames, addresses and types kept of one question."""
OTHER_TYPES = "OTHER"
"""Where questions of one host are counted whose type is beyond the first MAX_DETAILS types."""


@dataclass(slots=True)
class Question:
    """A host that somebody asked the DNS for, however often; grows while the evidence is read."""

    host: str
    first_ts_ns: int
    last_ts_ns: int
    total: int = 0
    """Questions, of any type."""
    qtypes: Counter[str] = field(default_factory=Counter)
    """Questions by type: 'A', 'AAAA', …, or OTHER_TYPES."""
    queried: set[str] = field(default_factory=set)
    """Types of those questions whose query was itself seen, up to MAX_DETAILS."""
    frames: list[int] = field(default_factory=list)
    """Frames of the first MAX_DETAILS questions."""
    resolvers: list[str] = field(default_factory=list)
    """Addresses asked, in order of first use, up to MAX_DETAILS."""
    addresses: list[str] = field(default_factory=list)
    """Addresses answered, in order of first sight, up to MAX_DETAILS."""
    further_addresses: int = 0
    """Answers with an address that is not in `addresses`."""
    aliases: dict[str, None] = field(default_factory=dict)
    """Other hosts that answers led on to, in order of first sight; of all questions MAX_LED_ON."""


class NameTable:
    """What was spoken, kept for the questions the judge will ask.

    The number of flows is not bounded here: their ids come from a table that is.
    """

    def __init__(self) -> None:
        self.mentions = Mentions()
        """What was said in each flow."""
        self._by_address: dict[str, tuple[Name, ...]] = {}
        self._questions: dict[str, Question] = {}
        self._aliases: dict[str, dict[str, NameSource]] = {}
        """By host the names that lead to it, and how that is known."""
        self._alias_count = 0
        self._led_on = 0
        self._joined: set[tuple[str, str, NameSource]] = set()
        """Address, name and source of what such aliases led to."""
        self._walked: tuple[tuple[str, NameSource], list[tuple[str, NameSource]]] | None = None
        """The name whose aliases were followed back last, as an answer may have many addresses."""
        self.answers_dropped = 0
        """Answers not kept because MAX_ADDRESSES, MAX_NAMES_PER_ADDRESS, or a bound of aliases was
        reached."""
        self.questions_dropped = 0
        """Questions not kept because MAX_HOSTS hosts were asked for before."""

    def answer(self, address: str, name: Name) -> None:
        """`name` leads to `address`, as of `name.ts_ns`; the earliest of host and source is kept.

        `address`: canonical text (RFC 5952), as the readers of this room write it.
        """
        names = self._by_address.get(address, ())
        if not names and len(self._by_address) >= MAX_ADDRESSES:
            self.answers_dropped += 1
            return
        for kept in names:
            if kept.host == name.host and kept.source is name.source:
                if kept.ts_ns <= name.ts_ns:
                    return
                names = tuple(other for other in names if other is not kept)
                break
        if len(names) >= MAX_NAMES_PER_ADDRESS:
            self.answers_dropped += 1
            return
        place = bisect_right(names, name.ts_ns, key=_time_of)
        self._by_address[address] = (*names[:place], name, *names[place:])

    def lead(self, address: str, name: Name) -> None:
        """As `answer`; and every alias that led to the name before leads to the address too."""
        self.answer(address, name)
        if name.host in self._aliases:
            self._join(address, name, self._leading_to(name))

    def _join(self, address: str, end: Name, names: Iterable[tuple[str, NameSource]]) -> None:
        """What `end` says of an address holds of these names too, each once."""
        for host, source in names:
            if (address, host, source) in self._joined:
                continue
            if len(self._joined) >= MAX_JOINED:
                self.answers_dropped += 1
                return
            self._joined.add((address, host, source))
            self.answer(address, Name(host, source, end.ts_ns, end.frame))

    def alias(self, target: str, name: Name) -> None:
        """`name` leads to the host `target`, wherever that is; and to where it is known to be."""
        known = self._aliases.get(target, {}).get(name.host)
        if known is None and self._alias_count >= MAX_ALIASES:
            self.answers_dropped += 1
            return
        source = name.source if known is None else _weaker_last(known, name.source)[0]
        if source is known:
            return
        self._alias_count += known is None
        self._aliases.setdefault(target, {})[name.host] = source
        self._walked = None
        question = self._questions.get(target)
        for address in question.addresses if question else ():
            self._join(address, name, ((name.host, name.source), *self._leading_to(name)))

    def _leading_to(self, name: Name) -> list[tuple[str, NameSource]]:
        """The names that lead to one, each once; as certain as the weakest alias on the way."""
        start = name.host, name.source
        if self._walked is None or self._walked[0] != start:
            self._walked = start, self._followed_back(name)
        return self._walked[1]

    def _followed_back(self, name: Name) -> list[tuple[str, NameSource]]:
        found = {name.host: name.source}
        order = [name.host]
        for host in order:  # grows while it is walked
            for other, source in self._aliases.get(host, {}).items():
                if other in found:
                    continue
                if len(order) > MAX_LEADING:
                    self.answers_dropped += 1
                    return [*found.items()][1:]
                found[other] = _weaker_last(found[host], source)[1]
                order.append(other)
        return [*found.items()][1:]

    def answers_for(self, address: str, before_ns: int | None = None) -> tuple[Name, ...]:
        """Every name known to lead to `address`, in time order; with `before_ns`, by that time."""
        names = self._by_address.get(address, ())
        if before_ns is None:
            return names
        return names[: bisect_right(names, before_ns, key=_time_of)]

    def ask(
        self, host: str, qtype: str, resolver: str, frame: int, ts_ns: int, *, queried: bool = True
    ) -> None:
        """The DNS server `resolver` was asked for `host`, as `frame` shows.

        `queried`: the frame is the query itself, not merely a message that repeats it.
        """
        question = self._questions.get(host)
        if question is None:
            if len(self._questions) >= MAX_HOSTS:
                self.questions_dropped += 1
                return
            question = self._questions[host] = Question(host, ts_ns, ts_ns)
        question.total += 1
        question.first_ts_ns = min(question.first_ts_ns, ts_ns)
        question.last_ts_ns = max(question.last_ts_ns, ts_ns)
        room_for_type = qtype in question.qtypes or len(question.qtypes) < MAX_DETAILS
        question.qtypes[qtype if room_for_type else OTHER_TYPES] += 1
        if queried and room_for_type:
            question.queried.add(qtype)
        if len(question.frames) < MAX_DETAILS:
            question.frames.append(frame)
        _kept(question.resolvers, resolver)

    def was_asked(self, host: str, qtype: str) -> bool:
        """True if a question of that host and type has been kept."""
        question = self._questions.get(host)
        return question is not None and qtype in question.qtypes

    def was_queried(self, host: str, qtype: str) -> bool:
        """True if a query of that host and type was seen: only such a question has answers."""
        question = self._questions.get(host)
        return question is not None and qtype in question.queried

    @property
    def dropped(self) -> int:
        """Everything that was not kept because a bound was reached, but for resolvers."""
        beyond = sum(question.further_addresses for question in self._questions.values())
        return self.mentions.dropped + self.answers_dropped + self.questions_dropped + beyond

    def addresses(self) -> Iterator[str]:
        """Every address that an answer led to, in order of first sight."""
        return iter(self._by_address)

    def answered(self, host: str, address: str) -> None:
        """A question for `host` was answered with `address`; no effect if nobody asked for it."""
        question = self._questions.get(host)
        if question is not None:
            question.further_addresses += not _kept(question.addresses, address)

    def led_on(self, host: str, *hosts: str | None) -> None:
        """As `answered`, of the hosts that lead on from there; not of itself and of None."""
        for alias in hosts:
            question = self._questions.get(host) if alias and alias != host else None
            if not alias or question is None or alias in question.aliases:
                continue
            if self._led_on < MAX_LED_ON:
                self._led_on += 1
                question.aliases[alias] = None
            else:
                self.answers_dropped += 1

    def aliases(self) -> dict[str, Sequence[str]]:
        """By host asked for, the other hosts that answers led on to."""
        return {host: (*asked.aliases,) for host, asked in self._questions.items() if asked.aliases}

    def questions(self) -> Iterator[Question]:
        """Each host asked for, in order of the first question's frame.

        What is said in streams is heard at once, and datagrams many at a time: how many a batch
        brings must not decide on the order.
        """
        return iter(sorted(self._questions.values(), key=_first_frame_of))


def _first_frame_of(question: Question) -> int:
    return min(question.frames)


def _kept(values: list[str], value: str) -> bool:
    """Whether `value` is in the list, after adding it if there is room."""
    if value not in values:
        if len(values) >= MAX_DETAILS:
            return False
        values.append(value)
    return True


def _weaker_last(one: NameSource, other: NameSource) -> tuple[NameSource, NameSource]:
    """Two sources of answers, the one that proves first."""
    return (other, one) if one is NameSource.DNS_UNPROVEN else (one, other)


def _time_of(name: Name) -> int:
    return name.ts_ns
