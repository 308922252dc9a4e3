"""A run leaves a bundle that can be believed, or a word why there is none, and nothing else."""

import hashlib
import json
import os
import re
import signal
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from egress_audit.api import audit_capture
from egress_audit.errors import EgressAuditError, WrongUsage
from egress_audit.evidence.bundle import open_bundle
from egress_audit.model.audit import Verdict
from egress_audit.model.destination import Absent
from egress_audit.model.run import Network, Role, Rung
from egress_audit.record.plan import CommandFailed, RunPlan
from egress_audit.record.progress import Status, Step
from egress_audit.record.run import Recorded, record
from egress_audit.record.syscalls import CLONE_NEWNS, mount
from tests.builders.bundle_capture import frames_of, losses_of
from tests.builders.namespaces import in_child
from tests.builders.programs import (
    EVERY_KIND,
    FILLS_THE_DISK,
    ONE_DATAGRAM,
    SLEEPS,
    STREAMS,
    python,
)
from tests.builders.recorded_runs import (
    Place,
    Way,
    both_users,
    descendants,
    done_by,
    every_way,
    is_alive,
    place,
    recorded,
    run_at,
    usual_way,
)

pytestmark = pytest.mark.opens_sockets

SECRET = "correct-horse-battery-staple-42"
Tree = list[tuple[int, int]]


@every_way
def test_a_bundle_is_closed_and_as_its_manifest_says(way: Way) -> None:
    seen = recorded(python(EVERY_KIND), way)
    assert seen.bundle.complete
    assert not seen.bundle.account.problems
    assert not seen.bundle.account.unknown
    assert (seen.recorded.rung, seen.recorded.exit_status) == (way.rung, 0)
    manifest = seen.bundle.manifest
    assert not isinstance(manifest, Absent)
    assert manifest.frames == len(seen.frames)
    assert (manifest.rung, manifest.network) == (way.rung, Network.SIMULATED)


@both_users
def test_a_bundle_is_closed_to_everybody_else(way: Way) -> None:
    folder = recorded(("true",), way).bundle.path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_bundle_of_sudo_belongs_to_who_called_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be sudo")
    monkeypatch.setenv("SUDO_UID", "65534")
    monkeypatch.setenv("SUDO_GID", "65534")
    seen = run_at(place(Way(True, Rung.TUN)), ("true",))
    owners = {path.stat().st_uid for path in (seen.bundle.path, *seen.bundle.path.iterdir())}
    assert owners == {65534}


def test_nothing_is_written_over_a_bundle_that_is_there() -> None:
    seen = recorded(("true",))
    before = seen.bundle.sha256
    with pytest.raises(EgressAuditError, match="not empty"):
        done_by(seen.place.way, lambda: record(seen.place.plan(("true",)), seen.place.bundle))
    assert open_bundle(seen.place.bundle).sha256 == before


@both_users
def test_secrets_of_arguments_and_environment_stay_out_of_the_record(way: Way) -> None:
    command = ("sh", "-c", "sleep 0.2; true", "sh", "--api-key", SECRET, f"--token={SECRET}")
    environment = {
        "HF_TOKEN": SECRET,
        "PLAIN": SECRET,
        "HTTPS_PROXY": f"http://me:{SECRET}@127.0.0.1:9",
    }
    seen = recorded(command, way, environment=environment)
    texts = [path for path in seen.bundle.path.iterdir() if path.name != "capture.pcapng"]
    assert len(texts) == 4
    for path in (*texts, seen.bundle.capture):
        assert SECRET.encode() not in path.read_bytes()
    assert "--api-key ***" in seen.run.command
    assert [setting.name for setting in seen.run.endpoints] == ["HTTPS_PROXY"]


# Commands that cannot be run


def failing(here: Place, command: str, **plan: object) -> EgressAuditError:
    """What a plan comes to that cannot be carried out."""

    def tried() -> Recorded:
        return record(here.plan((command,), **plan), here.bundle)

    with pytest.raises(EgressAuditError) as error:
        done_by(here.way, tried)
    return error.value


def no_command(here: Place) -> tuple[str, str]:
    return "no-such-command-of-all", "no such command"


def a_folder(here: Place) -> tuple[str, str]:
    return str(here.work), "folder"


def not_executable(here: Place) -> tuple[str, str]:
    path = here.work / "text"
    path.write_text("#!/bin/sh\n", encoding="ascii")
    path.chmod(0o644)
    return str(path), "may not be executed"


def closed_to_the_user(here: Place) -> tuple[str, str]:
    folder = here.folder / "closed"
    folder.mkdir()
    path = folder / "program"
    path.write_text("#!/bin/sh\n", encoding="ascii")
    path.chmod(0o755)
    folder.chmod(0o000 if os.geteuid() else 0o700)
    return str(path), "closed|no such command"


def of_another_format(here: Place) -> tuple[str, str]:
    path = here.work / "program"
    path.write_bytes(b"\x7fNOT\0\0\0")
    path.chmod(0o755)
    return str(path), "(?i)exec format"


def without_interpreter(here: Place) -> tuple[str, str]:
    path = here.work / "script"
    path.write_text("#!/no/such/interpreter\n", encoding="ascii")
    path.chmod(0o755)
    return str(path), "(?i)no such file"


CANNOT_BE_RUN = (
    no_command,
    a_folder,
    not_executable,
    closed_to_the_user,
    of_another_format,
    without_interpreter,
)


@both_users
@pytest.mark.parametrize("case", CANNOT_BE_RUN, ids=lambda case: case.__name__)
def test_a_command_that_cannot_be_run_is_a_clear_word_and_leaves_nothing(
    way: Way, case: Callable[[Place], tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    way.must_be_possible()
    here = place(way)
    scratch = here.folder / "scratch"
    scratch.mkdir(mode=0o777)
    scratch.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    before = set(descendants(os.getpid()))
    command, words = case(here)
    error = failing(here, command)
    assert isinstance(error, CommandFailed)
    assert error.where in (command, str(Path(command).parent))
    with pytest.raises(CommandFailed, match=words):
        raise error
    assert not list(scratch.iterdir())
    assert set(descendants(os.getpid())) == before


def test_a_command_that_is_known_not_to_run_leaves_no_bundle_either() -> None:
    here = place()
    failing(here, "no-such-command-of-all")
    assert not here.bundle.exists()


def test_a_working_folder_that_is_not_there_is_named() -> None:
    assert "/no/such/folder" in str(failing(place(), "true", folder="/no/such/folder"))


def test_no_command_and_half_an_exercise_are_wrong_usage() -> None:
    here = place()
    for plan in (RunPlan(()), here.plan(("true",), exercise="true")):
        with pytest.raises(WrongUsage):
            record(plan, here.bundle)
    assert not here.bundle.exists()


def test_a_run_leaves_no_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    here = place()
    scratch = here.folder / "scratch"
    scratch.mkdir()
    scratch.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    run_at(here, ("true",))
    assert not list(scratch.iterdir())


# Ends that nobody wished


def started(here: Place, command: tuple[str, ...], group: bool = False) -> tuple[int, int, Tree]:
    """A run in a process of its own: who called it, its recorder, and every process of both."""
    reading, writing = os.pipe()
    told: list[int] = []

    def tell(status: Status) -> None:
        if not told and (here.work / "told.json").exists():
            told.append(os.write(writing, f"{os.getpid()}\n".encode()))

    def called() -> str:
        if group:
            os.setpgid(0, 0)
        os.write(writing, f"{os.getpid()} ".encode())
        return record(here.plan(command), here.bundle, on_tick=tell).ended_by

    outermost = os.fork()
    if outermost == 0:
        os.close(reading)
        try:
            ended_by = done_by(here.way, called)
            (here.folder / "ended").write_text(ended_by, encoding="ascii")
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        caller, recorder = map(int, stream.readline().split())
    return caller, recorder, list(descendants(caller))


def all_gone(tree: Tree, seconds: float = 2.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(is_alive(pid, start) for pid, start in tree):
            return True
        time.sleep(0.02)
    return False


@every_way
@pytest.mark.parametrize("victim", ["recorder", "caller"])
def test_a_kill_ends_a_streaming_tree_and_leaves_what_was_recorded(way: Way, victim: str) -> None:
    way.must_be_possible()
    here = place(way)
    caller, recorder, tree = started(here, python(STREAMS))
    time.sleep(0.3)
    assert recorder in [pid for pid, _ in tree]
    os.kill(recorder if victim == "recorder" else caller, signal.SIGKILL)
    try:
        assert all_gone(tree)
    finally:
        for pid, start in tree:
            if is_alive(pid, start):
                os.kill(pid, signal.SIGKILL)
        os.wait()
    bundle = open_bundle(here.bundle)
    assert not bundle.complete
    assert bundle.account.run.ended_by == "lost"
    assert bundle.account.run.probes
    assert bundle.capture.stat().st_size > 1000


def first_inside(tree: Tree) -> int:
    """Of a run's processes, the one that is number 1 of its own pid namespace."""
    for pid, _ in tree:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        if re.search(r"^NSpid:.*\t1$", status, re.MULTILINE):
            return pid
    raise AssertionError("no process is the first of a namespace")


@every_way
def test_a_sandbox_that_is_killed_ends_in_a_record_that_proves_nothing(way: Way) -> None:
    way.must_be_possible()
    here = place(way)
    _, _, tree = started(here, python(STREAMS))
    os.kill(first_inside(tree), signal.SIGKILL)
    assert all_gone(tree, 10)
    os.wait()
    assert (here.folder / "ended").read_text(encoding="ascii") == "killed"
    bundle = open_bundle(here.bundle)
    assert bundle.complete
    assert not bundle.account.problems
    run = bundle.account.run
    assert (run.ended_by, run.exit_status) == ("killed", Absent.NOT_FOUND)
    assert not run.succeeded
    assert run.drops == {"eg0": Absent.NOT_FOUND, "lo": Absent.NOT_FOUND}
    capture = bundle.capture.read_bytes()
    assert {losses.dropped for losses in losses_of(capture).values()} == {None}
    assert "203.0.113.5" in {frame.target for frame in frames_of(capture)}


def test_a_silent_program_whose_sandbox_is_killed_is_inconclusive() -> None:
    here = place()
    _, _, tree = started(here, python(SLEEPS))
    os.kill(first_inside(tree), signal.SIGKILL)
    assert all_gone(tree, 10)
    os.wait()
    audit = audit_capture(str(here.bundle)).audit
    assert audit.verdict is Verdict.INCONCLUSIVE
    spots = {spot.id for spot in audit.blind_spots if spot.material}
    assert {"drops-unknown", "probes-missing", "observation-short"} <= spots
    assert "record-damaged" not in spots


@both_users
def test_ctrl_c_ends_the_program_and_keeps_the_evidence(way: Way) -> None:
    way.must_be_possible()
    here = place(way)
    caller, _, tree = started(here, python(SLEEPS), group=True)
    os.killpg(os.getpgid(caller), signal.SIGINT)
    assert all_gone(tree, 10)
    os.wait()
    assert (here.folder / "ended").read_text(encoding="ascii") == "interrupted"
    bundle = open_bundle(here.bundle)
    assert bundle.complete
    assert bundle.account.run.ended_by == "interrupted"
    assert bundle.account.run.exit_status == -signal.SIGINT
    assert [probe.noticed for probe in bundle.account.run.probes] == [True] * 8


def test_a_request_to_end_is_passed_on_to_the_program() -> None:
    here = place()
    caller, _, tree = started(here, python(SLEEPS))
    os.kill(caller, signal.SIGTERM)
    assert all_gone(tree, 10)
    os.wait()
    run = open_bundle(here.bundle).account.run
    assert (run.ended_by, run.exit_status) == ("interrupted", -signal.SIGTERM)


def executables_hashed(here: Place) -> bool:
    """True if nobody had enough before what was executed had been hashed; our own interpreter,
    which a process of ours is before it is the program, may lie where that user reads nothing."""
    processes = open_bundle(here.bundle).account.run.processes
    found = [process for process in processes if process.role is Role.TARGET]
    assert found
    return any(process.exe_sha256 is not Absent.NOT_FOUND for process in found)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_that_a_whole_group_gets_is_one(number: signal.Signals) -> None:
    here = place()
    caller, _, tree = started(here, python(SLEEPS), group=True)
    os.killpg(os.getpgid(caller), number)
    assert all_gone(tree, 10)
    os.wait()
    assert open_bundle(here.bundle).account.run.ended_by == "interrupted"
    assert executables_hashed(here)


def test_two_ctrl_c_are_two() -> None:
    here = place()
    _, recorder, tree = started(here, python(SLEEPS))
    for _ in range(2):
        os.kill(recorder, signal.SIGINT)
        time.sleep(0.02)  # Else they would be one for the kernel.
    assert all_gone(tree, 10)
    os.wait()
    assert open_bundle(here.bundle).account.run.ended_by == "interrupted"
    assert not executables_hashed(here)


@pytest.mark.parametrize(
    ("answer", "ended_by"),
    [(signal.SIG_IGN, "tree"), (signal.default_int_handler, "nothing begun")],
)
def test_ctrl_c_before_there_is_a_recorder_ends_the_run_unless_ignored(
    answer: Callable[[int, FrameType | None], None] | signal.Handlers, ended_by: str
) -> None:
    here = place()

    def called() -> str:
        before = signal.signal(signal.SIGINT, answer)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            # It waits, as between two lines of `record`; another thread would take it.
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            return record(here.plan(("true",)), here.bundle).ended_by
        except KeyboardInterrupt:
            return "nothing begun"
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            signal.signal(signal.SIGINT, before)

    assert done_by(here.way, called) == ended_by


WAITS_FOR_A_FILE = """
tell(pid=os.getpid())
while not Path("go").exists():
    time.sleep(0.02)
"""


def test_a_signal_that_was_ignored_before_ends_nothing() -> None:
    here, before = place(), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        caller, recorder, tree = started(here, python(WAITS_FOR_A_FILE))
        os.kill(caller, signal.SIGHUP)
        os.kill(recorder, signal.SIGHUP)
        (here.work / "go").touch()
        assert all_gone(tree, 10)
        os.wait()
    finally:
        signal.signal(signal.SIGHUP, before)
    run = open_bundle(here.bundle).account.run
    assert (run.ended_by, run.exit_status) == ("tree", 0)


OPENS_HUGE_MODEL = """
with open("huge.gguf", "wb") as made:
    made.truncate(1 << 40)
open("huge.gguf", "rb").close()
with open("small.gguf", "wb") as made:
    made.write(b"GGUF")
open("small.gguf", "rb").close()
"""


def test_ctrl_c_while_a_huge_model_is_hashed_ends_the_hashing_and_nothing_else() -> None:
    here = place()
    huge = str(here.work / "huge.gguf")

    def enough(status: Status) -> None:
        if status.step is Step.HASHING and status.phase == huge:
            os.kill(os.getpid(), signal.SIGINT)

    plan = here.plan(python(OPENS_HUGE_MODEL))
    done_by(here.way, lambda: record(plan, here.bundle, on_tick=enough))
    bundle = open_bundle(here.bundle)
    assert bundle.complete
    run = bundle.account.run
    assert (run.ended_by, run.exit_status) == ("tree", 0)
    hashes = {Path(model.path).name: model.sha256 for model in run.model_files}
    assert hashes == {
        "huge.gguf": Absent.NOT_FOUND,
        "small.gguf": hashlib.sha256(b"GGUF").hexdigest(),
    }


def test_a_full_disk_ends_the_run_with_a_word_and_what_was_kept_can_be_judged() -> None:
    usual_way().must_be_possible()
    here = place()

    def on_a_small_disk() -> tuple[str, bool, Verdict | None]:
        mount("small", str(here.bundle.parent), "tmpfs", 0, "size=64k,mode=777")
        try:
            record(here.plan(python(FILLS_THE_DISK), rungs=(Rung.TUN, Rung.VETH)), here.bundle)
        except EgressAuditError as error:
            gone = all_gone(list(descendants(os.getpid())))
            return str(error), gone, audit_capture(str(here.bundle)).audit.verdict
        return "", False, None

    said, gone, verdict = in_child(on_a_small_disk, namespaces=CLONE_NEWNS)
    assert "No space left" in said
    assert gone
    assert verdict is Verdict.VIOLATED, "what was kept is evidence"


def test_a_callback_is_told_where_the_run_is() -> None:
    here = place()
    steps = here.work / "steps"

    def note(status: Status) -> None:
        with steps.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps([status.step, status.packets]) + "\n")

    steps.touch()
    steps.chmod(0o666)
    plan = here.plan(python(ONE_DATAGRAM + "\ntime.sleep(0.3)"))
    done_by(here.way, lambda: record(plan, here.bundle, on_tick=note))
    told = [json.loads(line) for line in steps.read_text(encoding="utf-8").splitlines()]
    assert Step.RUNNING in [step for step, _ in told]
    assert max(packets for _, packets in told) >= 5
