"""What the filter answers to each system call: by an interpreter of its program, and the kernel."""

import ctypes
import errno
import os
import select
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.record import syscalls
from egress_audit.record.filter import (
    ALWAYS,
    FILES,
    IO_URING,
    IOCTL,
    KEYS,
    RET_ALLOW,
    RET_ERRNO,
    RET_NOTIFY,
    TIOCLINUX,
    TIOCSTI,
    install,
    program,
)
from egress_audit.record.notifications import Listener
from egress_audit.record.syscalls import AUDIT_ARCH, NUMBERS
from tests.builders.namespaces import in_child
from tests.reference.classic_bpf import answer, seccomp_data

MACHINES = ("x86_64", "aarch64")
on_each_machine = pytest.mark.parametrize("kind", MACHINES)

ALLOWED, NOTIFIED = RET_ALLOW, RET_NOTIFY
MISSING, FORBIDDEN = RET_ERRNO | errno.ENOSYS, RET_ERRNO | errno.EPERM
I386, ARM = 0x4000_0003, 0x4000_0028
X32 = 0x4000_0000

ALWAYS_NOTIFIED = (
    "connect",
    "sendmsg",
    "sendmmsg",
    "bind",
    "listen",
    "execve",
    "execveat",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "add_key",
    "request_key",
    "keyctl",
)
FILE_CALLS = (
    "openat",
    "open",
    "openat2",
    "creat",
    "rename",
    "renameat",
    "renameat2",
    "mknod",
    "mknodat",
)
HARMLESS = {"x86_64": (0, 1, 3, 9, 39, 202, 231), "aarch64": (57, 63, 64, 93, 98, 172, 222)}
"""read, write, close, mmap, getpid, futex, exit_group, of each table."""

STREAM, DGRAM, RAW, SEQPACKET, PACKET_TYPE = 1, 2, 3, 5, 10
NONBLOCK, CLOEXEC = 0o4000, 0o2_000_000
UNIX, INET, INET6, NETLINK, PACKET, ALG, BLUETOOTH, VSOCK, XDP = 1, 2, 10, 16, 17, 38, 31, 40, 44


def answered(kind: str, call: str | int, *arguments: int, files: bool = True) -> int:
    number = call if isinstance(call, int) else NUMBERS[kind][call]
    return answer(program(kind, files=files), seccomp_data(number, AUDIT_ARCH[kind], arguments))


@on_each_machine
@pytest.mark.parametrize("call", ALWAYS_NOTIFIED)
def test_a_call_that_may_lead_out_waits_whatever_its_arguments(kind: str, call: str) -> None:
    for arguments in ((), (3, 0, 0), ((1 << 64) - 1,) * 6):
        assert answered(kind, call, *arguments) == NOTIFIED


@on_each_machine
@pytest.mark.parametrize("call", FILE_CALLS)
def test_opening_a_file_waits_where_it_is_asked_for(kind: str, call: str) -> None:
    if call in NUMBERS[kind]:
        assert answered(kind, call) == NOTIFIED
        assert answered(kind, call, files=False) == ALLOWED


def test_the_tables_hold_no_call_that_is_not_tried_here() -> None:
    assert {*ALWAYS, *KEYS, *IO_URING} == set(ALWAYS_NOTIFIED)
    assert set(FILES) == set(FILE_CALLS)


@on_each_machine
def test_a_call_that_leads_nowhere_is_let_go(kind: str) -> None:
    assert {answered(kind, number) for number in HARMLESS[kind]} == {ALLOWED}


@on_each_machine
@given(number=st.integers(0, 1000))
def test_only_the_calls_that_are_named_are_not_let_go(kind: str, number: int) -> None:
    looked_at = (*ALWAYS, *KEYS, *IO_URING, *FILES, "socket", "sendto", "kill")
    named = {NUMBERS[kind][call] for call in looked_at if call in NUMBERS[kind]}
    assert (answered(kind, number, 0, 0, 0, 0, 1) == ALLOWED) == (number not in named)


@on_each_machine
@pytest.mark.parametrize("arch", [I386, ARM, 0, 0xFFFF_FFFF])
def test_calls_of_another_architecture_wait(kind: str, arch: int) -> None:
    for number in (0, 1, NUMBERS[kind]["connect"], 359, 362):
        assert answer(program(kind), seccomp_data(number, arch)) == NOTIFIED


def test_each_machine_takes_the_other_for_foreign() -> None:
    for ours, theirs in (MACHINES, MACHINES[::-1]):
        data = seccomp_data(NUMBERS[theirs]["connect"], AUDIT_ARCH[theirs])
        assert answer(program(ours), data) == NOTIFIED


@pytest.mark.parametrize("number", [X32, X32 | 1, X32 | 42, X32 | 520, 0x7FFF_FFFF])
def test_x32_calls_wait(number: int) -> None:
    assert answered("x86_64", number) == NOTIFIED


@pytest.mark.parametrize("number", [0x8000_0000, 0xFFFF_FFFF])
def test_a_negative_number_is_no_call_of_any_kind(number: int) -> None:
    assert answered("x86_64", number) == MISSING


def test_the_greatest_number_below_x32_is_an_ordinary_call() -> None:
    assert answered("x86_64", X32 - 1) == ALLOWED


# sendto: args (fd, buffer, length, flags, address, address length)


@on_each_machine
@pytest.mark.parametrize("pointer", [1, 0x7FFF_0000, 1 << 32, 0xFF00_0000_0000_0000])
def test_a_send_to_an_address_waits_in_whichever_half_its_pointer_has_bits(
    kind: str, pointer: int
) -> None:
    assert answered(kind, "sendto", 3, 0, 0, 0, pointer, 16) == NOTIFIED


@on_each_machine
def test_a_send_without_an_address_is_let_go(kind: str) -> None:
    assert answered(kind, "sendto", 3, (1 << 64) - 1, 9, 9, 0, 0) == ALLOWED


# socket: args (family, type, protocol)


@on_each_machine
@pytest.mark.parametrize("family", [UNIX, NETLINK, ALG])
@pytest.mark.parametrize("type_", [STREAM, DGRAM, RAW, SEQPACKET])
def test_a_socket_that_stays_on_the_machine_is_let_go(kind: str, family: int, type_: int) -> None:
    assert answered(kind, "socket", family, type_) == ALLOWED


@on_each_machine
@pytest.mark.parametrize("family", [INET, INET6])
@pytest.mark.parametrize("type_", [STREAM, DGRAM, SEQPACKET])
@pytest.mark.parametrize("flags", [0, NONBLOCK, CLOEXEC, NONBLOCK | CLOEXEC])
def test_an_ordinary_internet_socket_is_let_go(
    kind: str, family: int, type_: int, flags: int
) -> None:
    assert answered(kind, "socket", family, type_ | flags, 17) == ALLOWED


@on_each_machine
@pytest.mark.parametrize("family", [INET, INET6])
@pytest.mark.parametrize("type_", [RAW, PACKET_TYPE])
@pytest.mark.parametrize("flags", [0, NONBLOCK, CLOEXEC, NONBLOCK | CLOEXEC])
def test_a_raw_socket_waits_whatever_flags_it_has(
    kind: str, family: int, type_: int, flags: int
) -> None:
    assert answered(kind, "socket", family, type_ | flags, 255) == NOTIFIED


@on_each_machine
@given(family=st.integers(0, 0xFFFF_FFFF).filter(lambda f: f not in (1, 2, 10, 16, 38)))
def test_a_socket_of_any_other_family_waits(kind: str, family: int) -> None:
    assert answered(kind, "socket", family, STREAM) == NOTIFIED


@on_each_machine
@pytest.mark.parametrize("above", [1 << 32, 0xFFFF_FFFF << 32])
def test_the_upper_half_of_an_int_changes_nothing(kind: str, above: int) -> None:
    assert answered(kind, "socket", INET | above, STREAM | above) == ALLOWED
    assert answered(kind, "socket", PACKET | above, DGRAM | above) == NOTIFIED
    assert answered(kind, "setsockopt", 3, 0 | above, 35 | above) == NOTIFIED
    assert answered(kind, "seccomp", 1 | above, 8 | above) == NOTIFIED


# setsockopt: args (fd, level, option, …)


@on_each_machine
@pytest.mark.parametrize(
    "level_and_option", [(0, 35), (0, 39), (0, 42), (0, 46), (41, 20), (41, 42), (41, 46)]
)
def test_joining_a_multicast_group_waits(kind: str, level_and_option: tuple[int, int]) -> None:
    assert answered(kind, "setsockopt", 3, *level_and_option) == NOTIFIED


@on_each_machine
@pytest.mark.parametrize(
    "level_and_option",
    [(0, 36), (0, 40), (0, 45), (0, 20), (41, 21), (41, 35), (41, 26), (1, 35), (6, 42), (17, 20)],
)
def test_any_other_option_is_let_go(kind: str, level_and_option: tuple[int, int]) -> None:
    assert answered(kind, "setsockopt", 3, *level_and_option) == ALLOWED


# seccomp: args (operation, flags, program)


@on_each_machine
@pytest.mark.parametrize("flags", [8, 8 | 1, 0xFFFF_FFFF])
def test_asking_for_a_second_listener_waits(kind: str, flags: int) -> None:
    assert answered(kind, "seccomp", 1, flags) == NOTIFIED


@on_each_machine
@pytest.mark.parametrize("operation_and_flags", [(1, 0), (1, 1), (1, 7), (0, 0), (0, 8), (2, 8)])
def test_a_program_may_confine_itself_further(
    kind: str, operation_and_flags: tuple[int, int]
) -> None:
    assert answered(kind, "seccomp", *operation_and_flags) == ALLOWED


# kill: args (pid, signal)


@on_each_machine
@pytest.mark.parametrize("pid", [0, 1 << 32])
def test_a_signal_to_the_own_group_waits(kind: str, pid: int) -> None:
    assert answered(kind, "kill", pid, 15) == NOTIFIED


@on_each_machine
@pytest.mark.parametrize("pid", [(1 << 64) - 1, (1 << 32) - 1])
def test_a_signal_to_everybody_waits(kind: str, pid: int) -> None:
    assert answered(kind, "kill", pid, 15) == NOTIFIED


@on_each_machine
@pytest.mark.parametrize("pid", [1, 4711, (1 << 64) - 2, (1 << 64) - 7])
def test_a_signal_to_any_other_is_let_go(kind: str, pid: int) -> None:
    assert answered(kind, "kill", pid, 15) == ALLOWED


# ioctl: args (fd, request, …)


@on_each_machine
@pytest.mark.parametrize("request_", [TIOCSTI, TIOCLINUX, TIOCSTI | 1 << 32])
def test_typing_into_the_terminal_for_its_user_is_forbidden(kind: str, request_: int) -> None:
    assert answered(kind, IOCTL[kind], 0, request_) == FORBIDDEN


@on_each_machine
@pytest.mark.parametrize("request_", [0x5401, 0x5413, 0x8927, TIOCSTI + 1, 0])
def test_any_other_ioctl_is_let_go(kind: str, request_: int) -> None:
    assert answered(kind, IOCTL[kind], 0, request_) == ALLOWED


@on_each_machine
@given(
    number=st.integers(0, 0xFFFF_FFFF),
    arch=st.sampled_from((*AUDIT_ARCH.values(), I386)),
    arguments=st.lists(st.integers(0, (1 << 64) - 1), min_size=6, max_size=6),
)
def test_every_call_gets_one_of_four_answers(
    kind: str, number: int, arch: int, arguments: list[int]
) -> None:
    given_ = answer(program(kind), seccomp_data(number, arch, arguments))
    assert given_ in (ALLOWED, NOTIFIED, MISSING, FORBIDDEN)


@on_each_machine
@pytest.mark.parametrize("files", [True, False])
def test_every_path_through_the_program_ends(kind: str, files: bool) -> None:
    steps = list(struct.iter_unpack("<HBBI", program(kind, files=files)))
    for place, (code, if_true, if_false, _) in enumerate(steps):
        if code & 7 == 5:
            assert place + 1 + max(if_true, if_false) < len(steps)
    assert steps[-1][0] == 0x06


def test_a_machine_whose_numbers_are_not_known_has_no_filter() -> None:
    with pytest.raises(KeyError):
        program("riscv64")


# The kernel's own word


@pytest.mark.opens_sockets
def test_under_the_filter_an_allowed_call_is_carried_out_without_us() -> None:
    def port() -> bool:
        install(files=False)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            return made.fileno() >= 0

    assert in_child(port)


def test_under_the_filter_bytes_cannot_be_put_into_a_terminal() -> None:
    def refused() -> int | None:
        _, terminal = os.openpty()
        install(files=False)
        ctypes.set_errno(0)
        done = syscalls.libc().ioctl(terminal, ctypes.c_ulong(TIOCSTI), b"x")
        return ctypes.get_errno() if done < 0 else None

    assert in_child(refused) == errno.EPERM


def test_under_the_filter_a_new_privilege_cannot_be_had() -> None:
    def no_new_privileges() -> int:
        install(files=False)
        return syscalls.prctl(39)

    assert in_child(no_new_privileges) == 1


@pytest.mark.opens_sockets
def test_under_the_filter_a_call_that_leads_out_waits_for_the_listener() -> None:
    def refused_with() -> tuple[int | None, str, bool]:
        """A child installs the filter and connects; its parent answers as the recorder would."""
        ready, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            number = install(files=False)
            os.write(told, str(number).encode())
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
                os._exit(made.connect_ex(("127.0.0.1", 9)))
        number = int(os.read(ready, 16))
        listener = Listener(syscalls.pidfd_getfd(syscalls.pidfd_open(pid), number))
        select.select([listener.descriptor], [], [], 10)
        note = listener.receive()
        assert note is not None
        waited = listener.still_waits(note)
        listener.refuse(note, errno.ENETUNREACH)
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status), note.name, waited and note.tid == pid

    assert in_child(refused_with) == (errno.ENETUNREACH, "connect", True)
