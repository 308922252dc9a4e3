"""What stands in a record: who ran, what was opened and written, what was said and answered."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from egress_audit.evidence.events import read_events
from egress_audit.evidence.lines import MAX_TEXT
from egress_audit.model.destination import Absent
from egress_audit.model.run import Network, Role
from tests.builders.programs import (
    EVERY_KIND,
    ONE_DATAGRAM,
    OVER_LOOPBACK,
    RESOLVES,
    interpreter,
    python,
)
from tests.builders.recorded_runs import Seen, Way, both_users, every_way, place, recorded, run_at

pytestmark = pytest.mark.opens_sockets

OPENS_MODELS = """
import mmap
for name in ("weights.gguf", "model.safetensors", "renamed.dat", "note.txt"):
    if Path(name).exists():
        Path(name).read_bytes()
"""

LARGE_BODY = """
udp("203.0.113.5", 5000, b"prompt " * 100)
"""

STARTS_ANOTHER = """
child = os.fork()
if not child:
    os.execv("/bin/sh", ["sh", "-c", "cat /dev/null; exit 0"])
os.waitpid(child, 0)
"""


def events(seen: Seen) -> list[str]:
    """Kinds of the events of a record, in order."""
    with (seen.bundle.path / "events.jsonl").open("rb") as stream:
        return [event.kind for event in read_events(stream, "events.jsonl")]


@every_way
def test_a_record_begins_with_what_was_asked_and_ends_with_its_last_line(way: Way) -> None:
    seen = recorded(("true",), way)
    kinds = events(seen)
    assert (kinds[0], kinds[-1]) == ("begin", "end")
    assert seen.run.network is Network.SIMULATED
    assert seen.run.rung is way.rung
    assert seen.run.command == "true"
    assert seen.run.own_addresses == ("10.87.0.2", "fd00:e6e4::2")
    assert seen.run.resolvers == ("10.87.0.1", "fd00:e6e4::1")


def test_a_command_longer_than_a_line_of_a_record_is_cut() -> None:
    seen = recorded(("true", *["é" * 5000] * 60))
    assert seen.run.command.startswith("true 'é")
    assert (len(seen.run.command), seen.run.command[-1]) == (MAX_TEXT, "…")


def test_every_line_of_a_record_is_canonical() -> None:
    path = recorded(python(EVERY_KIND)).bundle.path / "events.jsonl"
    for line in path.read_bytes().splitlines():
        text = json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"))
        assert line == text.encode("ascii")


def test_times_run_in_the_order_in_which_it_happened() -> None:
    run = recorded(python(EVERY_KIND)).run
    times = (run.began_ns, run.exec_ns, run.ended_ns, run.tree_ended_ns, run.closed_ns)
    assert not [time for time in times if isinstance(time, Absent)]
    assert list(times) == sorted(times, key=int)


def test_frames_of_the_capture_run_in_the_order_of_time() -> None:
    times = [frame.ts_ns for frame in recorded(python(EVERY_KIND)).frames]
    assert times == sorted(times)


@both_users
def test_a_process_has_executable_digest_command_and_parent(way: Way) -> None:
    seen = recorded(python(ONE_DATAGRAM), way)
    path = os.path.realpath(interpreter())
    assert seen.program.exe == path
    assert seen.program.exe_sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert str(seen.program.cmdline).startswith(f"{interpreter()} -I -S -c ")
    (first,) = [process for process in seen.run.processes if process.role is Role.RECORDER]
    assert seen.program.parent == first.id


def test_a_program_that_is_started_by_another_has_it_as_its_parent() -> None:
    seen = recorded(python(STARTS_ANOTHER))
    known = {process.id: process for process in seen.run.processes}
    (cat,) = [process for process in known.values() if process.cmdline == "cat /dev/null"]
    assert isinstance(cat.parent, int)
    shell = known[cat.parent]
    assert str(shell.cmdline).startswith("sh -c ")
    assert isinstance(shell.parent, int)
    assert str(known[shell.parent].cmdline).startswith(interpreter())
    assert {cat.role, shell.role} == {Role.TARGET}


def test_frames_of_a_process_say_its_pid_and_executable() -> None:
    seen = recorded(python(ONE_DATAGRAM))
    (sent,) = seen.out
    assert sent.comment == f"pid {seen.program.pid} {seen.program.exe}"


def test_answers_of_ours_have_no_process() -> None:
    answers = [frame for frame in recorded(python(EVERY_KIND)).frames if not frame.outbound]
    assert answers
    assert not [frame for frame in answers if frame.comment]


@every_way
def test_simulated_http_is_answered_with_503(way: Way) -> None:
    seen = recorded(python(EVERY_KIND), way)
    assert seen.told["answer"].startswith("HTTP/1.1 503 ")
    assert seen.told["answer6"].startswith("HTTP/1.1 503 ")
    said = b"".join(frame.payload for frame in seen.frames if not frame.outbound)
    assert b"503 Service Unavailable" in said


def test_what_had_no_answer_of_ours_is_a_limit_of_the_recording() -> None:
    seen = recorded(python(ONE_DATAGRAM))
    assert [limit for limit in seen.run.cannot_see if "did not answer" in limit]


def test_a_run_in_which_all_was_answered_has_no_such_limit() -> None:
    seen = recorded(python(RESOLVES, "a.example"))
    assert not [limit for limit in seen.run.cannot_see if "did not answer" in limit]


@every_way
def test_every_name_gets_an_address_of_its_own(way: Way) -> None:
    seen = recorded(python(RESOLVES, "models.example"), way)
    assert dict(seen.run.synthetic) == dict.fromkeys(seen.told["found"], "models.example")
    assert b"models.example" in seen.bundle.capture.read_bytes()


def test_names_may_be_denied_while_the_rest_is_simulated() -> None:
    seen = recorded(python(RESOLVES, "models.example"), dns="nxdomain")
    assert isinstance(seen.told["found"], str)
    assert seen.told["seconds"] < 5
    assert not seen.run.synthetic


def test_addresses_are_invented_in_the_range_that_was_asked_for() -> None:
    seen = recorded(python(RESOLVES, "models.example"), answer_range="203.0.113.0/24", ipv6=False)
    (address,) = seen.told["found"]
    assert address.startswith("203.0.113.")


def test_no_name_has_the_address_of_the_sandbox() -> None:
    seen = recorded(python(RESOLVES, "models.example"), answer_range="10.87.0.0/24", ipv6=False)
    assert list(seen.run.synthetic) == ["10.87.0.3"]


@both_users
def test_models_that_were_opened_are_listed_with_size_and_digest(way: Way) -> None:
    way.must_be_possible()
    here = place(way)
    models = {"weights.gguf": b"GGUF" + bytes(100), "model.safetensors": bytes(50)}
    for name, data in {**models, "note.txt": b"none"}.items():
        (here.work / name).write_bytes(data)
        (here.work / name).chmod(0o644)
    seen = run_at(here, python(OPENS_MODELS))
    found = {Path(model.path).name: (model.size, model.sha256) for model in seen.run.model_files}
    assert found == {
        name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in models.items()
    }


def test_a_model_that_was_not_opened_is_not_listed() -> None:
    here = place()
    (here.work / "weights.gguf").write_bytes(b"GGUF")
    assert not run_at(here, ("true",)).run.model_files


@both_users
def test_what_was_written_is_listed_wherever_that_was(way: Way) -> None:
    program = """
Path("here").write_text("four")
Path("/tmp/there").write_text("five!")
Path(os.environ["HOME"], ".telemetry").write_text("queue")
"""
    seen = recorded(python(program), way)
    written = {file.path: file.size for file in seen.run.written_files}
    assert written == {
        str(seen.place.work / "here"): 4,
        "/tmp/there": 5,
        str(seen.place.home / ".telemetry"): 5,
    }


def test_a_program_that_writes_nothing_has_written_nothing() -> None:
    seen = recorded(("true",))
    assert not seen.run.written_files
    assert seen.run.written_beyond == 0


def test_headers_alone_are_kept_when_that_was_asked_for() -> None:
    seen = recorded(python(LARGE_BODY), headers_only=True)
    assert b"prompt" not in seen.bundle.capture.read_bytes()
    (sent,) = seen.out
    assert sent.ports[1] == 5000


def test_payload_is_kept_otherwise() -> None:
    assert b"prompt prompt" in recorded(python(LARGE_BODY)).bundle.capture.read_bytes()


def test_loopback_and_the_way_out_are_told_apart_in_one_file() -> None:
    seen = recorded(python(OVER_LOOPBACK))
    assert {frame.interface for frame in seen.frames} == {"eg0", "lo"}
    assert seen.bundle.account.received == {
        name: losses.received for name, losses in seen.losses.items()
    }
