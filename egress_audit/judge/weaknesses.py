"""What makes a claim weak: nothing of it is wrong, but its HOLDS says less than a reader takes."""

from collections.abc import Iterator

from egress_audit.addresses import Scope
from egress_audit.model.catalogue import Purpose
from egress_audit.model.claim import Allow, Claim, Deny
from egress_audit.model.profile import Profile, Weakness

SHORTEST_PREFIX = {4: 8, 6: 16}
"""By IP version: no operator holds more in one piece, so that a shorter prefix names nobody."""

OPEN_ENDED = frozenset({f"purpose:{Purpose.TUNNEL}"})
"""Words of `allow.endpoints` that allow a way to anywhere."""

Said = tuple[str, str, str]
"""Key that it is about, what is weak, remedy."""


def weaknesses(profile: Profile) -> tuple[Weakness, ...]:
    """What is weak about a profile, each with the line of the key that it is about."""
    claim = profile.claim
    of_claim = (*_of_evidence(claim), *_of_allowed(claim), *_of_names(claim), *_of_words(claim))
    found = (*of_claim, *_of_descent(profile))
    return tuple(Weakness(_place(profile, key), what, remedy) for key, what, remedy in found)


def _place(profile: Profile, key: str) -> str:
    setting = profile.settings.get(key)
    return profile.path if setting is None else setting.where


def _of_evidence(claim: Claim) -> Iterator[Said]:
    """What need not have been shown before silence counts."""
    require = claim.require
    if not require.phases:
        what = "no phase is required: a program that did nothing at all would pass"
        yield "require.phases", what, "require: {phases: [run]}, or [run, generate]"
    if not require.observe_ns:
        what = "no time of watching is required: what calls after a minute would not show"
        yield "require.observe", what, "require: {observe: 60s}, or longer than known timers"
    if not require.whole_run:
        what = "recording need not cover the run from start to end"
        yield "require.whole_run", what, "leave it out: it is true then"
    if not require.probes:
        what = "no probe packet need show that recording worked"
        yield "require.probes", what, "leave it out: it is true then"


def _of_allowed(claim: Claim) -> Iterator[Said]:
    """What lets more through than it seems to."""
    allow = claim.allow
    if allow.everything and claim.deny == Deny():
        what = "everything is allowed and nothing is denied: no capture could contradict this"
        yield "allow.scopes", what, "say what `deny` is for, or allow less"
    if Scope.GLOBAL in allow.scopes and (allow.hosts or allow.prefixes):
        what = "`global` allows the whole internet, whatever hosts and prefixes are listed"
        yield "allow.scopes", what, "leave `global` out"
    for prefix in allow.prefixes:
        if prefix.prefixlen < SHORTEST_PREFIX[prefix.version]:
            what = f"`{prefix}` is more than any one operator holds"
            yield "allow.prefixes", what, "list the networks that are meant"
    for word in OPEN_ENDED.intersection(allow.endpoints):
        what = f"`{word}` allows places that pass on whatever they are sent"
        yield "allow.endpoints", what, "name the entry that is meant"
    if claim.inbound == "allow":
        what = "what comes from outside is answered and nobody is told"
        yield "inbound", what, "`inbound: report` lists it without a contradiction"


def _of_names(claim: Claim) -> Iterator[Said]:
    """A host counts by the answer of a resolver, which has an address of its own."""
    if (claim.allow.hosts or claim.allow.endpoints) and not _reaches_resolver(claim.allow):
        key = "allow.hosts" if claim.allow.hosts else "allow.endpoints"
        what = (
            "hosts are allowed and no resolver is: but for a sandbox of ours, where there is one, "
            "asking for them contradicts the claim"
        )
        yield key, what, "add the resolver's address to `prefixes`, or `lan` to `scopes`"


def _reaches_resolver(allow: Allow) -> bool:
    """True if something beside hosts is allowed off the machine, which a resolver could be."""
    return allow.any_name or bool(allow.prefixes or allow.scopes - {Scope.LOOPBACK})


def _of_words(claim: Claim) -> Iterator[Said]:
    """What a reader of the verdict would not be told."""
    if not claim.source:
        yield "source", "nothing says where the sentence stands", "source: title, date"
    if not claim.holds_means:
        yield "holds_means", "nothing says what HOLDS would mean", "holds_means: in plain words"
    if not claim.holds_does_not_mean:
        what = "nothing says what HOLDS would leave open"
        yield "holds_does_not_mean", what, "holds_does_not_mean: in plain words"


def _of_descent(profile: Profile) -> Iterator[Said]:
    """Words that were taken over, and speak of what another file allows and denies."""
    own = f"{profile.path}:"
    here = {key for key, setting in profile.settings.items() if setting.where.startswith(own)}
    changed = [
        key for key in profile.settings if key.startswith(("allow.", "deny.")) and key in here
    ]
    for word in ("statement", "holds_means"):
        if changed and word in profile.settings.keys() - here:
            where = profile.settings[word].where
            what = f"`{word}` was written of what another file allows and denies ({where})"
            yield changed[0], what, f"write a `{word}` of its own"
