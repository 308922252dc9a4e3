"""Which versions of a product are known for a sender: what was seen in it before what is stated.

A library that was not seen is not known, never absent; so nothing follows from what is not here.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent
from egress_audit.model.run import Role, Run
from egress_audit.model.versions import ProductVersion

NONE = Absent.NOT_APPLICABLE
_GAPS = re.compile(r"[\s_.-]+")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_ZEROS = re.compile(r"(?:\.0+)+$")


MOST_ALIKE = 64
"""Rows of one name; a record that has more was made by nobody we know, and tells nothing of it."""

Placed = tuple[ProductVersion, frozenset[str]]
"""A row, and the executables in which it was seen."""


class KnownVersions:
    """The versions of one body of evidence, which is made once and asked often."""

    def __init__(self, rows: Iterable[ProductVersion] = (), run: Run | Absent = NONE) -> None:
        """run: whose processes the rows name; NOT_APPLICABLE where they name none."""
        self.rows = tuple(rows)
        self._by_name: dict[str, list[Placed]] = {}
        """By every name that a product has, as `product_name` writes it."""
        ran = () if isinstance(run, Absent) or not self.rows else run.processes
        exe_of = {one.id: one.exe for one in ran if one.role is Role.TARGET}
        for row in self.rows:
            exes = frozenset(exe_of[one] for one in row.processes if one in exe_of)
            for name in {product_name(name) for name in (row.product, *row.modules)}:
                self._by_name.setdefault(name, []).append((row, exes))

    def __bool__(self) -> bool:
        return bool(self.rows)

    def of(self, entry: Entry, exe: str) -> tuple[ProductVersion, ...]:
        """What is known of an entry's product for a sender of this executable, '' for one that
        nobody knows.

        Of what was seen, all processes of the executable count: one that another has started has
        what that had loaded.
        """
        some = islice(self._about(entry), MOST_ALIKE + 1)
        # Told apart by what they are, not by what is in them: a row can name all processes.
        about = {id(row): (row, exes) for row, exes in some}.values()
        if len(about) > MOST_ALIKE:
            return ()
        seen = tuple(row for row, exes in about if exe in exes)
        return seen or tuple(row for row, _ in about if not row.how.is_seen)

    def are_seen(self, entry: Entry) -> bool:
        """Whether the product of an entry was seen in the program."""
        return any(exes for _, exes in self._about(entry))

    def _about(self, entry: Entry) -> Iterator[Placed]:
        """Versions of an entry's product: by its name, or by the first words of it where these are
        a program of it (`ollama` for `Ollama server`).

        Another program of the entry's is none: who brings a library along has its own versions.
        """
        if not self._by_name:
            return
        product = product_name(entry.product)
        yield from self._by_name.get(product, ())
        for program in dict.fromkeys(map(product_name, entry.processes)):
            if product.startswith(f"{program}-"):
                yield from self._by_name.get(program, ())


def speaks_of(runtimes: Iterable[str], entry: Entry) -> bool:
    """True if a claim about these runtimes is about the product of an entry.

    By its name, or by one of its processes; by the first words of its name (`ollama` for `Ollama
    server`) only where no process is known.
    """
    product, processes = product_name(entry.product), set(map(product_name, entry.processes))
    for runtime in filter(None, map(product_name, runtimes)):
        begins = not processes and product.startswith(f"{runtime}-")
        if product == runtime or begins or runtime in processes:
            return True
    return False


def is_same_version(one: str, other: str) -> bool:
    """Whether two texts are one version: `v1.2.0` is `1.2`, `1.0-rc2+local` is `1.0rc2`."""
    return _comparable(one) == _comparable(other)


def _comparable(version: str) -> tuple[str, str]:
    """The numbers without zeros at their end, and what stands behind them without its gaps."""
    text = version.strip().lower().removeprefix("v").partition("+")[0]
    numbers = _NUMBERS.match(text)
    end = numbers.end() if numbers else 0
    return _ZEROS.sub("", text[:end]), _GAPS.sub("", text[end:])


def product_name(text: str) -> str:
    """A product's name as it is compared: `LM Studio` and `lm_studio` are `lm-studio`."""
    return _GAPS.sub("-", text.strip().lower())
