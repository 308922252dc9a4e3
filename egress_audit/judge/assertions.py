"""What a person may state about evidence that cannot speak for itself, and answers for."""

from collections.abc import Iterable

from egress_audit.errors import WrongUsage
from egress_audit.model.audit import Assertion
from egress_audit.model.destination import Absent

WORDS: dict[str, str] = {
    "whole-run": "recording began before the program started, ended after its last process did, "
    "and worked all that time",
    "no-drops": "no frame was lost between the network and the file",
    "single-host": "everything in the capture is this one host's, the program used no other "
    "process to send for it, and what the kernel sent is the kernel's",
    "exercised": "the program did the work that the claim speaks of, in the state and environment "
    "in which it is used",
    "all-interfaces": "every path off the machine was recorded, in both directions, and what was "
    "refused before it became a packet counts as not sent",
    "unfiltered": "no capture filter left frames out",
}
"""Word → what its speaker states. The order is the order of the report."""


def assertions_of(
    words: Iterable[str],
    *,
    evidence: tuple[str | Absent, ...],
    who: str | None = None,
    when: str | None = None,
    why: str | None = None,
) -> tuple[Assertion, ...]:
    """The assertions that `words` name (`all` names each), bound to the given captures.

    evidence: sha256 of each capture. Raises WrongUsage for a word that is none, and for any word
    about a capture without a sha256.
    """
    named = {word.strip() for word in words if word.strip()}
    for word in sorted(named - {*WORDS, "all"}):
        from difflib import get_close_matches  # not above: few mistype a word

        near = get_close_matches(word, [*WORDS, "all"], n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise WrongUsage(
            f"there is no assertion {word!r}",
            where="--assert",
            hint=f"{meant}known: {', '.join(WORDS)}, or all",
        )
    bound = tuple(each for each in evidence if not isinstance(each, Absent))
    if named and len(bound) < len(evidence):
        raise WrongUsage(
            "an assertion speaks of a capture by its sha256, which was not to be computed",
            where="--assert",
            hint="leave out --no-hash",
        )
    return tuple(
        Assertion(
            word,
            meaning,
            who or Absent.NOT_FOUND,
            when or Absent.NOT_FOUND,
            why or Absent.NOT_FOUND,
            bound,
        )
        for word, meaning in WORDS.items()
        if word in named or "all" in named
    )
