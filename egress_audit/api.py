"""The few public functions and types: what the command line and other programs call."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from egress_audit.audit import Asserted, audited
from egress_audit.audited import Audited
from egress_audit.capture.live_stream import Ending
from egress_audit.claims import (
    catalogue_with,
    claim_of,
    packaged_profiles,
    profile_of,
    weaknesses_of,
)
from egress_audit.classify.catalogue_files import packaged_catalogue
from egress_audit.classify.destination import Classifier, embedded_classifier
from egress_audit.endpoints import ReadCatalogue
from egress_audit.errors import EgressAuditError
from egress_audit.listening import USUAL_BOUNDS, Bounds
from egress_audit.model.audit import Audit, Verdict
from egress_audit.model.claim import Claim
from egress_audit.model.destination import Absent
from egress_audit.opening import Evidence, Prefixes, Watch, evidence_at

if TYPE_CHECKING:
    from egress_audit.keeping.lookup import LookedUp, lookup_addresses
    from egress_audit.model.whois import WhoIs
    from egress_audit.record.plan import RunPlan
    from egress_audit.record.progress import Status
    from egress_audit.single_frames import ExplainedFrame, cited_frames, explain_frames

__all__ = [
    "Asserted",
    "Audit",
    "Audited",
    "Bounds",
    "EgressAuditError",
    "Ending",
    "ExplainedFrame",
    "LookedUp",
    "Verdict",
    "audit_capture",
    "audit_merged",
    "audit_run",
    "catalogue_with",
    "cited_frames",
    "claim_of",
    "draft_profile",
    "explain_frames",
    "look_up",
    "lookup_addresses",
    "packaged_profiles",
    "profile_of",
    "weaknesses_of",
]

_LATER = {
    "ExplainedFrame": "egress_audit.single_frames",
    "LookedUp": "egress_audit.keeping.lookup",
    "cited_frames": "egress_audit.single_frames",
    "explain_frames": "egress_audit.single_frames",
    "lookup_addresses": "egress_audit.keeping.lookup",
}
"""Names that no audit needs, imported on first use, and their modules."""


def __getattr__(name: str) -> object:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def audit_capture(
    path: str,
    profile: str | Claim = "offline",
    *,
    local: Prefixes = (),
    asserted: Asserted = Asserted(),
    bounds: Bounds = USUAL_BOUNDS,
    classifier: Classifier | None = None,
    catalogue: ReadCatalogue = packaged_catalogue,
    ending: Ending | None = None,
    watch: Watch | None = None,
    hashed: bool = True,
) -> Audited:
    """Judges one capture (`-` is standard input) or bundle against a profile, by name or path.

    local: addresses of the audited host; asserted: what a person states about the capture; bounds:
    how much is kept of it; classifier: None for the lists that come with the program; catalogue:
    gives that of endpoints, as `catalogue_with` has it; ending: ends the reading of standard input
    before that ends itself; watch: told how far the reading is; hashed: False leaves out the
    sha256 of the capture, to which assertions are bound: there can be none then, and no bundle.
    Raises EgressAuditError if no audit can be made. Opens no socket and resolves no name.
    """
    _refuse_unbound(asserted, hashed)
    claim = claim_of(profile, catalogue)
    evidence = evidence_at((path,), local, ending=ending, watch=watch, hashed=hashed)
    return _audited(evidence, claim, local, asserted, bounds, classifier, catalogue)


def audit_merged(
    paths: Sequence[str],
    profile: str | Claim = "offline",
    *,
    local: Prefixes = (),
    asserted: Asserted = Asserted(),
    bounds: Bounds = USUAL_BOUNDS,
    classifier: Classifier | None = None,
    catalogue: ReadCatalogue = packaged_catalogue,
    watch: Watch | None = None,
    hashed: bool = True,
) -> Audited:
    """Judges several captures as one, in time order: rotated files, or one host's interfaces.

    Frames are numbered as `mergecap` would; the rest is as `audit_capture` has it.
    """
    _refuse_unbound(asserted, hashed)
    claim = claim_of(profile, catalogue)
    evidence = evidence_at(paths, local, watch=watch, hashed=hashed)
    return _audited(evidence, claim, local, asserted, bounds, classifier, catalogue)


def draft_profile(
    path: str,
    name: str = "",
    *,
    local: Prefixes = (),
    classifier: Classifier | None = None,
    catalogue: ReadCatalogue = packaged_catalogue,
    known_only: bool = False,
) -> str:
    """A profile file that allows what one capture or bundle shows, with its reasons as comments.

    name: of the profile, '' for one made of the file's; known_only: what no list knows who it
    belongs to is commented out, and contradicts the claim then; the rest, and what is raised, as
    `audit_capture` has it, and WrongUsage for a name that no profile can have.
    """
    # Not above: no audit needs it, and a report is otherwise none of our business.
    from egress_audit.judge.drafting import draft_name, draft_name_of, drafted
    from egress_audit.report.draft_text import draft_text, origin_of

    called = draft_name(name)
    result = audit_capture(path, local=local, classifier=classifier, catalogue=catalogue)
    called = called or draft_name_of(result.name)
    origin = origin_of(result.name, result.audit)
    return draft_text(drafted(result.case), called, origin, known_only=known_only)


def classifier_with(lists: Sequence[str] = ()) -> Classifier:
    """The lists that come with the program, and before them MMDB files of the user's.

    Raises ListUnreadable for one that cannot be used.
    """
    return embedded_classifier([Path(path) for path in lists])


def _refuse_unbound(asserted: Asserted, hashed: bool) -> None:
    """Raises WrongUsage for assertions that cannot be bound, before anything is read."""
    asserted.bound_to(() if hashed else (Absent.NOT_ASKED,))


def _audited(
    evidence: Evidence,
    claim: Claim,
    local: Prefixes,
    asserted: Asserted,
    bounds: Bounds,
    classifier: Classifier | None,
    catalogue: ReadCatalogue,
) -> Audited:
    if classifier is None:
        classifier = embedded_classifier()
    result = audited(
        evidence.source,
        claim,
        classifier,
        catalogue=catalogue,
        account=evidence.account,
        seal=evidence.seal,
        local=local,
        asserted=asserted,
        bounds=bounds,
    )
    return replace(result, name=evidence.name)


def audit_run(
    plan: "RunPlan",
    bundle: str | Path,
    profile: str | Claim = "offline",
    *,
    catalogue: ReadCatalogue = packaged_catalogue,
    asserted: Asserted = Asserted(),
    on_tick: "Callable[[Status], None]" = lambda status: None,
    on_output: Callable[[bytes], None] = lambda part: None,
) -> Audited:
    """Runs a program in a sandbox and judges the bundle it leaves, as `audit_capture` would.

    bundle: a folder that is not there yet; catalogue, asserted: as of `audit_capture`; on_tick,
    on_output: called in the recorder's process, with how far it is and what the exerciser prints.
    Linux only. Raises EgressAuditError if there is no run or audit; of a wrong profile at once.
    """
    claim = claim_of(profile, catalogue)
    from egress_audit.record.run import record  # not above: other systems have no such thing

    record(plan, bundle, on_tick=on_tick, on_output=on_output)
    place = str(Path(bundle).absolute())
    return audit_capture(place, claim, asserted=asserted, catalogue=catalogue)


def look_up(what: str, *, catalogue: Sequence[str] = (), lists: Sequence[str] = ()) -> "WhoIs":
    """What the lists know of a host, an address or an AS number.

    catalogue: YAML files or folders of the user's, lists: MMDB files, both beside those that come
    with the program. Raises WrongUsage for a text that is none of them, CatalogueInvalid and
    ListUnreadable for a file that cannot be used. Opens no socket and resolves no name.
    """
    from egress_audit.classify.whois import who_is  # not above: no audit needs it

    return who_is(what, catalogue_with(catalogue)(), classifier_with(lists))
