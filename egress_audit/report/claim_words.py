"""A claim in words: what it allows and denies, what it needs, and what HOLDS would mean and not."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network

from egress_audit.addresses import Scope
from egress_audit.model.claim import Claim, Question, Require
from egress_audit.model.profile import Profile, ProfileKind
from egress_audit.report.answers import CANNOT
from egress_audit.report.plain import network_text
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import duration_text, listed

KIND_WORDS: Mapping[ProfileKind, str] = {
    ProfileKind.SYSTEM: "what is said of a model, a service or a runtime",
    ProfileKind.POLICY: "what somebody may want of any program",
    ProfileKind.MEASURE: "what a government asks for, put as a rule",
}

ANY = "any"
BESIDE_ANY: Mapping[str, str] = {
    ANY: "everything that is not denied",
    Scope.METADATA_SERVICE: "also a cloud's service about the machine itself",
}
"""Of the two words that can stand together, where they do."""

SCOPE_MEANINGS: Mapping[str, str] = {
    ANY: "everything that is not denied, but for a cloud's metadata service",
    "loopback": "the machine itself",
    "lan": "private networks (RFC 1918, unique local IPv6)",
    "link-local": "the link, which no router passes on",
    "multicast": "groups of receivers",
    "broadcast": "everybody on the link",
    "cgnat": "a provider's network (100.64.0.0/10)",
    "benchmark": "the range for benchmarks (198.18.0.0/15)",
    "documentation": "the ranges for examples (192.0.2.0/24 and others)",
    "metadata-service": "a cloud's service about the machine itself",
    "reserved": "ranges that are reserved",
    "unspecified": "the address that stands for none",
    "global": "the whole rest of the internet",
}
"""Every word of `allow.scopes`; a test holds it to the schema."""

KEY_MEANINGS: Mapping[str, str] = {
    "allow.hosts": "a host counts if a DNS answer in the same evidence leads to the address, and "
    "no other name was used there",
    "allow.prefixes": "addresses in these networks, whatever they are called",
    "allow.endpoints": "entries of the catalogue; as with hosts, a DNS answer must lead there",
    "allow.located": "countries in one of which a far address has to be; an unknown place is never "
    "a yes",
    "allow.controlled": "countries under one of whose law an operator's parent has to be; unknown "
    "is never a yes",
    "allow.operators": "operators of which one has to run the far address",
    "deny.located": "countries in which no far address may be; an unknown place is never a no",
    "deny.controlled": "countries under whose law no operator's parent may be; unknown is never a "
    "no",
    "deny.categories": "kinds of operators",
    "deny.operators": "operators of which none may run the far address; unknown is never a no",
    "deny.hosts": "any mention of such a name suffices; `egress-audit whois HOST` tells what is "
    "known of it",
    "deny.prefixes": "addresses in these networks, and names that lead there",
    "deny.purposes": "what a destination may not be called for, as the catalogue knows it",
}
"""What the lists of a profile mean; a test holds it to the schema."""

PHASE_MEANINGS: Mapping[str, str] = {
    "run": "its command ended with 0, or was alive at the end",
    "load": "it had loaded what it works with",
    "generate": "an exercise gave what was expected of it",
}
"""Phases that the judge knows; the others are words of the profile's own."""

INBOUND_MEANINGS: Mapping[str, str] = {
    "allow": "what comes from outside may be answered",
    "report": "what comes from outside and is answered is listed, and contradicts nothing",
    "deny": "what comes from outside and is answered contradicts the claim",
}

ALWAYS = (
    "as every claim: nothing lost, every frame understood, every sender known; see "
    "docs/blind-spots.md"
)

STRANGERS = "not in the catalogue"
"""Who is at hosts that it does not know."""
NO_VENDORS: Mapping[str, str] = {}

AT_ONCE = 12
"""Values in one paragraph, which has a bound of its own."""


def claim_sections(
    profile: Profile, vendors: Mapping[str, str] = NO_VENDORS
) -> tuple[Section, ...]:
    """Everything that a profile says, after what it extends was put in.

    vendors: who is at each of its hosts, by which they are told, if some are known.
    """
    claim = profile.claim
    return (
        Section("Claim", tuple(_claim_entries(profile))),
        Section(
            "Allowed", tuple(_allowed(profile, vendors)), "anything else contradicts the claim"
        ),
        Section("Denied", tuple(_listed(profile, "deny", vendors)), "whatever is allowed")
        if any(key.startswith("deny.") for key in profile.settings)
        else Section("Denied", (Entry("nothing", ("beyond what is not allowed",)),)),
        Section("Needed for HOLDS", tuple(needs(claim))),
        Section("What HOLDS would mean", tuple(_meanings(claim))),
        *_asked(claim),
    )


def _claim_entries(profile: Profile) -> Iterator[Entry]:
    claim = profile.claim
    yield Entry("Sentence", (f"“{claim.statement}”",))
    yield Entry("Source", (claim.source or "not stated",))
    yield Entry("Kind", (f"{profile.kind}: {KIND_WORDS[profile.kind]}",))
    if claim.applies_to.models:
        yield Entry("Models", _paragraphs(claim.applies_to.models))
    if claim.applies_to.runtimes:
        yield Entry("Runtimes", _paragraphs(claim.applies_to.runtimes))
    judged = {
        "capture": "everything that the capture holds",
        "process-tree": "what the program and its children sent; others are not counted",
    }
    yield Entry("Judges", (judged[claim.scope],))
    if "extends" in profile.settings:
        yield Entry("Extends", (str(profile.settings["extends"].value),))


def _allowed(profile: Profile, vendors: Mapping[str, str]) -> Iterator[Entry]:
    scopes = profile.settings.get("allow.scopes")
    words = () if scopes is None else scopes.value
    beside = BESIDE_ANY if {ANY, Scope.METADATA_SERVICE}.issubset(words) else {}
    for word in words:
        yield Entry(str(word), (beside.get(word, SCOPE_MEANINGS[word]),))
    yield from _listed(profile, "allow", vendors)
    yield Entry("from outside", (INBOUND_MEANINGS[profile.claim.inbound],))


def _listed(profile: Profile, group: str, vendors: Mapping[str, str]) -> Iterator[Entry]:
    """The lists of `allow` or `deny`, in the order of the files; scopes are told one by one."""
    for key, setting in profile.settings.items():
        short = key.removeprefix(f"{group}.")
        if short != key and short != "scopes" and setting.value:
            meaning = KEY_MEANINGS.get(key, "")
            words = [word_of(value) for value in setting.value]
            by_vendor = short == "hosts" and bool(vendors)
            values = tuple(_of_vendors(words, vendors)) if by_vendor else _paragraphs(words)
            yield Entry(short, (*values, f"({meaning})") if meaning else values)


def _of_vendors(hosts: Sequence[str], vendors: Mapping[str, str]) -> Iterator[str]:
    """`ByteDance (CN): volces.com, *.volces.com`, a paragraph or more for each vendor."""
    of: dict[str, list[str]] = {}
    for host in hosts:
        of.setdefault(vendors.get(host, STRANGERS), []).append(host)
    for vendor, theirs in of.items():
        for paragraph in _paragraphs(theirs):
            yield f"{vendor}: {paragraph}"


def word_of(value: object) -> str:
    """One value of a list as it stands in a profile."""
    return network_text(value) if isinstance(value, IPv4Network | IPv6Network) else str(value)


def needs(claim: Claim) -> Iterator[Entry]:
    """What must have been shown before silence counts."""
    require = claim.require
    if require.whole_run:
        yield Entry("Whole run", ("recorded from before its start until after its end",))
    if require.probes:
        yield Entry("Probes", ("packets of ours, found in the capture, show that it works",))
    for word in require.phases:
        yield Entry(f"Phase {word}", (PHASE_MEANINGS.get(word, "a word of its own"),))
    if require.observe_ns:
        watched = f"at least {duration_text(require.observe_ns)}, or until everything ended"
        yield Entry("Watched", (watched,))
    if claim.uses_lists:
        yield Entry("Lists", (_list_age(require),))
    yield Entry("Always", (ALWAYS,))


def _list_age(require: Require) -> str:
    age = duration_text(require.lists_max_age_ns)
    return f"of addresses, no further than {age} from the capture's end"


def _meanings(claim: Claim) -> Iterator[Entry]:
    yield Entry("Means", (claim.holds_means or "not stated",))
    yield Entry("Does not mean", (claim.holds_does_not_mean or "not stated",))


def _asked(claim: Claim) -> Iterator[Section]:
    """What else somebody wants to know, and what would answer it."""
    entries = [Entry("Asked", (asked.ask, answered_by(asked))) for asked in claim.questions]
    if entries:
        yield Section("Beside the verdict", tuple(entries))


def answered_by(asked: Question) -> str:
    """Where the answer comes from, and what the profile says of it."""
    if asked.answer_by == "cannot":
        return f"{CANNOT}. {asked.text}"
    return f"Answered from what is observed ({asked.answer_by}). {asked.text}".rstrip()


def _paragraphs(words: Sequence[str]) -> tuple[str, ...]:
    """All the words, some in each paragraph."""
    starts = range(0, len(words), AT_ONCE)
    return tuple(listed(words[start : start + AT_ONCE], AT_ONCE) for start in starts)
