"""A signal that was ignored before is none by which a run can be ended."""

import signal

import pytest

from egress_audit.record.ending_signals import ENDING, heeded


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_that_is_ignored_is_not_heeded(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        assert number not in heeded(ENDING)
    finally:
        signal.signal(number, before)


def test_a_signal_that_ends_or_is_handled_is_heeded() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        assert signal.SIGHUP in heeded(ENDING)
        signal.signal(signal.SIGHUP, lambda number, frame: None)
        assert signal.SIGHUP in heeded(ENDING)
    finally:
        signal.signal(signal.SIGHUP, before)
