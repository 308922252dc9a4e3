"""Every packet has its process, whatever the program does to be another one."""

import pytest

from tests.builders.programs import (
    BURST,
    FLIPS_ITS_ADDRESS,
    MANY_CHILDREN,
    RESOLVES,
    SENDMMSG,
    python,
)
from tests.builders.recorded_runs import Way, both_rungs, every_way, recorded

pytestmark = pytest.mark.opens_sockets

THREADS = """
def one(number):
    udp("203.0.113.5", 6000 + number)
threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""

PASSES_A_SOCKET = """
ours, theirs = socket.socketpair(socket.AF_UNIX)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.connect(("203.0.113.5", 5000))
if not os.fork():
    ours.close()
    _, descriptors, _, _ = socket.recv_fds(theirs, 1, 1)
    os.write(descriptors[0], b"from the other")
    os._exit(0)
socket.send_fds(ours, [b"x"], [sender.fileno()])
os.wait()
"""

REUSES_A_PORT = """
for number in range(50):
    if not os.fork():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(("", 7777))
            sender.sendto(str(os.getpid()).encode(), ("203.0.113.5", 6000 + number))
        os._exit(0)
    os.wait()
"""

SHARES_A_PORT = """
begun, goes_on = os.pipe(), os.pipe()
for number in range(2):
    if not os.fork():
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(("", 7777))
            one.connect(("203.0.113.5", 6000 + number))
            os.write(begun[1], b".")
            os.read(goes_on[0], 1)
            one.sendall(str(number).encode())
        os._exit(0)
for _ in range(2): os.read(begun[0], 1)
os.write(goes_on[1], b"..")
for _ in range(2): os.wait()
"""

FLIPS_A_DATAGRAM = """
place = ctypes.create_string_buffer(
    struct.pack("=H", 2) + struct.pack("!H", 5000) + bytes([203, 0, 113, 5]) + bytes(8))
here, there, over = bytes([203, 0, 113, 5]), bytes([203, 0, 113, 6]), []
def flip():
    while not over:
        place[4:8] = there
        place[4:8] = here
libc = ctypes.CDLL(None, use_errno=True)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    one.bind(("", 7777))
    flipping = threading.Thread(target=flip)
    flipping.start()
    for number in range(300):
        libc.sendto(one.fileno(), b"x", 1, 0, place, 16)
    over.append(1)
    flipping.join()
"""

FRAGMENTS = """
udp("203.0.113.5", 5000, bytes(4000))
udp("2001:db8::5", 5000, bytes(4000))
"""

EXECUTES_AND_SENDS = """
if len(sys.argv) > 1:
    udp("203.0.113.5", 5000, b"after")
else:
    udp("203.0.113.5", 5000, b"before")
    os.execv(sys.executable, [*sys.orig_argv, "again"])
"""


@both_rungs
def test_a_thousand_forked_children_with_one_connection_each_are_told_apart(way: Way) -> None:
    seen = recorded(python(MANY_CHILDREN, "1000"), way, observe_s=60.0)
    opened = [frame for frame in seen.out if frame.opens]
    assert sorted(frame.ports[1] for frame in opened) == [10_000 + n for n in range(1000)]
    assert len({frame.pid for frame in opened}) == 1000
    pids = {process.id: process.pid for process in seen.run.processes}
    said = {attempt.port: pids[attempt.process] for attempt in seen.attempts("connect")}
    assert said == {frame.ports[1]: frame.pid for frame in opened}
    assert seen.run.unattributed == 0


@both_rungs
def test_the_record_names_the_same_owner_of_each_connection_as_the_capture(way: Way) -> None:
    seen = recorded(python(MANY_CHILDREN, "60"), way)
    pids = {process.id: process.pid for process in seen.run.processes}
    owners = seen.bundle.account.owners
    said = {
        int(frame): pids[int(process)]
        for frame, process in zip(owners.frame, owners.process, strict=True)
    }
    opened = {frame.number: frame.pid for frame in seen.out if frame.opens}
    assert len(opened) == 60
    assert opened.items() <= said.items()


def test_every_child_has_the_program_as_its_parent() -> None:
    seen = recorded(python(MANY_CHILDREN, "60"))
    children = {seen.owner(frame) for frame in seen.out if frame.opens}
    (parent,) = {child.parent for child in children if child is not None}
    assert [process.exe for process in seen.run.processes if process.id == parent] == [
        seen.program.exe
    ]


@every_way
def test_a_sendmmsg_to_several_addresses_is_an_attempt_at_each(way: Way) -> None:
    seen = recorded(python(SENDMMSG), way)
    wanted = ["203.0.113.1", "203.0.113.2", "203.0.113.3"]
    assert seen.told["sent"] == 3
    assert [attempt.address for attempt in seen.attempts("sendmmsg")] == wanted
    assert [frame.target for frame in seen.out] == wanted
    assert {frame.pid for frame in seen.out} == {seen.program.pid}


@both_rungs
def test_an_address_that_is_changed_behind_our_back_is_named_by_its_packet(way: Way) -> None:
    seen = recorded(python(FLIPS_ITS_ADDRESS), way)
    opened = [frame for frame in seen.out if frame.opens]
    assert len(opened) == seen.told["done"] == 300
    assert {frame.pid for frame in seen.out} == {seen.program.pid}
    named = {attempt.address for attempt in seen.attempts("connect")}
    assert {frame.target for frame in opened} <= named
    assert seen.run.unattributed == 0


def test_an_address_that_is_changed_on_a_socket_with_a_port_is_named_by_its_datagram() -> None:
    seen = recorded(python(FLIPS_A_DATAGRAM))
    assert {frame.pid for frame in seen.out} == {seen.program.pid}
    assert len(seen.out) == 300
    named = {attempt.address for attempt in seen.attempts()}
    assert {frame.target for frame in seen.out} <= named
    assert named <= {"203.0.113.5", "203.0.113.6", "0.0.0.0"}


def test_of_live_connections_that_share_a_port_each_is_its_own_process_s() -> None:
    seen = recorded(python(SHARES_A_PORT))
    pids = {process.id: process.pid for process in seen.run.processes}
    said = {attempt.port: pids[attempt.process] for attempt in seen.attempts("connect")}
    assert len(set(said.values())) == 2
    assert {(f.ports[1], f.pid) for f in seen.out if f.pid is not None} == set(said.items())
    assert {frame.payload for frame in seen.out} >= {b"0", b"1"}


def test_packets_of_threads_belong_to_their_process() -> None:
    seen = recorded(python(THREADS))
    assert sorted(frame.ports[1] for frame in seen.out) == [6000 + n for n in range(20)]
    assert {frame.pid for frame in seen.out} == {seen.program.pid}


def test_a_socket_that_was_handed_on_belongs_to_somebody_of_the_tree() -> None:
    (sent,) = recorded(python(PASSES_A_SOCKET)).out
    assert sent.payload == b"from the other"
    assert sent.pid


def test_a_port_that_changes_hands_is_joined_to_the_hand_that_has_it() -> None:
    seen = recorded(python(REUSES_A_PORT))
    assert len({frame.pid for frame in seen.out}) == 50
    pids = {process.id: process.pid for process in seen.run.processes}
    said = {attempt.port: pids[attempt.process] for attempt in seen.attempts("sendto")}
    assert said == {frame.ports[1]: frame.pid for frame in seen.out}


@both_rungs
def test_every_fragment_of_a_datagram_has_the_process_of_the_first(way: Way) -> None:
    seen = recorded(python(FRAGMENTS), way)
    assert len(seen.out) == 6
    assert {frame.pid for frame in seen.out} == {seen.program.pid}


def test_what_was_sent_before_an_exec_and_after_it_is_told_apart() -> None:
    seen = recorded(python(EXECUTES_AND_SENDS))
    before, after = seen.out
    assert before.pid == after.pid
    wanted = [attempt.process for attempt in seen.attempts("sendto")]
    assert len(set(wanted)) == 2
    commands = [process.cmdline for process in seen.run.processes if process.id in wanted]
    assert [str(command).endswith("again") for command in commands] == [False, True]


def test_a_question_for_a_name_belongs_to_who_asked() -> None:
    seen = recorded(python(RESOLVES, "models.example"))
    assert seen.told["found"]
    assert {frame.ports[1] for frame in seen.out if frame.proto == 17} >= {53}
    assert {frame.pid for frame in seen.out} == {seen.program.pid}
    assert set(seen.run.synthetic.values()) == {"models.example"}
    assert set(seen.run.synthetic) == set(seen.told["found"])


@both_rungs
def test_a_burst_is_received_or_counted_as_dropped_to_the_last_packet(way: Way) -> None:
    seen = recorded(python(BURST), way)
    sent = seen.told["sent"]
    assert sent + seen.told["refused"] == 100_000
    assert sent > 50_000
    lost = seen.losses["eg0"]
    assert lost.dropped is not None
    assert len(seen.out) + lost.dropped == sent
    assert lost.received == sent + len(seen.run.probes)
    assert seen.run.drops["eg0"] == lost.dropped
    assert seen.bundle.account.received["eg0"] == lost.received
    assert all(frame.pid == seen.program.pid for frame in seen.out)
