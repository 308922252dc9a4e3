"""How long each kind of silence lasts."""

from egress_audit.record.internet.dialogue import CLOSE, IDLE_NS, NOTHING_YET, PAUSE_NS, Patient


def test_bytes_that_nobody_understands_are_given_up_sooner_than_a_slow_client() -> None:
    assert PAUSE_NS < IDLE_NS


def test_a_reply_closes_only_if_it_says_so() -> None:
    assert not NOTHING_YET.close
    assert CLOSE.close


def test_a_patient_dialogue_has_no_last_word() -> None:
    assert Patient().silence() == Patient().end() == CLOSE
    assert Patient.patience_ns == IDLE_NS
