"""System calls by ctypes: their numbers, and what each does or raises."""

import errno
import os
import platform
import re
import resource
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from egress_audit.record import syscalls
from egress_audit.record.syscalls import GENERIC, X86_64
from tests.builders.memory import before_the_end, placed
from tests.builders.namespaces import in_child

HEADERS = {
    "x86_64": ("x86_64-linux-gnu/asm/unistd_64.h", "asm/unistd_64.h"),
    "aarch64": ("asm-generic/unistd.h",),
}
DEFINITION = re.compile(r"^#define\s+__NR(?:3264)?_(\w+)\s+(\d+)\s*$", re.MULTILINE)

WELL_KNOWN = {
    "x86_64": {
        "open": 2,
        "socket": 41,
        "connect": 42,
        "sendto": 44,
        "sendmsg": 46,
        "bind": 49,
        "listen": 50,
        "setsockopt": 54,
        "execve": 59,
        "rename": 82,
        "creat": 85,
        "openat": 257,
        "sendmmsg": 307,
        "seccomp": 317,
        "io_uring_setup": 425,
        "openat2": 437,
        "pidfd_getfd": 438,
    },
    "aarch64": {
        "openat": 56,
        "socket": 198,
        "bind": 200,
        "listen": 201,
        "connect": 203,
        "sendto": 206,
        "setsockopt": 208,
        "sendmsg": 211,
        "execve": 221,
        "sendmmsg": 269,
        "seccomp": 277,
        "io_uring_setup": 425,
        "openat2": 437,
        "pidfd_getfd": 438,
    },
}
"""As strace and the man pages give them."""


@cache
def numbers_of_the_headers(kind: str) -> dict[str, int]:
    """Numbers by name, as the kernel's headers on this machine have them; {} without headers."""
    for name in HEADERS[kind]:
        path = Path("/usr/include", name)
        if path.exists():
            text = path.read_text(encoding="utf-8")
            return {name: int(number) for name, number in DEFINITION.findall(text)}
    return {}


@pytest.mark.parametrize(("kind", "table"), [("x86_64", X86_64), ("aarch64", GENERIC)])
def test_every_number_is_that_of_the_kernel_s_headers(kind: str, table: dict[str, int]) -> None:
    headers = numbers_of_the_headers(kind)
    if not headers:
        pytest.skip("no kernel headers are installed")
    # A header that is older than a call does not name it.
    assert {name: headers.get(name, number) for name, number in table.items()} == table
    assert len(set(table) & set(headers)) > 15


@pytest.mark.parametrize(("kind", "table"), [("x86_64", X86_64), ("aarch64", GENERIC)])
def test_well_known_numbers_are_as_everybody_knows_them(kind: str, table: dict[str, int]) -> None:
    known = WELL_KNOWN[kind]
    assert {name: table[name] for name in known} == known


def test_the_generic_table_has_no_calls_that_were_never_in_it() -> None:
    assert not {"open", "creat", "rename"} & set(GENERIC)


def test_the_preprocessor_of_this_machine_agrees() -> None:
    compiler = shutil.which("gcc")
    if compiler is None or platform.machine() not in syscalls.NUMBERS:
        pytest.skip("no gcc on this machine")
    table = syscalls.NUMBERS[platform.machine()]
    source = "#include <asm/unistd.h>\n" + "".join(f"{n} __NR_{n}\n" for n in table)
    done = subprocess.run(
        [compiler, "-E", "-P", "-"], input=source, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("no kernel headers are installed")
    told = dict(line.split() for line in done.stdout.splitlines() if line.strip())
    assert {n: int(told[n]) for n in table if told[n].isdecimal()}.items() <= table.items()


def test_a_call_that_this_machine_does_not_have_is_an_error_with_its_name() -> None:
    with pytest.raises(OSError, match="no_such_call") as raised:
        syscalls.call("no_such_call")
    assert raised.value.errno == errno.ENOSYS


def test_a_call_that_fails_raises_the_kernel_s_error() -> None:
    with pytest.raises(OSError, match="pidfd_getfd") as raised:
        syscalls.call("pidfd_getfd", -1, 0, 0)
    assert raised.value.errno == errno.EBADF


def test_a_duplicate_of_our_own_descriptor_is_the_same_file(tmp_path: Path) -> None:
    with (tmp_path / "one").open("wb") as ours:
        duplicate = syscalls.pidfd_getfd(syscalls.pidfd_open(os.getpid()), ours.fileno())
        os.write(duplicate, b"through the other")
        os.close(duplicate)
    assert (tmp_path / "one").read_bytes() == b"through the other"


def test_a_mount_that_fails_names_its_target(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="mount /nowhere"):
        syscalls.mount("none", "/nowhere", "tmpfs")


def test_an_unmount_that_fails_names_its_target(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="umount /nowhere"):
        syscalls.unmount("/nowhere")


def test_a_namespace_of_no_descriptor_cannot_be_entered() -> None:
    with pytest.raises(OSError, match="setns") as raised:
        syscalls.setns(-1)
    assert raised.value.errno == errno.EBADF


def test_unsharing_what_does_not_exist_is_an_error() -> None:
    with pytest.raises(OSError, match="unshare"):
        syscalls.unshare(1)


def capabilities_of_self() -> dict[str, int]:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    pairs = [line.split() for line in lines if line.startswith("Cap")]
    return {name.rstrip(":"): int(value, 16) for name, value in pairs}


def test_all_capabilities_can_be_dropped() -> None:
    def left() -> dict[str, int]:
        syscalls.drop_capabilities()
        return capabilities_of_self()

    sets = in_child(left, namespaces=syscalls.CLONE_NEWUSER)
    assert set(sets.values()) == {0}


def test_a_capability_that_is_kept_stays_in_every_set_and_no_other() -> None:
    kept = 1 << syscalls.CAP_NET_RAW

    def left() -> dict[str, int]:
        syscalls.drop_capabilities(keep=kept)
        return capabilities_of_self()

    sets = in_child(left, namespaces=syscalls.CLONE_NEWUSER)
    assert set(sets.values()) == {kept}


def test_memory_of_a_process_is_read_as_it_is() -> None:
    address = placed(b"what stands there")
    assert syscalls.read_memory(os.getpid(), address, 17) == b"what stands there"


def test_memory_that_is_not_mapped_cannot_be_read() -> None:
    with pytest.raises(OSError, match="process_vm_readv") as raised:
        syscalls.read_memory(os.getpid(), 8, 8)
    assert raised.value.errno == errno.EFAULT


def test_where_a_mapping_ends_fewer_bytes_are_read() -> None:
    assert syscalls.read_memory(os.getpid(), before_the_end(b"last"), 16) == b"last"


def test_as_many_descriptors_as_allowed_can_be_had() -> None:
    def limits() -> tuple[int, int]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 256))
        syscalls.raise_descriptor_limit()
        return resource.getrlimit(resource.RLIMIT_NOFILE)

    assert in_child(limits) == (256, 256)
