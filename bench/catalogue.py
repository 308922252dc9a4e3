"""What a look-up in the catalogue of endpoints costs, with 500 entries and with 50,000.

    python bench/catalogue.py [--rounds 5]

The entries are invented with a seed: most name a host, some a suffix, a prefix, or an expression.
What is asked for is hit by one in two. Prints the median of the rounds, in microseconds of CPU for
each look-up, and what it costs to read the compiled file, with the one that comes along as well.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from egress_audit.classify.catalogue import Catalogue  # noqa: E402 - the line above is needed
from egress_audit.classify.catalogue_files import COMPILED  # noqa: E402
from egress_audit.classify.catalogue_rows import compiled, rows_in  # noqa: E402
from egress_audit.model.catalogue import Entry, Purpose, Verified  # noqa: E402

SIZES = (500, 50_000)
LOOK_UPS = 20_000
SEED = 5


def invented(count: int) -> Iterator[Entry]:
    """So many entries: of ten, six name a host, two a suffix, one a prefix, one an expression."""
    random = Random(SEED)
    for number in range(count):
        domain = f"d{number}.example"
        hosts: tuple[str, ...] = ()
        prefixes: tuple[IPv4Network, ...] = ()
        kind = number % 10
        if kind < 6:
            hosts = (f"api.{domain}", f"cdn.{domain}")
        elif kind < 8:
            hosts = (f"*.{domain}",)
        elif kind < 9:
            prefixes = (IPv4Network((random.getrandbits(24) << 8, 24)),)
        else:
            hosts = (rf"/^n[0-9]+\.d{number}\.example$/",)
        yield Entry(
            id=f"invented-{number}",
            vendor=f"Vendor {number // 4}",
            product=f"Product {number}",
            purpose=Purpose.TELEMETRY,
            source="invented for a measurement, with the length that a source has on average",
            verified=Verified.CODE,
            confidence="high",
            example=f"api.{domain}",
            hosts=hosts,
            prefixes=prefixes,
            trigger="at start, and then every four hours for as long as it runs",
            sends="the version, the system, and an identifier of the installation",
        )


def names(count: int) -> list[str]:
    """Hosts to ask for: every other one is of an entry, at a depth of up to six labels."""
    random = Random(SEED)
    hosts = []
    for number in range(LOOK_UPS):
        first = random.choice(("api", "cdn", "n7", "a.b.c.api"))
        domain = random.randrange(count) if number % 2 else count + number
        hosts.append(f"{first}.d{domain}.example")
    return hosts


def microseconds(work: Callable[[], object], rounds: int, times: int) -> float:
    """The median of the rounds, by each of the times that a round does it."""
    costs = []
    for _ in range(rounds):
        began = time.process_time_ns()
        work()
        costs.append((time.process_time_ns() - began) / times / 1000)
    return statistics.median(costs)


def row(name: str, text: bytes, rounds: int) -> str:
    """One line of the table: reading, look-ups by host and by address."""
    known = Catalogue(rows_in(text))
    read_ms = microseconds(lambda: Catalogue(rows_in(text)), rounds, 1) / 1000
    hosts = names(len(known))
    random = Random(SEED)
    addresses = [str(IPv4Network(random.getrandbits(32))[0]) for _ in range(LOOK_UPS)]
    known.of_address(addresses[0])
    by_host = microseconds(lambda: list(map(known.of_host, hosts)), rounds, LOOK_UPS)
    by_address = microseconds(lambda: list(map(known.of_address, addresses)), rounds, LOOK_UPS)
    return (
        f"| {name} | {len(known):,} | {read_ms:.1f} ms | {by_host:.1f} µs | {by_address:.1f} µs |"
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print("| catalogue | entries | reading | by host | by address |\n|---|---|---|---|---|")
    print(row("the packaged one", COMPILED.read_bytes(), rounds))
    for size in SIZES:
        print(row("invented", compiled(invented(size)).encode(), rounds))


if __name__ == "__main__":
    main()
