"""Builds the address list from the lists it is made of. Same input, same bytes.

    scripts/build_lists.py fetch FOLDER                 the npm packages, by your own npm client
    scripts/build_lists.py build SOURCE... -o FOLDER    addresses.mmdb and its entry in SOURCES.yaml
    scripts/build_lists.py manifest FOLDER              manifest.json, for `lists update --from`

SOURCE: a folder or .tgz of one of the packages, or a file: iptoasn's ip2asn-*.tsv[.gz], one of the
sets origin-asn, server-country, user-country (CSV or MMDB), a geofeed (RFC 8805) called
published-*.csv. Any mix; a folder of such files counts as all of them. What a source is good for
follows from its name, its date from its version, name or metadata, else from --date.

The rules by which they are merged are in egress_audit/ranges/merging.py.
"""

import argparse
import gzip
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from egress_audit.classify.address_lists import MERGED
from egress_audit.classify.list_sources import entries_of, sha256_of
from egress_audit.classify.user_lists import REPLACEABLE
from egress_audit.errors import EgressAuditError, ListUnreadable, WrongUsage
from egress_audit.ranges.intervals import Range
from egress_audit.ranges.merging import Gives, Layer, Merged, merged
from egress_audit.ranges.mmdb_writer import About, Record, mmdb_pieces
from egress_audit.ranges.published import is_mmdb, published_rows
from egress_audit.update.manifest import FORMAT, MANIFEST

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED_SITES = ROOT / "scripts" / "published-sites.csv"
PACKAGES = (
    "@ip-location-db/asn@2.3.2026061719",
    "@ip-location-db/dbip-country@2.3.2026060120",
    "@ip-location-db/geo-whois-asn-country@2.3.2026061719",
    "@ip-location-db/asn-country@2.3.2026061719",
)
"""The last versions of the packages, by name: they are frozen, and say so themselves."""


@dataclass(frozen=True, slots=True)
class Known:
    """A list that may be a source."""

    gives: Gives
    licence: str
    credit: str


CC_BY, PDDL = "CC-BY-4.0", "PDDL-1.0"
KNOWN: dict[str, Known] = {
    "published": Known(Gives.PUBLISHED, CC_BY, ""),
    "asn": Known(
        Gives.ORIGIN, CC_BY, "ASN data: RouteViews, NRO, DB-IP via sapics/ip-location-db, CC BY 4.0"
    ),
    "origin-asn": Known(Gives.ORIGIN, PDDL, "ASN data: sapics/ip-location-db origin-asn, PDDL 1.0"),
    "iptoasn-asn": Known(Gives.ORIGIN, PDDL, "ASN data: iptoasn.com, PDDL 1.0"),
    "ip2asn": Known(Gives.ORIGIN, PDDL, "ASN data: iptoasn.com, PDDL 1.0"),
    "dbip-country": Known(
        Gives.MEASURED, CC_BY, "IP geolocation by DB-IP (https://db-ip.com), CC BY 4.0"
    ),
    "server-country": Known(
        Gives.FEED, PDDL, "Countries: sapics/ip-location-db server-country, PDDL 1.0"
    ),
    "user-country": Known(
        Gives.FEED, PDDL, "Countries: sapics/ip-location-db user-country, PDDL 1.0"
    ),
    "geo-whois-asn-country": Known(
        Gives.FEED, CC_BY, "Geofeeds, whois, delegations: NRO via sapics/ip-location-db, CC BY 4.0"
    ),
    "asn-country": Known(
        Gives.DELEGATION,
        CC_BY,
        "Geofeeds, whois, delegations: NRO via sapics/ip-location-db, CC BY 4.0",
    ),
}
"""By the beginning of a file's name. Of several that give the same, the upper one is asked first.
The packages with countries say CC0 in one place and CC BY 4.0 in another; the stricter counts."""

FEEDING = frozenset(
    {
        8068, 8069, 8070, 8075,  # Microsoft Azure
        8987, 14618, 16509,  # Amazon AWS
        13335, 54113,  # Cloudflare, Fastly
        14061, 20473, 63949,  # DigitalOcean, Vultr, Akamai Linode
        15169, 19527, 396982,  # Google
        31898,  # Oracle Cloud
    }
)  # fmt: skip
"""ASes of clouds that publish a geofeed: there it is right more often than what is measured. Their
other ASes (offices, acquired companies) are not in their feeds, so that there the geofeed-based
lists only repeat whois: left out, for AS54253 and AS394089 place all of Oracle's and Google's in
the country of registration."""

SPACE_BETWEEN = "\n  - file: "
"""Where an entry of SOURCES.yaml begins."""


@dataclass(frozen=True, slots=True)
class Source:
    """A list that goes in: its files, and what is known of it."""

    name: str
    known: Known
    files: tuple[Path, ...]
    origin: str
    version: str
    date: str
    licences: tuple[Path, ...] = ()
    is_package: bool = False


def main(arguments: Sequence[str]) -> int:
    """Runs one of the two commands; 0 if it did what was asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    fetching = commands.add_parser("fetch")
    fetching.add_argument("folder", type=Path)
    building = commands.add_parser("build")
    building.add_argument("sources", type=Path, nargs="+")
    building.add_argument("-o", "--output", type=Path, required=True)
    building.add_argument(
        "--date", type=day, metavar="YYYY-MM-DD", help="of sources that do not say it"
    )
    describing = commands.add_parser("manifest")
    describing.add_argument("folder", type=Path)
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "build":
            return build(asked)
        return fetch(asked.folder) if asked.command == "fetch" else describe(asked.folder)
    except EgressAuditError as error:
        print(f"build_lists: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:  # a folder that cannot be made, a full disk, no npm
        print(f"build_lists: {error}", file=sys.stderr)
        return 2


def fetch(folder: Path) -> int:
    """Lets the user's npm client put the packages into a folder; its settings say from where."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), *PACKAGES]
    print("running:", *command)
    return subprocess.run(command, check=False).returncode


def build(asked: argparse.Namespace) -> int:
    """Builds the list and says what it holds."""
    asked.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        sources = found_sources([*asked.sources, PUBLISHED_SITES], asked.date, Path(scratch))
        target = asked.output / "addresses.mmdb"
        count = write_list(sources, target)
        digest = sha256_of(target)
        licences = copied_licences(sources, asked.output / "licences")
        write_entry(asked.output / "SOURCES.yaml", entry_text(sources, licences, digest, count))
    print(f"{target}: {count:,} networks, {target.stat().st_size:,} octets, sha256 {digest}")
    return 0


def describe(folder: Path) -> int:
    """Writes the manifest of the lists of a folder, and a gzip of each for the way."""
    lists = []
    for entry in entries_of(folder):
        path = folder / str(entry["file"])
        if path.name not in REPLACEABLE:
            continue
        packed = gzip.compress(path.read_bytes(), mtime=0)
        (folder / f"{path.name}.gz").write_bytes(packed)
        sizes = {"size": path.stat().st_size, "packed_size": len(packed)}
        lists.append({**entry, "sha256": sha256_of(path), "packed": f"{path.name}.gz", **sizes})
    text = json.dumps({FORMAT: 1, "lists": lists}, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    print(f"{folder / MANIFEST}: {', '.join(str(entry['file']) for entry in lists)}")
    return 0


def write_list(sources: Sequence[Source], target: Path) -> int:
    """Writes the merged list; how many networks it has."""
    layers = [layer for source in sources for layer in layers_of(source)]
    ranges = list(merged(layers, FEEDING))
    names = ", ".join(f"{source.name} {source.version}" for source in sources)
    about = About(MERGED, f"Merged from {names}; see SOURCES.yaml", epoch_of(oldest(sources)))
    half = target.with_name(f".{target.name}.new")
    with half.open("wb") as stream:
        stream.writelines(mmdb_pieces(ranges, record_of, about))
    half.replace(target)
    return len(ranges)


def layers_of(source: Source) -> Iterator[Layer]:
    """What the files of a source say, for what it is good for."""
    countries: list[Range[str]] = []
    holders: list[Range[Any]] = []
    for path in source.files:
        more_countries, more_holders = published_rows(path)
        countries += more_countries
        holders += more_holders
    rows = holders if source.known.gives is Gives.ORIGIN else countries
    if not rows:
        raise WrongUsage(f"{source.name} does not hold: {source.known.gives.value}")
    yield Layer(source.known.gives, rows)


def record_of(found: Merged) -> Record:
    """A record with the field names of GeoLite2; what is not known is not there."""
    record: dict[str, Any] = {}
    if found.country:
        record["country"] = {"iso_code": found.country}
    if found.dissent:
        record["country_alt"] = {"iso_code": found.dissent}
    if found.alone:
        record["country_alone"] = True
    if found.registered:
        record["registered_country"] = {"iso_code": found.registered}
    if found.asn:
        record["autonomous_system_number"] = found.asn
    if found.organisation:
        record["autonomous_system_organization"] = found.organisation
    return record


def found_sources(paths: Sequence[Path], date: str | None, scratch: Path) -> list[Source]:
    """The sources in the order in which they are asked. Raises WrongUsage for an unknown one."""
    by_name: dict[str, Source] = {}
    for path in paths:
        for source in _sources_at(path, date, scratch):
            known = by_name.get(source.name)
            by_name[source.name] = _with(known, source) if known else source
    order = list(KNOWN)
    found = sorted(by_name.values(), key=lambda source: order.index(source.name))
    if not any(source.known.gives is not Gives.PUBLISHED for source in found):
        raise WrongUsage("no source was found", hint="see --help for what may be one")
    return found


def _with(one: Source, more: Source) -> Source:
    """Two files of one version as one source, IPv4 and IPv6. Raises WrongUsage if they are not."""
    if one.version != more.version or one.is_package or more.is_package:
        hint = "give one version of each source"
        raise WrongUsage(f"{one.name} is given twice, {one.origin} and {more.origin}", hint=hint)
    origin = ", ".join(sorted([one.origin, more.origin]))
    return replace(one, files=tuple(sorted([*one.files, *more.files])), origin=origin)


def _sources_at(path: Path, date: str | None, scratch: Path) -> Iterator[Source]:
    if path.name.endswith(".tgz"):
        path = _unpacked(path, scratch)
    if not path.exists():
        raise WrongUsage("is not there", where=str(path))
    if not path.is_dir():
        yield _file_source(path, date)
    elif (path / "package.json").is_file():
        yield _package_source(path)
    else:
        for inner in sorted(path.iterdir()):
            if inner.is_dir() or inner.name.endswith((".tgz", ".csv", ".tsv", ".gz", ".mmdb")):
                yield from _sources_at(inner, date, scratch)


def _unpacked(path: Path, scratch: Path) -> Path:
    """The files of a package in a .tgz, in a folder that is taken away later.

    Only those right below `package/`: nothing in the archive says where else to write.
    """
    folder = scratch / path.stem / "package"
    folder.mkdir(parents=True)
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                parts = PurePosixPath(member.name).parts
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None and len(parts) == 2 and parts[1] != "..":
                    with content, (folder / parts[1]).open("wb") as out:
                        shutil.copyfileobj(content, out)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise ListUnreadable(
            "cannot be unpacked", where=str(path), hint="fetch it again"
        ) from error
    return folder


def _package_source(folder: Path) -> Source:
    """A package: its name and version say all."""
    try:
        about = json.loads((folder / "package.json").read_text("utf-8"))
        name, version = str(about["name"]), str(about["version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = "its package.json says no name and version"
        raise ListUnreadable(what, where=str(folder), hint="fetch it again") from error
    name = name.rpartition("/")[2].removesuffix("-mmdb")
    known = _known(folder, name)
    files = sorted(folder.glob("*-num.csv")) or sorted(folder.glob("*-ipv?.mmdb"))
    licences = sorted([*folder.glob("*LICENSE*"), *folder.glob("MODIFICATIONS")])
    stamp = re.search(r"(20\d\d)(\d\d)(\d\d)", version)
    if stamp is None:
        raise WrongUsage(f"version {version} has no date", where=str(folder))
    origin = f"npm {about['name']}"
    date = "-".join(stamp.groups())
    return Source(name, known, tuple(files), origin, version, date, tuple(licences), True)


def _file_source(path: Path, date: str | None) -> Source:
    """A single file: its name says what it is."""
    name = next((name for name in reversed(KNOWN) if path.name.startswith(name)), "")
    known = _known(path, name)
    stamp = re.search(r"(20\d\d)-?(\d\d)-?(\d\d)", path.name)
    day = "-".join(stamp.groups()) if stamp else _date_inside(path) or date
    if day is None:
        raise WrongUsage("does not say its date", where=str(path), hint="give it with --date")
    return Source(name, known, (path,), _origin_of(path), day, day)


def _origin_of(path: Path) -> str:
    """Its name; of a file of ours where it lies."""
    inside = path.resolve().is_relative_to(ROOT)
    return str(path.resolve().relative_to(ROOT)) if inside else path.name


def _date_inside(path: Path) -> str | None:
    """The date in the metadata of an MMDB, or in a comment `# date: YYYY-MM-DD`."""
    if is_mmdb(path):
        import maxminddb

        with maxminddb.open_database(path) as reader:
            return datetime.fromtimestamp(reader.metadata().build_epoch, UTC).date().isoformat()
    with path.open("rb") as stream:
        stated = re.search(rb"^# date: (20\d\d-\d\d-\d\d)$", stream.read(4096), re.MULTILINE)
    return stated[1].decode() if stated else None


def _known(path: Path, name: str) -> Known:
    if name not in KNOWN:
        raise WrongUsage("is none of the known sources", where=str(path), hint=", ".join(KNOWN))
    return KNOWN[name]


def day(text: str) -> str:
    """A date of a command line; argparse refuses what raises ValueError."""
    return datetime.fromisoformat(text).date().isoformat()


def oldest(sources: Sequence[Source]) -> str:
    """The date of the oldest source: that of the whole. Sites stay for years and do not count."""
    return min(s.date for s in sources if s.known.gives is not Gives.PUBLISHED)


def epoch_of(date: str) -> int:
    """Midnight UTC of a date, in seconds."""
    return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp())


def copied_licences(sources: Sequence[Source], folder: Path) -> list[str]:
    """Copies the licence texts that came with the sources; their names in SOURCES.yaml."""
    folder.mkdir(exist_ok=True)
    names = [CC_BY] if (folder / CC_BY).exists() else []
    for source in sources:
        for path in source.licences:
            name = path.name
            if source.name == "dbip-country":
                name = name.replace("DBIP-", "DBIP-COUNTRY-")
            shutil.copyfile(path, folder / name)
            (folder / name).chmod(0o644)
            names.append(name)
    return [f"licences/{name}" for name in sorted(set(names))]


def entry_text(sources: Sequence[Source], licences: Sequence[str], digest: str, rows: int) -> str:
    """The entry of SOURCES.yaml for what was built."""
    credits = dict.fromkeys(f"{s.known.credit}." for s in sources if s.known.credit)
    credit = "\n".join(
        f"      {line}" for line in sorted(credits, key=lambda one: "DB-IP (" not in one)
    )
    origin = "\n".join(
        f'      - {{from: "{s.origin}", version: "{s.version}", gives: "{s.known.gives.value}"}}'
        for s in sources
    )
    licence = CC_BY if any(s.known.licence == CC_BY for s in sources) else PDDL
    links = "https://db-ip.com" if any(s.name == "dbip-country" for s in sources) else ""
    named = "\n".join(f"      - {name}" for name in licences)
    return f"""  - file: addresses.mmdb
    name: addresses
    origin:
{origin}
    links: [{links}]
    version: {oldest(sources)[:7]}
    date: "{oldest(sources)}"
    licence: {licence}
    licences:{f"{chr(10)}{named}" if named else " []"}
    attribution: >-
{credit}
    sha256: {digest}
    rows: {rows}
    modifications: >-
      Merged into one MMDB by scripts/build_lists.py; special-purpose ranges removed; overlaps
      flattened, most specific first; country as the operator publishes it, else from geo-whois
      where the AS belongs to a hyperscaler that publishes geofeeds, else from DB-IP; another
      source kept as country_alt where it differs; country_alone where no second one has any;
      an unannounced stretch between two ranges of one AS, in one delegation, given to that AS, and
      so the rest of an IPv6 /32 that has ranges of one AS alone.
"""


def write_entry(path: Path, entry: str) -> None:
    """Puts the entry into SOURCES.yaml, in the place of the one of that file; others stay."""
    text = path.read_text("utf-8") if path.exists() else "lists:\n"
    head, *entries = text.split(SPACE_BETWEEN)
    others = [f"  - file: {rest.strip(chr(10))}\n" for rest in entries]
    kept = [one for one in others if not one.startswith("  - file: addresses.mmdb\n")]
    path.write_text(head.rstrip("\n") + "\n" + "\n".join([entry, *kept]), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
