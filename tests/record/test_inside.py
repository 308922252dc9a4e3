"""A path of the sandbox is resolved in the sandbox and nowhere else."""

import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from egress_audit.record.inside import O_PATH, Inside

SECRET = b"inside the sandbox"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / "etc").mkdir(parents=True)
    (made / "etc/passwd").write_bytes(SECRET)
    return made


@pytest.fixture
def inside(root: Path) -> Iterator[Inside]:
    made = Inside(os.open(root, O_PATH | os.O_DIRECTORY))
    yield made
    made.close()


def read(inside: Inside, path: str) -> bytes:
    with os.fdopen(inside.open(path), "rb") as stream:
        return stream.read()


def refused(inside: Inside, path: str) -> int | None:
    with pytest.raises(OSError) as raised:
        inside.open(path)
    return raised.value.errno


def test_a_file_is_found_below_the_root(inside: Inside) -> None:
    assert read(inside, "/etc/passwd") == SECRET


def test_a_link_to_an_absolute_path_stays_inside(inside: Inside, root: Path) -> None:
    (root / "link").symlink_to("/etc/passwd")
    assert Path("/etc/passwd").read_bytes() != SECRET
    assert read(inside, "/link") == SECRET


@pytest.mark.parametrize("path", ["/../../../../../../etc/passwd", "/etc/../../../etc/passwd"])
def test_dots_do_not_lead_above_the_root(inside: Inside, path: str) -> None:
    assert read(inside, path) == SECRET


def test_a_link_with_dots_does_not_lead_above_the_root(inside: Inside, root: Path) -> None:
    (root / "link").symlink_to("../" * 20 + "etc/passwd")
    assert read(inside, "/link") == SECRET


def test_a_linked_folder_on_the_way_stays_inside(inside: Inside, root: Path) -> None:
    (root / "folder").symlink_to("/etc")
    assert read(inside, "/folder/passwd") == SECRET


def test_what_exists_on_the_host_alone_is_not_found(inside: Inside, root: Path) -> None:
    (root / "link").symlink_to("/proc/self/status")
    assert refused(inside, "/link") == errno.ENOENT
    assert refused(inside, "/proc/self/status") == errno.ENOENT


def test_a_link_to_itself_ends(inside: Inside, root: Path) -> None:
    (root / "loop").symlink_to("loop")
    assert refused(inside, "/loop") == errno.ELOOP


@pytest.mark.parametrize("path", ["/proc/self/root", "/proc/self/cwd", "/proc/self/exe"])
def test_the_kernel_s_magic_links_are_refused(path: str) -> None:
    inside = Inside.of(os.getpid())
    with pytest.raises(OSError, match="openat2") as raised:
        inside.stat(path)
    inside.close()
    assert raised.value.errno == errno.ELOOP


def test_a_magic_link_on_the_way_is_refused() -> None:
    inside = Inside.of(os.getpid())
    assert refused(inside, "/proc/self/root/etc/passwd") == errno.ELOOP
    inside.close()


def test_the_root_of_a_process_is_what_it_has_as_root() -> None:
    inside = Inside.of(os.getpid())
    assert os.path.samestat(inside.stat("/etc/passwd"), Path("/etc/passwd").stat())
    inside.close()


def test_a_process_that_is_not_there_has_no_root() -> None:
    with pytest.raises(FileNotFoundError):
        Inside.of((1 << 22) + 1)


def test_a_link_is_followed_to_what_it_names(inside: Inside, root: Path) -> None:
    (root / "link").symlink_to("etc/passwd")
    assert inside.stat("/link").st_size == len(SECRET)


def test_a_file_that_may_not_be_read_can_be_looked_at(inside: Inside, root: Path) -> None:
    (root / "etc/passwd").chmod(0)
    assert stat.S_ISREG(inside.stat("/etc/passwd").st_mode)


def test_a_file_opened_for_reading_cannot_be_written(inside: Inside) -> None:
    descriptor = inside.open("/etc/passwd")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(descriptor, b"x")
    os.close(descriptor)


def test_a_descriptor_is_not_inherited(inside: Inside) -> None:
    descriptor = inside.open("/etc/passwd")
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


def test_a_folder_is_no_file_to_read(inside: Inside) -> None:
    assert refused(inside, "/etc") == errno.EINVAL


def test_a_fifo_is_not_opened_so_who_waits_at_it_goes_on_waiting(
    inside: Inside, root: Path
) -> None:
    os.mkfifo(root / "model.bin")
    writer = os.fork()
    if writer == 0:
        os.close(os.open(root / "model.bin", os.O_WRONLY))
        os._exit(0)
    assert refused(inside, "/model.bin") == errno.EINVAL
    waited = os.waitpid(writer, os.WNOHANG) == (0, 0)
    reader = os.open(root / "model.bin", os.O_RDONLY)
    os.waitpid(writer, 0)
    os.close(reader)
    assert waited


@pytest.mark.opens_sockets
def test_a_socket_is_no_file_to_read(inside: Inside, root: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(root / "s"))
        assert refused(inside, "/s") == errno.EINVAL
        assert stat.S_ISSOCK(inside.stat("/s").st_mode)


def test_a_refusal_leaves_no_descriptor(inside: Inside) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        refused(inside, "/etc")
        refused(inside, "/nowhere")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
