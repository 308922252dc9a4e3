"""Histories are kept once each, and a letter stands in them once."""

from egress_audit.flows.history import Histories


def test_a_new_letter_is_put_behind() -> None:
    histories = Histories()
    number = histories.extended(histories.extended(0, "S"), "h")
    assert histories.text[number] == "Sh"


def test_a_letter_that_is_there_is_not_put_again() -> None:
    histories = Histories()
    number = histories.extended(0, "D")
    assert histories.extended(number, "D") == number


def test_the_letter_of_the_other_side_is_another() -> None:
    histories = Histories()
    number = histories.extended(histories.extended(0, "D"), "d")
    assert histories.text[number] == "Dd"


def test_no_letter_changes_nothing() -> None:
    assert Histories().extended(1, "") == 1


def test_equal_histories_are_one_number() -> None:
    histories = Histories()
    assert histories.extended(0, "S") == histories.extended(0, "S")
    assert histories.text == ["", "^", "S"]
