"""What a program finds in its sandbox: files, names, variables, and who it is."""

import os

import pytest

from egress_audit.model.run import Rung
from egress_audit.record.plan import RunPlan
from egress_audit.record.way_on import resolvers_of
from tests.builders.namespaces import NOBODY
from tests.builders.programs import python
from tests.builders.recorded_runs import (
    TOLD,
    Place,
    Seen,
    Way,
    both_users,
    every_way,
    place,
    recorded,
    run_at,
)

pytestmark = pytest.mark.opens_sockets

LOOKS_AT_HOME = """
home = Path(os.environ["HOME"])
def text(path):
    try:
        return path.read_text()
    except OSError as error:
        return errno.errorcode[error.errno]
tell(document=text(home / "document"), stamp=text(home / sys.argv[1]))
(home / "written").write_text("inside")
tell(written=text(home / "written"))
tell(changed=tried(lambda: (home / "document").write_text("changed")))
"""

LOOKS_AROUND = """
tell(
    resolvers=Path("/etc/resolv.conf").read_text().split()[1::2],
    hosts=[l for l in Path("/etc/nsswitch.conf").read_text().splitlines() if l.startswith("hosts")],
    private={folder: os.listdir(folder) for folder in ("/tmp", "/var/tmp", "/dev/shm")},
    folder=os.getcwd(),
    uid=os.getuid(),
    groups=os.getgroups(),
    links=sorted(name for _, name in socket.if_nameindex()),
    variables=dict(os.environ),
    cgroup=Path("/proc/self/cgroup").read_text(),
)
"""
STAMP = ".cache/huggingface/.agent_harnesses.json"


def with_home(way: Way) -> Place:
    """Folders with a HOME that holds a document, and a stamp of today."""
    way.must_be_possible()
    here = place(way)
    stamp = here.home / STAMP
    stamp.parent.mkdir(parents=True)
    stamp.write_text("{}", encoding="ascii")
    (here.home / "document").write_text("mine", encoding="ascii")
    (here.home / "document").chmod(0o600)
    for path in here.home.rglob("*"):
        os.chown(path, here.home.stat().st_uid, here.home.stat().st_gid)
    return here


def looked_at(way: Way, kind: str) -> Seen:
    return run_at(with_home(way), python(LOOKS_AT_HOME, STAMP), home=kind)


@every_way
def test_home_is_readable_and_what_is_written_there_stays_inside(way: Way) -> None:
    seen = looked_at(way, "overlay")
    assert seen.run.home == "overlay"
    assert (seen.told["document"], seen.told["written"]) == ("mine", "inside")
    assert not (seen.place.home / "written").exists()
    assert (seen.place.home / "document").read_text(encoding="ascii") == "mine"
    written = {file.path for file in seen.run.written_files}
    changed = {str(seen.place.home / name) for name in ("written", "document")}
    assert written == changed | {str(seen.place.work / TOLD)}


@both_users
def test_a_stamp_that_would_silence_a_product_is_hidden_and_listed(way: Way) -> None:
    seen = looked_at(way, "overlay")
    assert seen.told["stamp"] == "ENOENT"
    assert [(stamp.path, stamp.hidden) for stamp in seen.run.stamps] == [
        (str(seen.place.home / STAMP), True)
    ]
    assert (seen.place.home / STAMP).exists()


@both_users
def test_a_fresh_home_is_empty(way: Way) -> None:
    seen = looked_at(way, "fresh")
    assert seen.run.home == "fresh"
    assert seen.told["document"] == "ENOENT"
    assert seen.told["written"] == "inside"
    assert not (seen.place.home / "written").exists()


@both_users
def test_a_real_home_is_the_hosts_own_and_its_stamps_are_told(way: Way) -> None:
    seen = looked_at(way, "real")
    assert seen.run.home == "real"
    assert (seen.place.home / "written").read_text(encoding="ascii") == "inside"
    assert [stamp.hidden for stamp in seen.run.stamps] == [seen.told["stamp"] != "{}"]
    assert str(seen.place.home / "written") in {file.path for file in seen.run.written_files}


@every_way
def test_names_are_asked_of_our_resolvers_alone(way: Way) -> None:
    told = recorded(python(LOOKS_AROUND), way).told
    assert told["resolvers"] == ["10.87.0.1", "fd00:e6e4::1"]
    assert told["hosts"] == ["hosts: files dns"]


@every_way
def test_folders_that_everybody_shares_are_the_programs_own(way: Way) -> None:
    seen = recorded(python(LOOKS_AROUND), way)
    private = seen.told["private"]
    assert private["/var/tmp"] == private["/dev/shm"] == []
    kept = (
        seen.place.folder.relative_to("/tmp").parts[0]
        if seen.place.folder.is_relative_to("/tmp")
        else ""
    )
    assert set(private["/tmp"]) <= {kept}


@every_way
def test_a_program_sees_two_links_and_stands_in_its_folder(way: Way) -> None:
    seen = recorded(python(LOOKS_AROUND), way)
    assert seen.told["links"] == ["eg0", "lo"]
    assert seen.told["folder"] == str(seen.place.work)
    assert seen.told["cgroup"].strip().endswith(":/")


@both_users
def test_a_program_is_never_root(way: Way) -> None:
    uid = recorded(python(LOOKS_AROUND), way).told["uid"]
    assert uid == (NOBODY if os.geteuid() == 0 else os.geteuid())


def test_a_program_of_sudo_runs_as_who_called_it() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be sudo")
    here = place(Way(True, Rung.TUN))
    environment = {"SUDO_UID": "1", "SUDO_GID": "1", "SUDO_USER": "daemon", "SUDO_COMMAND": "x"}
    told = run_at(here, python(LOOKS_AROUND), environment=environment).told
    assert told["uid"] == 1
    assert told["groups"] in ([], [1])
    assert not [name for name in told["variables"] if name.startswith("SUDO_")]


def test_a_program_runs_as_the_user_that_was_asked_for() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can choose")
    here = place(Way(True, Rung.TUN))
    assert run_at(here, python(LOOKS_AROUND), user="daemon").told["uid"] == 1


def test_the_environment_is_the_users_own_but_for_what_announces_ci() -> None:
    environment = {"CI": "true", "GITHUB_ACTIONS": "1", "HF_HUB_OFFLINE": "1", "MINE": "kept"}
    seen = recorded(python(LOOKS_AROUND), environment=environment)
    variables = seen.told["variables"]
    assert "CI" not in variables
    assert "GITHUB_ACTIONS" not in variables
    assert (variables["MINE"], variables["HF_HUB_OFFLINE"]) == ("kept", "1")
    assert seen.run.removed_variables == ("CI", "GITHUB_ACTIONS")
    assert [setting.name for setting in seen.run.conditions] == ["HF_HUB_OFFLINE"]


def test_variables_of_a_file_are_added() -> None:
    here = place()
    path = here.folder / "variables"
    path.write_text("MORE='of it'\nHTTPS_PROXY=http://127.0.0.1:3128\n", encoding="utf-8")
    seen = run_at(here, python(LOOKS_AROUND), env_file=str(path))
    assert seen.told["variables"]["MORE"] == "of it"
    assert [setting.name for setting in seen.run.endpoints] == ["HTTPS_PROXY"]


def test_a_program_finds_the_file_for_its_phases_empty_and_writable() -> None:
    program = """
place = os.environ["EGRESS_AUDIT_PHASES"]
tell(before=Path(place).read_text(), came=tried(lambda: Path(place).write_text("{}")))
"""
    assert recorded(python(program)).told == {"before": "", "came": 2}


def test_a_folder_that_is_bound_is_there_and_may_be_written() -> None:
    here = place()
    folder = here.folder / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    program = "Path(sys.argv[1].removeprefix('at:'), 'made').write_text('x')"
    seen = run_at(here, python(program, f"at:{folder}"), bind=(str(folder),))
    assert (folder / "made").read_text(encoding="ascii") == "x"
    assert str(folder / "made") in {file.path for file in seen.run.written_files}


def test_a_folder_beside_the_programs_own_is_not_there() -> None:
    here = place()
    if not here.folder.is_relative_to("/tmp"):
        pytest.skip("the tests' folder is not one that is private to programs")
    program = "tell(beside=os.path.exists(sys.argv[1].removeprefix('at:')))"
    folder = here.folder / "beside"
    folder.mkdir()
    assert run_at(here, python(program, f"at:{folder}")).told == {"beside": False}


def test_an_exercise_has_the_programs_environment_and_folder() -> None:
    here = place()
    seen = run_at(
        here,
        ("sleep", "5"),
        environment={"MINE": "kept"},
        exercise="echo $MINE; pwd; id -u",
        expect=f"kept\n{here.work}\n",
        observe_s=1.0,
    )
    assert [phase.word for phase in seen.run.phases if isinstance(phase.end_ns, int)] == [
        "run",
        "generate",
    ]


def test_without_ipv6_there_is_one_resolver() -> None:
    assert resolvers_of(RunPlan(("true",), ipv6=False)) == ("10.87.0.1",)
    assert len(resolvers_of(RunPlan(("true",)))) == 2


@both_users
def test_what_was_written_without_an_open_by_name_is_listed(way: Way) -> None:
    program = """
Path("/proc/self/cwd/around").write_text("x")
Path("back").write_text("x")
os.utime("back", (0, 0))
os.mkdir("folder")
os.symlink("/etc", "link")
"""
    seen = recorded(python(program), way)
    written = {file.path for file in seen.run.written_files}
    assert {str(seen.place.work / name) for name in ("around", "back", "link")} <= written
    assert f"{seen.place.work}/folder/" in written


@both_users
def test_a_program_that_writes_nothing_leaves_no_file(way: Way) -> None:
    assert recorded(("true",), way).run.written_files == ()
