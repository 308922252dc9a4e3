"""Questions of a profile: what is read, and what is refused."""

import pytest

from egress_audit.errors import ProfileInvalid
from egress_audit.judge.profile_questions import question
from egress_audit.model.claim import Question
from egress_audit.yaml_tree import table_of


def read(text: str) -> Question:
    return question(table_of(f"it: {text}", "p.yaml", ProfileInvalid).entries["it"])


def refusal(text: str) -> str:
    with pytest.raises(ProfileInvalid) as caught:
        read(text)
    return str(caught.value)


def test_a_question_is_what_is_asked_and_what_answers_it() -> None:
    asked = "{ask: 'Where does it go?', answer_by: located, text: As far as lists know.}"
    assert read(asked) == Question("Where does it go?", "located", "As far as lists know.")


def test_a_question_that_observations_answer_needs_no_text() -> None:
    assert read("{ask: 'To whom?', answer_by: operator}").text == ""


def test_what_a_capture_cannot_say_needs_a_text() -> None:
    assert "say why, or where else to ask" in refusal("{ask: 'How long?', answer_by: cannot}")


def test_an_answer_that_nothing_gives_is_refused_with_the_nearest() -> None:
    assert "did you mean `located`?" in refusal("{ask: 'Where?', answer_by: locate}")


def test_an_unknown_key_is_refused_with_its_line() -> None:
    told = refusal("{ask: 'Where?', answer_by: located, answer: CN}")
    assert told.startswith("p.yaml:1: unknown key `answer` in a question")


@pytest.mark.parametrize("key", ["ask", "answer_by"])
def test_a_question_without_what_it_needs_is_refused(key: str) -> None:
    kept = {"ask": "ask: 'Where?'", "answer_by": "answer_by: located"}
    kept.pop(key)
    assert f"`{key}` is missing in a question" in refusal("{" + ", ".join(kept.values()) + "}")


def test_a_question_that_is_no_mapping_is_refused() -> None:
    assert "a question is a mapping" in refusal("Where?")
