"""Blind spots of a run of ours: its rung, its time, its network, what it opened and left."""

from egress_audit.addresses import Scope
from egress_audit.judge.attempts import packetless_attempts, unseen_attempts
from egress_audit.judge.blind_spots import Spot, always, never, some
from egress_audit.judge.case import Case
from egress_audit.judge.permission import address_allowed, is_own_name, name_allowed
from egress_audit.judge.phases import is_unmet
from egress_audit.model.destination import Absent
from egress_audit.model.run import Network, Role, Run
from egress_audit.periods import SECOND_NS

NONE = Absent.NOT_APPLICABLE


def _run(case: Case) -> Run | None:
    return None if isinstance(case.run, Absent) else case.run


def _partial(case: Case) -> int | None:
    run = _run(case)
    return None if run is None or run.rung.sees_all else 0


def _which_rung(case: Case) -> str:
    run = _run(case)
    return "" if run is None else run.rung.value


def _short(case: Case) -> int | None:
    """Met by its time, or by the end of the whole tree."""
    run, wanted = _run(case), case.claim.require.observe_ns
    if run is None or run.observed_ns >= wanted:
        return None
    ended = run.ended_by == "tree" and not isinstance(run.tree_ended_ns, Absent)
    return None if ended else 0


def _how_short(case: Case) -> str:
    run = _run(case)
    if run is None:
        return ""
    wanted = case.claim.require.observe_ns
    by_user = "; the user ended it" if run.ended_by == "interrupted" else ""
    return f"{_seconds(run.observed_ns)} of {_seconds(wanted)} s{by_user}"


def _seconds(length_ns: int) -> str:
    whole, rest = divmod(length_ns, SECOND_NS)
    return f"{whole}.{rest * 10 // SECOND_NS}" if rest else str(whole)


def _answered_here(case: Case) -> int | None:
    """Contacts and questions that the claim allows, and that no server of the world answered."""
    return len(_allowed_beyond(case)) or None


def _allowed_beyond(case: Case) -> list[str]:
    """The names and addresses beyond the machine that are allowed, and were refused or answered by
    ourselves. Our own resolver is none: what it was asked for is."""
    run = _run(case)
    if run is None or run.network is Network.OPEN:
        return []
    found: dict[str, None] = {}
    for seen in case.questions():
        host = seen.names[0].host
        if name_allowed(host, case.claim.allow, case.granted(seen)) and not (
            is_own_name(host) or case.is_own_name(host)
        ):
            found[host] = None
    for seen in case.contacts():
        at_home = seen.destination.scope is Scope.LOOPBACK
        if at_home or case.is_link_maintenance(seen) or case.is_own_resolver(seen):
            continue
        if address_allowed(seen, case.claim, case.granted(seen)):
            found[seen.names[0].host if seen.names else str(seen.far_h)] = None
    forbidden = {address for _, address in unseen_attempts(case)}
    tried = {address for _, address in packetless_attempts(case)} - forbidden
    named = sorted(map(str, tried))
    found |= dict.fromkeys(text for text in named if text not in run.our_resolvers)
    return list(found)


def _which_answered(case: Case) -> str:
    return some(_allowed_beyond(case))


def _places_simulated(case: Case) -> int | None:
    run = _run(case)
    if run is None or run.network is Network.OPEN:
        return None
    return 0 if case.claim.uses_lists else None


def _unmet(case: Case) -> int | None:
    run = _run(case)
    return None if run is None else sum(map(is_unmet, run.phases)) or None


def _which_unmet(case: Case) -> str:
    run = _run(case)
    words = {"ready": "--ready was never answered", "exercise": "--exercise did not do as expected"}
    return "" if run is None else some(words[p.proof] for p in run.phases if is_unmet(p))


def _exerciser(case: Case) -> int | None:
    return len(_exercised_beyond(case)) or None


def _exercised_beyond(case: Case) -> list[str]:
    """Where the exerciser went by itself, off the machine."""
    found: dict[str, None] = {}
    for seen in case.observations if _run(case) else ():
        if isinstance(seen.owner, Absent) or seen.owner.role is not Role.EXERCISER:
            continue
        own = seen.names and case.is_own_name(seen.names[0].host)
        at_home = seen.destination.scope is Scope.LOOPBACK or case.is_link_maintenance(seen)
        if not (own or at_home or case.is_own_resolver(seen)):
            found[seen.names[0].host if seen.names else str(seen.far_h)] = None
    return list(found)


def _where_exerciser(case: Case) -> str:
    return some(_exercised_beyond(case))


def _stamps(case: Case) -> int | None:
    run = _run(case)
    return None if run is None else sum(not stamp.hidden for stamp in run.stamps) or None


def _which_stamps(case: Case) -> str:
    run = _run(case)
    return "" if run is None else some(s.product for s in run.stamps if not s.hidden)


def _no_model(case: Case) -> int | None:
    run = _run(case)
    wanted = bool(case.claim.applies_to.models)
    return 0 if run is not None and wanted and not run.model_files else None


def _written(case: Case) -> int | None:
    run = _run(case)
    return None if run is None else len(run.written_files) + run.written_beyond or None


def _devices(case: Case) -> int | None:
    run = _run(case)
    return None if run is None else len(run.cannot_see) or None


SPOTS_OF_SANDBOX: tuple[Spot, ...] = (
    Spot(
        "rung-partial",
        "A recording that sees half",
        "the recording stood on a rung that does not see both packets and system calls ({what})",
        "a rung that sees both (tun, veth)",
        NONE,
        "every claim",
        "`egress-audit doctor` says how to get the next rung",
        _partial,
        always,
        _which_rung,
    ),
    Spot(
        "observation-short",
        "Watched too shortly",
        "the program was watched for a shorter time than the claim requires ({what}), and had not "
        "ended by itself",
        "the time that is required, or the end of the whole process tree",
        NONE,
        "claims that require a time of observation",
        "watch longer with --observe",
        _short,
        always,
        _how_short,
    ),
    Spot(
        "contact-answered-here",
        "Contacts that met no real server",
        "destinations that the claim allows, and that were refused or answered by ourselves; what "
        "would have followed was not seen: {count} ({what})",
        "a run on the real network, or no such contact",
        NONE,
        "claims that allow something off the machine, where it was contacted",
        "run with --network open",
        _answered_here,
        always,
        _which_answered,
    ),
    Spot(
        "exercise-failed",
        "It could not be used as asked",
        "the program could not be used as it was asked to be ({what}), so what it does when it "
        "works was not seen",
        "an exercise that ends with 0 and prints what is expected",
        NONE,
        "every claim about a run in which a use was asked for",
        "see what the exercise printed; then run again",
        _unmet,
        always,
        _which_unmet,
    ),
    Spot(
        "exerciser-went-out",
        "The exerciser went out",
        "the command that exercised the program wanted off the machine itself; it is not the "
        "program, but an answer or a file of the program may have sent it there: {count} ({what})",
        "an exerciser that talks to the program alone",
        NONE,
        "every claim",
        "exercise with a command that contacts nothing but the program",
        _exerciser,
        always,
        _where_exerciser,
    ),
    Spot(
        "places-simulated",
        "Places that were invented",
        "names were answered with invented addresses, or with none, so nothing is known of places "
        "and operators",
        "a run on the real network",
        NONE,
        "claims that allow or deny by place or operator",
        "run with --network open",
        _places_simulated,
        always,
    ),
    Spot(
        "stamps-fresh",
        "A product that had called home before",
        "stamps of a recent call home that the program could see, and may have been silent for: "
        "{count} ({what})",
        "stamps that are hidden, or older than their period",
        NONE,
        "every claim",
        "run with --home overlay or --home fresh",
        _stamps,
        always,
        _which_stamps,
    ),
    Spot(
        "model-not-opened",
        "No model was opened",
        "the claim speaks of models, and the program opened no model file",
        "a model file that was opened or mapped",
        NONE,
        "claims that name models",
        "give the program its model, and use it with --exercise",
        _no_model,
        always,
    ),
    Spot(
        "files-written",
        "Files that were left",
        "files that the run wrote or changed (a queue of telemetry on disk is egress deferred): "
        "{count}",
        "no file written",
        NONE,
        "no claim about this run",
        "look at what they hold; they are listed",
        _written,
        never,
    ),
    Spot(
        "devices",
        "What no recording of this kind sees",
        "limits of this recording, which are listed: {count}",
        "a machine without them",
        NONE,
        "no claim by itself",
        "see the list; run where there is no such device",
        _devices,
        never,
    ),
)
