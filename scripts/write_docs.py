"""Writes the pages of docs/ that are made from tables and data; a test compares them."""

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from egress_audit.judge.assertions import WORDS  # noqa: E402 - the line above makes it importable
from egress_audit.judge.blind_spots import Spot  # noqa: E402
from egress_audit.judge.rules import RULES, Rule  # noqa: E402
from egress_audit.judge.spots_of_attempts import SPOTS_OF_ATTEMPTS  # noqa: E402
from egress_audit.judge.spots_of_claim import SPOTS_OF_CLAIM  # noqa: E402
from egress_audit.judge.spots_of_endpoints import SPOTS_OF_ENDPOINTS  # noqa: E402
from egress_audit.judge.spots_of_file import SPOTS_OF_FILE  # noqa: E402
from egress_audit.judge.spots_of_program import SPOTS_OF_PROGRAM  # noqa: E402
from egress_audit.judge.spots_of_record import SPOTS_OF_RECORD  # noqa: E402
from egress_audit.judge.spots_of_run import SPOTS_OF_RUN  # noqa: E402
from egress_audit.judge.spots_of_sandbox import SPOTS_OF_SANDBOX  # noqa: E402
from egress_audit.judge.spots_of_traffic import SPOTS_OF_TRAFFIC  # noqa: E402
from egress_audit.model.destination import Absent  # noqa: E402
from scripts.catalogue_page import catalogue_page  # noqa: E402
from scripts.page_text import bullet, filled  # noqa: E402
from scripts.profiles_page import profiles_page  # noqa: E402

DOCS = ROOT / "docs"

RULES_HEAD = """\
# Rules

A rule finds a contradiction between the claim and the evidence. One finding is enough: the verdict
is VIOLATED, whatever else was not seen, and no assertion lifts it. Each finding names the frames
that show it. An id is never used twice.

The [profile](profiles.md) says what is allowed and denied; [verdicts](verdicts.md) says what
follows. This page is made from the table in `egress_audit/judge/rules.py`.
"""

SPOTS_HEAD = """\
# Blind spots

What could have happened without the evidence showing it. As long as one of them is *material* to
the claim, the verdict is not HOLDS: silence is not proof. A report lists those that its capture
has, each with its remedy.

Some are lifted by an [assertion](verdicts.md#assertions): a person states what the file cannot, and
answers for it. What the file itself records is lifted by none.

This page is made from the tables in `egress_audit/judge/spots_of_*.py`.
"""

GROUPS: tuple[tuple[str, str, tuple[Spot, ...]], ...] = (
    (
        "What no capture knows",
        "A capture says nothing of the program that was running. Every one has most of these.",
        SPOTS_OF_RUN,
    ),
    (
        "What the file records",
        "Loss, damage, and what was not understood. No assertion lifts these.",
        SPOTS_OF_FILE,
    ),
    (
        "What the traffic hides or lacks",
        "Tunnels, gaps, one side alone, and what depends on whose addresses are whose. No "
        "assertion lifts these.",
        SPOTS_OF_TRAFFIC,
    ),
    (
        "What the claim cannot know",
        'Names that are hidden, places that are unknown. Unknown is never "no".',
        SPOTS_OF_CLAIM,
    ),
    (
        "What the catalogue leaves open",
        "Purposes that are one of several or unknown, and callers that come later than was "
        "watched.",
        SPOTS_OF_ENDPOINTS,
    ),
    (
        "What a run of ours can lack",
        "A bundle of `egress-audit run` knows what a plain capture does not, and may lack other "
        "things. No assertion lifts these.",
        (*SPOTS_OF_RECORD, *SPOTS_OF_SANDBOX),
    ),
    (
        "What was tried without a packet",
        "System calls that were refused, or that asked something which is not in the capture. No "
        "assertion lifts these.",
        SPOTS_OF_ATTEMPTS,
    ),
    (
        "Which program it was",
        "Who called what, and whether the runtime that the claim names ran at all.",
        SPOTS_OF_PROGRAM,
    ),
)


def rules_page() -> str:
    """The text of docs/rules.md."""
    return _page(RULES_HEAD, _contents((rule.id, rule.title) for rule in RULES), *map(_rule, RULES))


def spots_page() -> str:
    """The text of docs/blind-spots.md."""
    parts = []
    for title, said, spots in GROUPS:
        parts += [f"## {title}\n", filled(said), _table(spots), *map(_spot, spots)]
    return _page(SPOTS_HEAD, *parts)


PAGES = {
    "rules.md": rules_page,
    "blind-spots.md": spots_page,
    "profiles.md": lambda: profiles_page(DOCS / "profiles.md"),
    "catalogue.md": lambda: catalogue_page(DOCS / "catalogue.md"),
}


def _page(*parts: str) -> str:
    return "\n".join(part if part.endswith("\n") else f"{part}\n" for part in parts)


def _contents(rows: Iterator[tuple[str, str]]) -> str:
    lines = [f"| [{id_}](#{id_.lower()}) | {title} |" for id_, title in rows]
    return "\n".join(["| rule | fires on |", "|---|---|", *lines])


def _rule(rule: Rule) -> str:
    return "\n\n".join(
        (
            f"## {rule.id}",
            f"**{rule.title}.**",
            filled(rule.text),
            filled(f"*Why:* {rule.reason}"),
        )
    )


def _lifted_by(spot: Spot) -> str:
    return "nothing" if isinstance(spot.lifted_by, Absent) else f"`{spot.lifted_by}`"


def _table(spots: tuple[Spot, ...]) -> str:
    lines = [f"| [{s.id}](#{s.id}) | {s.title} | {_lifted_by(s)} |" for s in spots]
    return "\n".join(["| id | what | lifted by |", "|---|---|---|", *lines])


def _spot(spot: Spot) -> str:
    """One blind spot: the sentence of the report, and everything that bears on it."""
    facts = (
        ("Disproved by", spot.disproof),
        ("Lifted by", _assertion(spot)),
        ("Material to", spot.material_to),
        ("Remedy", spot.remedy),
        ("Remedy for a run", spot.remedy_of_run),
    )
    lines = [bullet(f"*{label}:* {words}") for label, words in facts if words]
    said = f"{spot.text[0].upper()}{spot.text[1:]}."
    said = said.replace("{count}", "*N*").replace(" ({what})", "").replace("{what}", "")
    return "\n\n".join((f"### {spot.id}", f"**{spot.title}.**", filled(said), "\n".join(lines)))


def _assertion(spot: Spot) -> str:
    if isinstance(spot.lifted_by, Absent):
        return "nothing"
    return f"`--assert {spot.lifted_by}`: {WORDS[spot.lifted_by]}"


def main() -> None:
    """Writes every page of `PAGES`."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
