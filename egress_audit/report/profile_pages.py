"""Profiles for people and for programs: the list of all, one in words, and what checking found."""

from collections.abc import Iterable, Mapping, Sequence

from egress_audit.model.claim import Question
from egress_audit.model.profile import Profile, ProfileKind, Weakness
from egress_audit.report.claim_words import KIND_WORDS, NO_VENDORS, claim_sections, word_of
from egress_audit.report.document import shown_json
from egress_audit.report.plain import Plain, plain
from egress_audit.report.safe_text import NO_BREAK, bounded, clean, width_of, wrapped
from egress_audit.report.section import Entry, Section
from egress_audit.report.terminal import MIN_WIDTH, bold, section_lines
from egress_audit.values import dataclass

KIND_TITLES = {
    ProfileKind.SYSTEM: "Systems",
    ProfileKind.POLICY: "Policies",
    ProfileKind.MEASURE: "Government measures",
}
LONGEST_NAME = 30
"""Columns of names in the list; a longer one stands on a line of its own."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with one profile, or weak about it."""

    path: str
    """As it was asked for."""
    error: str = ""
    """What is wrong, with file, line and remedy; empty for a profile that can be used."""
    weaknesses: tuple[Weakness, ...] = ()


def list_text(profiles: Sequence[Profile], *, colour: bool = False, width: int = 100) -> str:
    """Every profile on a line, by kind; no line has more than `width` columns."""
    width = max(width, MIN_WIDTH)
    names = [width_of(clean(profile.claim.name)) for profile in profiles]
    column = min(max(names, default=0), LONGEST_NAME) + 4
    parts = []
    for kind, title in KIND_TITLES.items():
        of_kind = [profile for profile in profiles if profile.kind is kind]
        if of_kind:
            head = bold(f"{title}: {KIND_WORDS[kind]}", colour)
            parts.append("\n".join([head, *(_row(each, column, width) for each in of_kind)]))
    parts.append("`egress-audit profiles show NAME` tells one whole; --profile NAME judges by it.")
    return "\n\n".join(parts) + "\n"


def _row(profile: Profile, column: int, width: int) -> str:
    name = "  " + clean(profile.claim.name)
    statement = shortened(profile.claim.statement, width - column)
    if width_of(name) + 2 > column:
        return f"{name}\n{' ' * column}{statement}"
    return name + " " * (column - width_of(name)) + statement


def shortened(text: str, width: int) -> str:
    """The beginning of a clean text in at most `width` columns, ended between two words."""
    first, *others = wrapped(text, width)
    if not others:
        return first
    return f"{wrapped(text, width - 1)[0].rstrip(',;:.')}…"


def list_json(profiles: Iterable[Profile]) -> str:
    """The same as an array, with whole statements."""
    return shown_json(
        [
            {
                "name": profile.claim.name,
                "kind": profile.kind.value,
                "statement": profile.claim.statement,
                "source": profile.claim.source,
                "models": list(profile.claim.applies_to.models),
                "runtimes": list(profile.claim.applies_to.runtimes),
            }
            for profile in profiles
        ]
    )


def profile_text(
    profile: Profile,
    weak: Sequence[Weakness],
    vendors: Mapping[str, str] = NO_VENDORS,
    *,
    colour: bool = False,
    width: int = 100,
) -> str:
    """One profile in words, and what is weak about it. vendors: as `claim_sections` has them."""
    width = max(width, MIN_WIDTH)
    parts = [[bold(clean(profile.claim.name), colour)]]
    parts += [section_lines(each, colour, width) for each in _sections(profile, weak, vendors)]
    return "\n\n".join("\n".join(part) for part in parts).replace(NO_BREAK, " ") + "\n"


def profile_markdown(
    profile: Profile, weak: Sequence[Weakness], vendors: Mapping[str, str] = NO_VENDORS
) -> str:
    """The same for a ticket or a pull request."""
    from egress_audit.report.markdown import escaped, section_text  # only where it is asked for

    blocks = [f"# {escaped(profile.claim.name)}"]
    blocks += [section_text(section) for section in _sections(profile, weak, vendors)]
    return "\n\n".join(blocks).replace(NO_BREAK, " ") + "\n"


def _sections(
    profile: Profile, weak: Sequence[Weakness], vendors: Mapping[str, str]
) -> list[Section]:
    """What a profile says, and what is weak about it."""
    sections = [*claim_sections(profile, vendors)]
    if weak:
        entries = (Entry(each.where, (f"{each.what} ({each.remedy})",)) for each in weak)
        sections.append(Section("Weak", tuple(entries), "HOLDS would say less than it seems to"))
    return sections


def profile_json(profile: Profile, weak: Sequence[Weakness]) -> str:
    """One profile as an object: the claim, and by key what was set, and where.

    A key that is not among the settings has its default, which stands in the claim.
    """
    settings: dict[str, Plain] = {
        key: {"value": _value(setting.value), "where": setting.where}
        for key, setting in sorted(profile.settings.items())
    }
    return shown_json(
        {
            "name": profile.claim.name,
            "kind": profile.kind.value,
            "path": profile.path,
            "claim": plain(profile.claim),
            "settings": settings,
            "weaknesses": plain(tuple(weak)),
        }
    )


def _value(value: object) -> Plain:
    """A setting as its reader gave it; durations are nanoseconds."""
    if isinstance(value, tuple):
        return [
            plain(member) if isinstance(member, Question) else word_of(member) for member in value
        ]
    return plain(value)


def checked_text(results: Sequence[Checked]) -> str:
    """A line for each profile, and one for everything that is weak about it; one that cannot be
    used has file, line and remedy."""
    lines = []
    for result in results:
        if result.error:
            lines.append(result.error)
            continue
        weak = len(result.weaknesses)
        said = f"fine, {weak} weak point{'s' * (weak > 1)}" if weak else "fine"
        lines.append(f"{result.path}: {said}")
        lines += [
            f"  weak: {each.where}: {each.what} ({each.remedy})" for each in result.weaknesses
        ]
    return "".join(f"{bounded(line)}\n" for line in lines)


def checked_json(results: Sequence[Checked]) -> str:
    """The same as an array."""
    return shown_json([plain(result) for result in results])
