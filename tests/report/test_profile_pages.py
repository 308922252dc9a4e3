"""Profiles as a list, whole, and checked: for people within the width, for programs as JSON."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from egress_audit.judge.profile import profile_names, read_profile
from egress_audit.model.profile import Profile, ProfileKind, Weakness
from egress_audit.report.profile_pages import (
    KIND_TITLES,
    Checked,
    checked_json,
    checked_text,
    list_json,
    list_text,
    profile_json,
    profile_text,
    shortened,
)

WEAK = Weakness("p.yaml:3", "it is weak", "make it strong")


def offline(name: str = "offline", kind: ProfileKind = ProfileKind.POLICY) -> Profile:
    profile = read_profile("offline")
    return replace(profile, claim=replace(profile.claim, name=name), kind=kind)


def packaged() -> list[Profile]:
    return [read_profile(name) for name in profile_names()]


@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_list_keeps_within_the_width(width: int) -> None:
    long = offline("a-profile-with-a-name-as-long-as-names-can-be-here-and-longer")
    text = list_text([*packaged(), long], width=width)
    assert max(map(len, text.splitlines())) <= width


def test_the_list_has_every_profile_under_its_kind() -> None:
    one_each = [offline(f"a-{kind}", kind) for kind in ProfileKind]
    heads = [part.splitlines() for part in list_text(one_each).split("\n\n")][:-1]
    assert [lines[0].partition(":")[0] for lines in heads] == list(KIND_TITLES.values())
    assert [lines[1].split()[0] for lines in heads] == [f"a-{kind}" for kind in KIND_TITLES]


def test_a_kind_that_nobody_has_is_not_told() -> None:
    assert "Systems" not in list_text([offline()])


def test_a_statement_is_shortened_between_two_words() -> None:
    assert shortened("It sends nothing, to anybody at all.", 20) == "It sends nothing…"
    assert shortened("It sends nothing.", 20) == "It sends nothing."


def test_the_list_as_json_has_whole_statements() -> None:
    (first,) = json.loads(list_json([offline()]))
    assert first["name"] == "offline"
    assert first["kind"] == "policy"
    assert first["statement"] == offline().claim.statement


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_is_told_within_the_width(name: str) -> None:
    text = profile_text(read_profile(name), (), width=80)
    assert max(map(len, text.splitlines())) <= 80


def test_a_profile_is_told_with_what_is_weak_about_it() -> None:
    assert "it is weak (make it strong)" in profile_text(offline(), (WEAK,))
    assert "Weak" not in profile_text(offline(), ())


def test_a_hostile_profile_cannot_steer_the_terminal() -> None:
    hostile = offline()
    hostile = replace(hostile, claim=replace(hostile.claim, statement="a\x1b[2Jb\u202ec"))
    for text in (list_text([hostile]), profile_text(hostile, ()), list_json([hostile])):
        assert text.replace("\n", "").isprintable()


def test_each_setting_has_its_value_and_its_place_in_json() -> None:
    found = json.loads(profile_json(read_profile("no-china"), (WEAK,)))
    assert found["settings"]["deny.located"]["value"] == ["CN"]
    file, _, line = found["settings"]["deny.prefixes"]["where"].rpartition(":")
    assert (
        "100.100.100.200/32" in Path(file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
    )
    assert found["settings"]["deny.prefixes"]["value"] == ["100.100.100.200/32"]
    assert found["weaknesses"][0]["remedy"] == "make it strong"


def test_a_question_is_an_object_in_json(tmp_path: Path) -> None:
    asks = "name: n\nextends: offline\nquestions: [{ask: 'Where?', answer_by: located}]\n"
    (tmp_path / "p.yaml").write_text(asks, encoding="utf-8")
    found = json.loads(profile_json(read_profile(str(tmp_path / "p.yaml")), ()))
    (asked,) = found["settings"]["questions"]["value"]
    assert (asked["ask"], asked["answer_by"]) == ("Where?", "located")


def test_a_checked_profile_is_fine_weak_or_wrong() -> None:
    results = [Checked("a"), Checked("b", "", (WEAK,)), Checked("c", "c:1: no YAML")]
    assert checked_text(results).splitlines() == [
        "a: fine",
        "b: fine, 1 weak point",
        "  weak: p.yaml:3: it is weak (make it strong)",
        "c:1: no YAML",
    ]


def test_what_was_checked_is_the_same_in_json() -> None:
    fine, wrong = json.loads(checked_json([Checked("b", "", (WEAK,)), Checked("c", "c:1: no")]))
    assert (fine["error"], fine["weaknesses"][0]["where"]) == ("", "p.yaml:3")
    assert (wrong["error"], wrong["weaknesses"]) == ("c:1: no", [])
