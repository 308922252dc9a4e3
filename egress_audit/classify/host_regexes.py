r"""Regular expressions over host names, held to a form that is quick to try, whatever the name.

`^`, then letters, digits, `-`, `\.`, `\d`, sets as `[a-z0-9-]`, groups with alternatives, and the
quantifiers `?`, `+`, `*`, `{2,5}`; then labels that are fixed, and `$`. The fixed labels file the
expression under a suffix, so that it is tried on hosts below that one only. No group repeats, and
groups and quantifiers, the two things to go back to, are few: a name costs thousands of steps at
most, never millions.
"""

import re
from functools import cached_property

from egress_audit.values import dataclass

LONGEST_HOST, LONGEST_LABEL = 253, 63
"""RFC 1035 §2.3.4, as text without the last dot."""
MAX_LENGTH = 200
MAX_CHOICES = 5
"""Groups and quantifiers in one expression."""
MAX_CHOICES_OF_LABEL = 3

_ATOM = r"(?:[a-z0-9_-]|\\\.|\\d|\[[a-z0-9_-]+\])"
_COUNT = r"\{[0-9]{1,2}(?:,[0-9]{0,2})?\}"
_PIECE = rf"{_ATOM}(?:[?*+]|{_COUNT})?"
_GROUP = rf"\((?:\?:)?(?:{_PIECE})*(?:\|(?:{_PIECE})*)*\)\??"
_FIXED = r"(?:\\\.[a-z0-9_-]+)"
# A text, which `re` compiles when the first expression is read, and keeps.
_FORM = (
    rf"\^(?P<head>(?:{_PIECE}|{_GROUP})+?)(?P<tail>{_FIXED}+)"
    rf"(?:\((?:\?:)?(?P<perhaps>{_FIXED}+)\)\?)?\$"
)
_CHOICE = re.compile(rf"[?*+](?!:)|{_COUNT}|\(")


class UnfitRegex(ValueError):
    """A regular expression that is not of the form; the message says why."""


@dataclass(frozen=True)
class HostRegex:
    """A regular expression of the form, and the suffixes on which alone it can match."""

    text: str
    """`^…$`."""
    tails: tuple[str, ...]
    """Fixed labels at its end, without a leading dot; two where the last ones are optional."""

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """To be matched in full; made when a host is first tried."""
        return re.compile(self.text, re.ASCII)


def host_regex(text: str) -> HostRegex:
    """The expression in `text`, which has no slashes around it. Raises UnfitRegex."""
    if len(text) > MAX_LENGTH:
        raise UnfitRegex(f"it has more than {MAX_LENGTH} characters")
    if not (text.startswith("^") and text.endswith("$")):
        raise UnfitRegex("it is not anchored: begin with ^ and end with $")
    if _has_nested_quantifier(text):
        raise UnfitRegex("a group that repeats can take for ever: repeat single characters")
    match = re.fullmatch(_FORM, text)
    if not match:
        raise UnfitRegex(
            r"use a-z 0-9 - \. \d [] () | ? + * {} and end in labels, as \.example\.com"
        )
    _refuse_many_choices(match["head"])
    try:
        re.compile(text)
    except re.error as error:
        raise UnfitRegex(str(error)) from error
    tail = _plain(match["tail"])
    perhaps = match["perhaps"]
    return HostRegex(text, (tail, f"{tail}.{_plain(perhaps)}") if perhaps else (tail,))


def _plain(labels: str) -> str:
    return labels.replace("\\.", ".").removeprefix(".")


def _has_nested_quantifier(text: str) -> bool:
    return re.search(r"\)(?:[*+]|\{)", text) is not None


def _refuse_many_choices(head: str) -> None:
    """Raises UnfitRegex for more combinations than can be tried in a moment."""
    counts = [len(_CHOICE.findall(label)) for label in head.split("\\.")]
    if sum(counts) > MAX_CHOICES or max(counts) > MAX_CHOICES_OF_LABEL:
        raise UnfitRegex(
            f"more than {MAX_CHOICES_OF_LABEL} groups and quantifiers in a label, or {MAX_CHOICES} "
            "in all"
        )
