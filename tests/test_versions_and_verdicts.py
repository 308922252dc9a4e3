"""No version, seen or stated, makes a verdict another: it explains, and nothing hangs on it.

That a library was seen at all, in whichever version, shows that the runtime of a claim ran.
"""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.api import audit_capture
from egress_audit.claims import claim_of
from egress_audit.classify.catalogue import Catalogue
from egress_audit.endpoints import recognised
from egress_audit.judge.rules import findings
from egress_audit.model.audit import Audit, Verdict
from egress_audit.model.catalogue import Entry, Purpose
from egress_audit.model.claim import AppliesTo, Claim, Deny
from egress_audit.model.destination import Absent
from egress_audit.model.versions import ProductVersion
from tests.builders.cases import (
    ADDRESS_LIST,
    OUTSIDE,
    case,
    claim,
    concluded,
    contact,
    named,
    question,
    spots,
)
from tests.builders.endpoints import entry
from tests.builders.programs import python
from tests.builders.recorded_runs import place, run_at
from tests.builders.runs import owner, process, ran, run

HOST = "stats.acme.example"
ENTRIES = (
    entry("telemetry", product="acme", versions=">=2", processes=("acme",)),
    entry("updates", "update-check", product="acme", versions="<2"),
    entry("any-updates", "update-check", product="acme"),
    entry("other", "model-download", product="other", versions="<5"),
    entry("other-telemetry", product="other", versions=">=5", first_ns=3_600_000_000_000),
    entry("label", product="acme", versions="<1", labels_only=True),
)
SOME = tuple(some for count in (1, 2, 3) for some in combinations(ENTRIES, count))
CLAIMS: tuple[Claim, ...] = (
    claim_of("offline"),
    claim_of("no-telemetry"),
    claim_of("updates-allowed"),
    claim(endpoints=("product:acme",)),
    claim(endpoints=("purpose:update-check",)),
    claim(endpoints=("updates", "other"), applies_to=AppliesTo(runtimes=("acme", "other"))),
    claim(everything=True, deny=Deny(purposes=frozenset({Purpose.TELEMETRY}))),
)
VERSIONS = tuple(
    ran(product, version, how)
    for product in ("acme", "other")
    for version in ("0.5", "1.5", "2.5", "9", "main")
    for how in ("mapped", "opened", "stated")
)
PROGRAMS = ("/usr/bin/python3", "/opt/acme", "/opt/stranger")

Judged = tuple[Verdict, tuple[object, ...], frozenset[str]]


def judged(
    entries: tuple[Entry, ...], held: Claim, exe: str, versions: tuple[ProductVersion, ...]
) -> Judged:
    """The verdict, what was found, and what is in the way of HOLDS."""
    sender = owner(exe=exe, cmdline=exe)
    rows = (
        question(HOST, OUTSIDE, owner=sender),
        contact(OUTSIDE, named(HOST), owner=sender),
    )
    recorded = run(processes=(process(exe=exe, cmdline=exe),))
    known = recognised(
        rows, held, recorded, lambda: Catalogue.of(entries, (ADDRESS_LIST,)), versions
    )
    made = case(
        *known.observations,
        claim=held,
        run=recorded,
        entries=tuple(known.entries.values()),
        timed=known.callers,
        versions=versions,
    )
    found = tuple((one.rule, one.message, one.observations) for one in findings(made))
    in_the_way = frozenset(name for name, spot in spots(made).items() if spot.material)
    return concluded(made), found, in_the_way


@settings(max_examples=400)
@given(
    st.sampled_from(SOME),
    st.sampled_from(CLAIMS),
    st.sampled_from(PROGRAMS),
    st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=3),
)
def test_a_version_changes_no_verdict(
    entries: tuple[Entry, ...], held: Claim, exe: str, versions: list[ProductVersion]
) -> None:
    seen = tuple(replace(one, version=Absent.NOT_FOUND) for one in versions if one.how.is_seen)
    assert judged(entries, held, exe, tuple(versions)) == judged(entries, held, exe, seen)


@given(st.sampled_from(SOME), st.sampled_from(CLAIMS), st.sampled_from(PROGRAMS))
def test_that_a_library_was_seen_changes_only_whether_the_runtime_was(
    entries: tuple[Entry, ...], held: Claim, exe: str
) -> None:
    (_, found, way), (_, found_seen, way_seen) = (
        judged(entries, held, exe, versions) for versions in ((), (ran("acme", "1.5"),))
    )
    assert found == found_seen
    assert way - way_seen <= {"runtime-unseen"} and way_seen <= way


@pytest.mark.parametrize("how", ["mapped", "opened", "stated"])
def test_updates_are_not_allowed_because_a_version_leaves_the_telemetry_out(how: str) -> None:
    entries = (ENTRIES[0], ENTRIES[2])
    allowed = claim(endpoints=("purpose:update-check",))
    verdict, found, _ = judged(entries, allowed, "/usr/bin/python3", (ran("acme", "1.5", how),))
    assert verdict is Verdict.VIOLATED and found


def test_a_denied_purpose_is_found_in_versions_that_nobody_has_looked_at() -> None:
    old = (ran("acme", "1.5"),)
    denied = CLAIMS[-1]
    assert judged(ENTRIES[:1], denied, "/usr/bin/python3", old)[0] is Verdict.VIOLATED


# In a sandbox

OLD_RUNTIME = "gradio-3.50.dist-info"
IMPORTS = 'sys.path.insert(0, "site-packages")\nimport gradio\n'


def told_of(source: str) -> Audit:
    """The audit of a real run of a program beside which an old gradio is installed."""
    where = place()
    packages = where.work / "site-packages"
    (packages / "gradio").mkdir(parents=True)
    (packages / "gradio" / "__init__.py").write_text("")
    (packages / OLD_RUNTIME).mkdir()
    (packages / OLD_RUNTIME / "METADATA").write_text("Name: gradio\nVersion: 3.50\n")
    seen = run_at(where, python(source))
    return audit_capture(str(seen.place.bundle), "gradio").audit


@pytest.mark.opens_sockets
def test_a_runtime_that_a_program_loaded_is_told_and_was_seen() -> None:
    audit = told_of(IMPORTS)
    assert audit.verdict is Verdict.HOLDS
    assert [(one.product, one.version) for one in audit.versions] == [("gradio", "3.50")]
    assert "runtime-unseen" not in [spot.id for spot in audit.blind_spots]


@pytest.mark.opens_sockets
def test_one_that_it_did_not_load_is_not_known_to_have_run() -> None:
    audit = told_of("")
    assert audit.versions == ()
    assert "runtime-unseen" in [spot.id for spot in audit.blind_spots if spot.material]
    assert audit.verdict is Verdict.INCONCLUSIVE
