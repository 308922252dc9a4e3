"""Ctrl-C while a live stream is read: the first ends the stream, the second the audit."""

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from egress_audit.cli.interrupts import interruptible
from egress_audit.errors import ExitCode
from tests.builders.captures import Frame, pcap

LIVE = pcap([Frame(n * 1_000_000_000, bytes([n]) * 60) for n in range(3)])
REPLAY = "import sys; from egress_audit.cli.main import run; sys.exit(run(sys.argv[1:]))"


@contextmanager
def replaying(*options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A replay of standard input that waits for more frames than were written."""
    command = [sys.executable, "-c", REPLAY, "replay", "-", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        process.stdin.write(LIVE)
        process.stdin.flush()
        try:
            wait_until_it_reads(process.stdin.fileno())
            yield process
        finally:
            process.kill()


def wait_until_it_reads(pipe: int) -> None:
    """Waits until nothing is left in the pipe, so that the command line has set its signals."""
    waiting = struct.pack("i", 1)
    while struct.unpack("i", waiting)[0]:
        waiting = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
        os.sched_yield()


def test_the_first_gives_a_verdict_over_what_was_read() -> None:
    with replaying("--format", "json") as process:
        process.send_signal(signal.SIGINT)
        out, said = process.communicate()
    document = json.loads(out)["audit"]
    assert document["coverage"]["frames"] == 3
    assert document["coverage"]["ended_by_user"] is True
    assert "ended-by-user" in {spot["id"] for spot in document["blind_spots"] if spot["material"]}
    assert process.returncode == ExitCode.INCONCLUSIVE
    assert b"judging what was read" in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_that_end_a_program_give_one_too(number: signal.Signals) -> None:
    with replaying("--format", "json") as process:
        process.send_signal(number)
        out, _ = process.communicate()
    assert json.loads(out)["audit"]["coverage"]["ended_by_user"] is True
    assert process.returncode == ExitCode.INCONCLUSIVE


def test_a_signal_that_was_ignored_still_is() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible("-") as ending:
            signal.raise_signal(signal.SIGHUP)
            assert ending is not None
            assert not ending.told
    finally:
        signal.signal(signal.SIGHUP, before)


def test_no_assertion_makes_up_for_it() -> None:
    with replaying("--assert", "all") as process:
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == ExitCode.INCONCLUSIVE


def test_another_input_leaves_the_signal_as_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruptible("a.pcap") as ending:
        assert ending is None
        assert signal.getsignal(signal.SIGINT) is before


def test_the_second_interrupts() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible("-") as ending:
        signal.raise_signal(signal.SIGINT)
        assert ending is not None
        assert ending.told
        signal.raise_signal(signal.SIGINT)


def test_afterwards_the_signal_is_as_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruptible("-"):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
