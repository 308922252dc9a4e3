"""The second half of docs/profiles.md: every profile that comes with the program."""

from collections.abc import Iterator
from pathlib import Path

from egress_audit.judge.profile import profile_names, read_profile
from egress_audit.model.profile import Profile, ProfileKind
from egress_audit.report.claim_words import KIND_WORDS, word_of
from egress_audit.report.profile_pages import KIND_TITLES
from egress_audit.report.words import duration_text
from scripts.page_text import bullet, by_hand, filled

HEAD = """\
## The profiles that come with the program

`egress-audit profiles show NAME` tells one in words as it is put together from what it extends,
and `--profile NAME` judges by it. HOLDS always means: within what was watched.
"""


def profiles_page(page: Path) -> str:
    """The whole text of the page, whose first half stays as it is."""
    profiles = [read_profile(name) for name in profile_names()]
    parts = [by_hand(page), HEAD]
    for kind, title in KIND_TITLES.items():
        of_kind = [profile for profile in profiles if profile.kind is kind]
        parts.append(_index(kind, title, of_kind))
    parts += [_section(profile) for profile in profiles]
    return "\n".join(parts)


def _index(kind: ProfileKind, title: str, profiles: list[Profile]) -> str:
    rows = [f"| [{p.claim.name}](#{p.claim.name}) | {p.claim.statement} |" for p in profiles]
    head = f"{title}: {KIND_WORDS[kind]}."
    return "\n".join([f"**{head}**", "", "| profile | sentence |", "|---|---|", *rows, ""])


def _section(profile: Profile) -> str:
    claim = profile.claim
    facts = (
        ("Source", claim.source),
        ("Speaks of", ", ".join((*claim.applies_to.models, *claim.applies_to.runtimes))),
        ("Extends", f"`{_extended(profile)}`" if _extended(profile) else ""),
        ("Allows", _listed(profile, "allow")),
        ("Denies", _listed(profile, "deny")),
        ("Needs", ", ".join(_needs(profile))),
        ("HOLDS would mean", claim.holds_means),
        ("It would not mean", claim.holds_does_not_mean),
        ("Answers beside it", _asked(profile, answered=True)),
        ("Cannot answer", _asked(profile, answered=False)),
    )
    bullets = [bullet(f"*{label}:* {words}") for label, words in facts if words]
    return "\n".join([f"### {claim.name}", "", filled(f"“{claim.statement}”"), "", *bullets, ""])


def _extended(profile: Profile) -> str:
    extends = profile.settings.get("extends")
    return "" if extends is None else str(extends.value)


def _listed(profile: Profile, group: str) -> str:
    """`loopback, lan; hosts `example.org`; endpoints …`: the lists of `allow` or `deny`."""
    lists = []
    for key in sorted(profile.settings, reverse=True):
        values = profile.settings[key].value
        if key.startswith(f"{group}.") and values:
            words = ", ".join(f"`{word_of(value)}`" for value in values)
            lists.append(f"{key.partition('.')[2]} {words}")
    return "; ".join(lists)


def _needs(profile: Profile) -> Iterator[str]:
    """What must have been shown, in the fewest words: the manual above says what each means."""
    claim = profile.claim
    if claim.require.whole_run:
        yield "the whole run recorded"
    if claim.require.probes:
        yield "probes found"
    yield from (f"phase `{word}`" for word in claim.require.phases)
    if claim.require.observe_ns:
        watched = duration_text(claim.require.observe_ns)
        yield f"{watched} watched".replace("\u00a0", " ")
    if claim.uses_lists:
        yield "address lists of that time"
    if claim.uses_catalogue:
        yield "the catalogue"


def _asked(profile: Profile, *, answered: bool) -> str:
    questions = profile.claim.questions
    return " ".join(one.ask for one in questions if (one.answer_by != "cannot") is answered)
