"""`run`: a program in a sandbox, and the bundle of evidence that it leaves. The recipe of the room.

    plan ─▶ bundle ─▶ fork ─▶ recorder: sandbox ─▶ session ─▶ what is left to note ─▶ closed bundle

The recorder is a process of its own: it gives its privileges away as soon as its descriptors are
open, and what befalls it leaves the caller able to say so.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from egress_audit.errors import EgressAuditError, WrongUsage
from egress_audit.evidence.bundle import BundleWriter, close_bundle
from egress_audit.model.run import Rung
from egress_audit.record.ending_signals import ENDING, heeded
from egress_audit.record.plan import CommandFailed, Prepared, RunPlan, prepared
from egress_audit.record.privileges import die_with
from egress_audit.record.progress import Status
from egress_audit.record.recorder import Recorder

CRASHED = 1
PASSED_ON = (signal.SIGTERM, signal.SIGHUP)
"""Requests to end that the caller alone may get; Ctrl-C reaches the recorder by itself."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run that has been recorded; its bundle says everything else."""

    bundle: Path
    rung: Rung
    exit_status: int | None
    ended_by: str


def record(
    plan: RunPlan,
    bundle: str | Path,
    *,
    on_tick: Callable[[Status], None] = lambda status: None,
    on_output: Callable[[bytes], None] = lambda part: None,
) -> Recorded:
    """Runs a command in a sandbox and closes the bundle of what it did.

    bundle: a folder that does not exist yet, or is empty. The callbacks are called in the
    recorder's process: what they change is not seen by the caller. Raises EgressAuditError when
    there could be no run, and KeyboardInterrupt when its end was asked for before it began; the
    bundle then holds what was recorded up to there.
    """
    ready = prepared(plan)
    writer = BundleWriter.create(bundle)
    made = Path(bundle).stat()
    told, tell = os.pipe()
    caller = os.getpid()
    # Requests to end wait until both processes know what to do about them.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        recorder = os.fork()
        if recorder == 0:
            os.close(told)
            _be_recorder(ready, writer, tell, caller, on_tick, on_output)
        os.close(tell)
        writer.close()

        def pass_on(number: int, frame: FrameType | None) -> None:
            with suppress(ProcessLookupError):  # It has ended a moment ago.
                os.kill(recorder, signal.SIGTERM)

        if heeded({signal.SIGINT} & signal.sigpending()):
            pass_on(signal.SIGINT, None)  # It may have come before there was a recorder.
        before = {number: signal.signal(number, pass_on) for number in heeded(PASSED_ON)}
        before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        with os.fdopen(told, "rb") as result:
            said = result.read()
        _, status = os.waitpid(recorder, 0)
    finally:
        for number, answer in before.items():
            signal.signal(number, answer)
    return _closed(Path(bundle), made, said, os.waitstatus_to_exitcode(status))


def _closed(bundle: Path, made: os.stat_result, said: bytes, status: int) -> Recorded:
    if status == CRASHED and not said:
        raise RuntimeError("the recorder crashed; what it says stands above")
    result: dict[str, object] = json.loads(said) if said else {"ended_by": "lost"}
    if "interrupted" in result:
        raise KeyboardInterrupt
    if "what" in result:
        kind = CommandFailed if result.get("kind") == "CommandFailed" else EgressAuditError
        if result.get("kind") == "WrongUsage":
            kind = WrongUsage
        raise kind(str(result["what"]), where=str(result["where"]), hint=str(result["hint"]))
    if not said:
        # Killed: the bundle stays open, which is what an audit of it will say.
        return Recorded(bundle, Rung.TUN, None, "lost")
    _must_be_still_there(bundle, made)
    close_bundle(bundle, rung=str(result["rung"]), network=str(result["network"]))
    _hand_over(bundle)
    exit_status = result["exit_status"]
    return Recorded(
        bundle,
        Rung(str(result["rung"])),
        exit_status if isinstance(exit_status, int) else None,
        str(result["ended_by"]),
    )


def _must_be_still_there(bundle: Path, made: os.stat_result) -> None:
    """Raises EgressAuditError if another folder has taken the bundle's place.

    The program may be the same user, and move a folder in which the bundle's folder lies.
    """
    with suppress(OSError):
        if os.path.samestat(bundle.stat(), made):
            return
    raise EgressAuditError(
        "is not the folder that was made: it was moved while the program ran",
        where=str(bundle),
        hint="have the bundle made where the program cannot write",
    )


def _hand_over(bundle: Path) -> None:
    """Gives a bundle that sudo made to the user who called sudo."""
    uid, gid = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if os.geteuid() != 0 or not (uid.isdecimal() and gid.isdecimal()):
        return
    for path in (*bundle.iterdir(), bundle):
        os.chown(path, int(uid), int(gid), follow_symlinks=False)


def _be_recorder(
    plan: Prepared,
    writer: BundleWriter,
    tell: int,
    caller: int,
    on_tick: Callable[[Status], None],
    on_output: Callable[[bytes], None],
) -> NoReturn:
    """In the recorder's process: records, says how it went, and ends."""
    result: dict[str, object] = {}
    try:
        die_with(caller)
        recorder = Recorder(plan, writer, on_tick, on_output, caller)
        result = recorder.record()
    except EgressAuditError as error:
        kind = type(error).__name__
        result = {"kind": kind, "what": error.what, "where": error.where, "hint": error.hint}
    finally:
        if not result:
            # A bug: the caller must not take it for a run, and a person needs to see it.
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(CRASHED)
        with suppress(BrokenPipeError):
            os.write(tell, json.dumps(result).encode())
        os._exit(0)
