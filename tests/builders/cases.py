"""Builds what the judge looks at, in few words: `case(contact("203.0.113.9"), asserted="all")`."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from egress_audit.addresses import Scope, scope_of
from egress_audit.judge.assertions import WORDS, assertions_of
from egress_audit.judge.case import Case, Tried
from egress_audit.judge.rules import findings
from egress_audit.judge.verdict import blind_spots, verdict
from egress_audit.model.audit import (
    BlindSpot,
    Direction,
    Kind,
    Match,
    NameUse,
    Observation,
    OwnAddresses,
    Verdict,
)
from egress_audit.model.catalogue import Entry
from egress_audit.model.claim import Allow, Claim, Deny, Require
from egress_audit.model.destination import Absent, Confidence, Destination
from egress_audit.model.flow import NameSource
from egress_audit.model.run import Run
from egress_audit.model.versions import ProductVersion
from egress_audit.product_versions import KnownVersions

from . import audit_parts
from .audit_parts import START_NS as START_NS
from .audit_parts import coverage as coverage
from .audit_parts import interface as interface
from .audit_parts import near as near
from .audits import ADDRESS_LIST as ADDRESS_LIST
from .audits import OFFLINE as OFFLINE
from .audits import SILENCE as SILENCE
from .runs import RECORDED

OUTSIDE, LAN, LOOPBACK = "203.0.113.9", "192.168.1.7", "127.0.0.1"
DAY_NS = 86_400 * 1_000_000_000
ALL = tuple(WORDS)
NOWHERE: Mapping[str, Destination] = {}
NOTHING_TRIED: Mapping[Tried, tuple[Match, ...]] = {}
DENY_NOTHING = Deny()
REQUIRE_THE_USUAL = Require()


def network(text: str) -> IPv4Network | IPv6Network:
    """The prefix as a claim holds it."""
    return ip_network(text)


def place(**changes: Any) -> Destination:
    """A global address of which everything is known: in Sweden, of a Swedish cloud."""
    plain: dict[str, Any] = {
        "scope": Scope.GLOBAL,
        "located": "SE",
        "located_confidence": Confidence.HIGH,
        "located_alt": Absent.NOT_APPLICABLE,
        "registered": "SE",
        "controlled": "SE",
        "asn": 64500,
        "organisation": "Example AB",
        "operator": "Example",
        "role": "cloud",
    }
    return Destination(**(plain | changes))


def contact(far_h: str = OUTSIDE, *names: NameUse, **changes: Any) -> Observation:
    """One TCP flow of ours to an address, which is of the scope the registries say."""
    plain: dict[str, Any] = {
        "far_h": far_h,
        "destination": near(scope_of(far_h)),
        "names": names,
    }
    return audit_parts.observation(**(plain | changes))


def question(host: str = "example.org", *answers: str, **changes: Any) -> Observation:
    """One A question for a name, with the addresses that answered it."""
    places = tuple(near(scope_of(answer)) for answer in answers)
    told = {"answers": answers, "answer_destinations": places}
    return audit_parts.question(1, host, **(told | changes))


def rest(direction: Direction = Direction.OUTBOUND, **scopes: int) -> Observation:
    """The summed row of one direction: `rest(global_=3)` flows by scope."""
    counted = {Scope(word.rstrip("_").replace("_", "-")): count for word, count in scopes.items()}
    return audit_parts.observation(
        kind=Kind.REST,
        far_h=Absent.NOT_APPLICABLE,
        far_p=Absent.NOT_APPLICABLE,
        direction=direction,
        destination=near(Scope.NAME),
        flows=sum(counted.values()),
        rest_scopes=counted,
    )


def named(host: str, *sources: NameSource) -> NameUse:
    """A name known in these ways; by the server name of TLS if none is given."""
    return NameUse(host, sources or (NameSource.TLS_SNI,))


def claim(
    *scopes: Scope,
    everything: bool = False,
    hosts: tuple[str, ...] = (),
    prefixes: tuple[str, ...] = (),
    endpoints: tuple[str, ...] = (),
    deny: Deny = DENY_NOTHING,
    require: Require = REQUIRE_THE_USUAL,
    **changes: Any,
) -> Claim:
    """A claim that allows loopback and the scopes given, or everything."""
    near = frozenset({Scope.LOOPBACK, *scopes})
    allow = Allow(everything, near, hosts, tuple(map(network, prefixes)), endpoints)
    return Claim("test", "It stays.", "", allow=allow, deny=deny, require=require, **changes)


NO_CHINA = claim(
    everything=True, deny=Deny(located=frozenset({"CN"}), controlled=frozenset({"CN"}))
)


def case(
    *rows: Observation,
    claim: Claim = OFFLINE,
    asserted: str | tuple[str, ...] = (),
    own: tuple[str, ...] = ("10.0.0.2/32",),
    own_how: str = "given",
    lists: tuple[Any, ...] = (),
    owners_known: bool = False,
    run: Run | Absent = Absent.NOT_APPLICABLE,
    entries: tuple[Entry, ...] = (),
    timed: tuple[Entry, ...] = (),
    places: Mapping[str, Destination] = NOWHERE,
    versions: tuple[ProductVersion, ...] = (),
    tried: Mapping[Tried, tuple[Match, ...]] = NOTHING_TRIED,
    **ledger: Any,
) -> Case:
    """A case of the rows given, numbered from 1; `ledger` changes the sample coverage.

    run: a recording of our own; then its owners are known, and its ledger is that of a good one.
    entries: of the catalogue, which rows may match; timed: those whose calls come later; places:
    what the lists say of addresses that were tried, or asked of a proxy; tried: what the catalogue
    knows of them; versions: of what ran.
    """
    if not isinstance(run, Absent):
        owners_known, own_how, ledger = True, "recorded", RECORDED | ledger
    return Case(
        claim=claim,
        coverage=coverage(**ledger),
        observations=tuple(replace(row, id=number) for number, row in enumerate(rows, 1)),
        own_addresses=OwnAddresses(own_how, own),
        assertions=assertions_of(
            [asserted] if isinstance(asserted, str) else asserted, evidence=("00" * 32,)
        ),
        lists=lists,
        owners_known=owners_known,
        run=run,
        endpoints={entry.id: entry for entry in entries},
        callers=timed,
        named=places,
        versions=KnownVersions(versions, run),
        tried=tried,
    )


def fired(judged: Case) -> list[str]:
    """The ids of the rules that fire, in order."""
    return [finding.rule for finding in findings(judged)]


def spots(judged: Case) -> dict[str, BlindSpot]:
    """The blind spots that are there, by id."""
    return {spot.id: spot for spot in blind_spots(judged)}


def concluded(judged: Case) -> Verdict:
    """The verdict."""
    return verdict(findings(judged), blind_spots(judged))


def lifted_by(spot_id: str, judged: Case) -> list[str]:
    """The words of which each alone lifts the spot, tried one by one."""
    evidence = ("00" * 32,)
    tried = {
        word: replace(judged, assertions=assertions_of([word], evidence=evidence)) for word in ALL
    }
    return [word for word, with_word in tried.items() if not spots(with_word)[spot_id].material]
