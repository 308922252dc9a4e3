"""Blind spots of the catalogue: purposes and vendors that it leaves open, tunnels that it knows,
and callers that come later."""

from itertools import chain

from egress_audit.judge.blind_spots import Spot, always, count_of, some
from egress_audit.judge.case import Case
from egress_audit.judge.explanations import explanations, explanations_of
from egress_audit.judge.phrases import either
from egress_audit.judge.purposes import (
    is_known_by_domain,
    purposes_open,
    undecided_matches,
    unknown_purposes,
)
from egress_audit.judge.timers import is_named, late_callers, outlived, told_late
from egress_audit.judge.tunnels import tunnels_entered
from egress_audit.judge.vendors import vendors_in_doubt
from egress_audit.model.audit import Match
from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent

NONE = Absent.NOT_APPLICABLE


def _which_undecided(case: Case) -> str:
    """`huggingface.co: one of model-download or telemetry`."""
    told = []
    for name, match in undecided_matches(case).items():
        purposes = either(sorted(purposes_open(case, match)))
        told.append(f"{name} (one of {purposes})")
    return some(told)


def _explained_undecided(case: Case) -> tuple[str, ...]:
    return explanations(case, undecided_matches(case).values())


def _which_unknown(case: Case) -> str:
    matches = _matches(case)
    return some(
        place + (_versions(entries) or _doubt(case, matches.get(place)))
        for place, entries in unknown_purposes(case).items()
    )


def _explained_unknown(case: Case) -> tuple[str, ...]:
    """Of what other versions, or general knowledge, say of them."""
    unknown, matches = unknown_purposes(case), _matches(case)
    return explanations(case, (matches[place] for place in unknown if place in matches))


def _matches(case: Case) -> dict[str, Match]:
    """What each name or address may be, by name or address."""
    seen = (match for row in case.of_program for match in row.endpoints)
    tried = (match for matches in case.tried.values() for match in matches)
    return {match.by: match for match in chain(seen, tried)}


def _which_in_doubt(case: Case) -> str:
    """`hm.baidu.com: Baidu (CN)`."""
    told = []
    for name, match in vendors_in_doubt(case).items():
        vendors = either(sorted({entry.vendor_and_law for entry in case.fitting(match)}))
        told.append(f"{name}: {vendors}")
    return some(told)


def _explained_in_doubt(case: Case) -> tuple[str, ...]:
    return explanations(case, vendors_in_doubt(case).values())


def _which_tunnels(case: Case) -> str:
    return some(sorted(tunnels_entered(case)))


def _explained_tunnels(case: Case) -> tuple[str, ...]:
    return explanations(case, tunnels_entered(case).values())


def _versions(entries: list[Entry]) -> str:
    """` (known of Ollama server >=0.30 only)`; '' where no entry fits."""
    known = either(f"{entry.product} {entry.versions}" for entry in entries)
    return f" (known of {known} only)" if known else ""


def _doubt(case: Case, match: Match | None) -> str:
    """` (perhaps telemetry)` by what labels it; ` (known by its domain alone)`."""
    if match is None:
        return ""
    perhaps = purposes_open(case, match) & case.claim.deny.purposes
    if perhaps:
        return f" (perhaps {either(sorted(perhaps))})"
    return " (known by its domain alone)" if is_known_by_domain(case, match) else ""


def _cut_off(case: Case) -> list[Entry]:
    return [] if outlived(case) else late_callers(case)


def _after_end(case: Case) -> list[Entry]:
    return late_callers(case) if outlived(case) else []


def _which_late(case: Case) -> str:
    return some(told_late(case, entry) for entry in late_callers(case))


def _explained_late(case: Case) -> tuple[str, ...]:
    return explanations_of(late_callers(case))


def _late_matters(case: Case) -> bool:
    """Who is only known to run beside the claim's subject is listed."""
    return any(is_named(entry, case.claim) for entry in late_callers(case))


SPOTS_OF_ENDPOINTS: tuple[Spot, ...] = (
    Spot(
        "purpose-undecided",
        "Which of several purposes",
        "names and addresses of which some callers have a denied purpose and some have not: "
        "{count} ({what})",
        "an entry of the catalogue that fits alone",
        NONE,
        "claims that deny purposes",
        "keep the program from calling them at all, or deny all that they are for",
        count_of(undecided_matches),
        always,
        _which_undecided,
        explains=_explained_undecided,
    ),
    Spot(
        "purpose-unknown",
        "What a destination is for",
        "names and addresses of which the catalogue does not say what they are for: {count} "
        "({what})",
        "an entry of the catalogue, and a DNS answer for the address",
        NONE,
        "claims that deny purposes and allow any destination",
        "allow them by name or address, or give the entries with --catalogue",
        count_of(unknown_purposes),
        always,
        _which_unknown,
        explains=_explained_unknown,
    ),
    Spot(
        "vendor-undecided",
        "Whose law a vendor is under",
        "names and addresses of which some vendor, or one known by general knowledge alone, is "
        "under a jurisdiction that the claim forbids: {count} ({what})",
        "an entry of the catalogue that fits alone, and does not merely label",
        NONE,
        "claims that allow or deny by control",
        "find out who is there (`egress-audit whois NAME`); keep the program from calling it, or "
        "deny it by name",
        count_of(vendors_in_doubt),
        always,
        _which_in_doubt,
        explains=_explained_in_doubt,
    ),
    Spot(
        "tunnel-entered",
        "Who is behind a tunnel",
        "contacts with what is known to be called for tunnels, through which anybody can be "
        "reached: {count} ({what})",
        "no contact with one",
        NONE,
        "claims that deny by host or prefix, or allow or deny by place or operator, and do not "
        "allow it by host, prefix or endpoint",
        "keep the program from calling it; record behind the tunnel's end",
        count_of(tunnels_entered),
        always,
        _which_tunnels,
        explains=_explained_tunnels,
    ),
    Spot(
        "callers-later",
        "Calls that come later",
        "callers known to begin later than was watched, or to come more seldom where the start was "
        "not watched, which need not have shown: {count} ({what})",
        "a recording that lasts longer than they wait; of those that call at the start, one from "
        "there on",
        "whole-run",
        "claims that name the runtime they belong to; else listed",
        "watch for longer than that, or switch them off",
        count_of(_cut_off),
        _late_matters,
        _which_late,
        explains=_explained_late,
    ),
    Spot(
        "callers-after-end",
        "Calls due after the program's end",
        "callers known to begin later than the program lived; none of them could come in this run, "
        "and in a longer one they would: {count} ({what})",
        "a run that lasts longer than they wait",
        NONE,
        "claims that name the runtime they belong to, in a run whose processes all ended by "
        "themselves; else listed",
        "keep the program at work for longer than that, or switch them off",
        count_of(_after_end),
        _late_matters,
        _which_late,
        explains=_explained_late,
    ),
)
