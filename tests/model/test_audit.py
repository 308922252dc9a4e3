"""What a name may be when several called it, each in a version of its own."""

from egress_audit.model.audit import Match

NAME = "a.example"


def test_what_either_of_two_may_have_called_fits() -> None:
    both = Match(NAME, ("one",)).either(Match(NAME, ("two", "one")))
    assert both == Match(NAME, ("one", "two"))


def test_an_entry_is_outside_only_if_it_is_for_both() -> None:
    old, new = Match(NAME, ("one",), ("two",)), Match(NAME, ("one", "two"))
    assert old.either(new) == new.either(old) == new
    assert old.either(old) == old


def test_what_is_outside_for_the_one_and_does_not_fit_the_other_stays_outside() -> None:
    assert Match(NAME, ("one",), ("two",)).either(Match(NAME, ("one",))).outside == ("two",)
