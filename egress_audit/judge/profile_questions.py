"""Questions of a profile: what one wants to know beside the verdict, and what can answer it."""

import egress_audit.yaml_values as read
from egress_audit.errors import ProfileInvalid
from egress_audit.model.claim import Question
from egress_audit.yaml_tree import Item, Table

ANSWERS = ("located", "controlled", "operator", "cannot")
"""What can answer; each is a word of `Question.answer_by`."""
KEYS = ("ask", "answer_by", "text")


def question(item: Item) -> Question:
    """A question, of a mapping with `ask`, `answer_by` and perhaps `text`.

    ProfileInvalid for another key or one that is missing. What a capture cannot say needs a
    `text`, which says why, or where else to ask.
    """
    if not isinstance(item, Table):
        raise ProfileInvalid(
            "a question is a mapping", where=item.where, hint="write {ask: …, answer_by: …}"
        )
    for key in item.entries:
        if key not in KEYS:
            raise ProfileInvalid(
                f"unknown key `{key}` in a question",
                where=item.key_places[key],
                hint=read.nearest(key, KEYS),
            )
    for key in ("ask", "answer_by"):
        if key not in item.entries:
            raise ProfileInvalid(
                f"`{key}` is missing in a question",
                where=item.where,
                hint="write {ask: …, answer_by: …}",
            )
    answer_by = read.one_of(*ANSWERS)(item.entries["answer_by"])
    if answer_by == "cannot" and "text" not in item.entries:
        raise ProfileInvalid(
            "`text` is missing in a question that a capture cannot answer",
            where=item.where,
            hint="say why, or where else to ask",
        )
    text = read.text(item.entries["text"]) if "text" in item.entries else ""
    return Question(read.text(item.entries["ask"]), answer_by, text)
