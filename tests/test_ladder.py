"""The ladder, each rung by switching off those above it: what it records, and that it keeps in.

Every run stands in a network of its own with routes to everywhere, whose far end is heard: what a
rung does not keep in would be seen there, and reaches nobody.
"""

import subprocess

import pytest

from egress_audit.api import audit_capture
from egress_audit.errors import ExitCode
from egress_audit.model.run import Network, Rung
from tests.builders.programs import python
from tests.builders.recorded_runs import Way, needs_namespaces, place
from tests.builders.uplink import A_CALLS_WAY, OWN, behind_uplink, by_calls, run_behind_uplink

pytestmark = [pytest.mark.opens_sockets, needs_namespaces]

OUTSIDE = "9.9.9.9"

LIKE_ANY = """
def tcp(address, port, family=socket.AF_INET):
    with socket.socket(family) as one:
        one.settimeout(5)
        one.connect((address, port))
def resolve():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect(("9.9.9.9", 53))
        asker.send(b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\1a\\7example\\0\\0\\1\\0\\1")
def own_server():
    with socket.create_server(("0.0.0.0", 0)) as server:
        with socket.create_connection(("127.0.0.1", server.getsockname()[1]), 5) as client:
            peer, _ = server.accept()
            client.sendmsg([b"he", b"llo"])
            return peer.recv(10).decode()
def own_datagrams():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        one.bind(("::1", 0))
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as two:
            two.sendto(b"a", one.getsockname())
            two.sendmsg([b"b", b"c"], [], 0, one.getsockname())
            first, end = one.recvfrom(10)
            one.sendto(b"d", end)
            return (first + one.recv(10) + two.recv(10)).decode()
def own_socket():
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("own.sock")
        server.listen()
        client.connect("own.sock")
        client.sendall(b"unix")
        return server.accept()[0].recv(10).decode()
def pair():
    one, two = socket.socketpair()
    one.sendall(b"pair")
    return two.recv(10).decode()
tell(asked=tried(socket.getaddrinfo, "a.example", 443) != "done",
     resolved=tried(resolve),
     out=tried(tcp, "9.9.9.9", 443),
     out6=tried(tcp, "2620:fe::fe", 443, socket.AF_INET6),
     sent=tried(udp, "9.9.9.9", 5000),
     home=tried(own_server), datagrams=tried(own_datagrams), unix=tried(own_socket),
     pair=tried(pair))
"""

FLIPS = """
server = socket.create_server(("127.0.0.1", 0))
server.listen(4096)
port = server.getsockname()[1]
place = ctypes.create_string_buffer(
    struct.pack("=H", 2) + struct.pack("!H", port) + bytes([127, 0, 0, 1]) + bytes(8))
inside, outside = bytes([127, 0, 0, 1]), bytes([9, 9, 9, 9])
going = True
def flip():
    address = ctypes.addressof(place) + 4
    while going:
        ctypes.memmove(address, outside, 4)
        ctypes.memmove(address, inside, 4)
threading.Thread(target=flip, daemon=True).start()
sys.setswitchinterval(1e-5)
done = refused = 0
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(("127.0.0.1", port))
for number in range(300):
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("=qq", 0, 10000))
        result = libc.connect(one.fileno(), place, 16)
        done += result == 0
        refused += result < 0
    libc.sendto(datagrams.fileno(), b"out?", 4, 0, place, 16)
going = False
tell(done=done, refused=refused)
"""


@by_calls
def test_nothing_leaves_where_system_calls_alone_are_seen(way: Way) -> None:
    seen, left = run_behind_uplink(python(LIKE_ANY), way)
    assert left == []
    assert seen.run.rung is Rung.CALLS
    for word in ("resolved", "out", "out6", "sent"):
        assert seen.told[word] == "ENETUNREACH"


@by_calls
def test_a_program_reaches_its_own_servers_and_sockets_without_a_network(way: Way) -> None:
    seen, _ = run_behind_uplink(python(LIKE_ANY), way)
    told = [seen.told[word] for word in ("home", "datagrams", "unix", "pair")]
    assert told == ["hello", "abcd", "unix", "pair"]


@by_calls
def test_every_attempt_to_leave_is_recorded_with_its_refusal(way: Way) -> None:
    seen, _ = run_behind_uplink(python(LIKE_ANY), way)
    refused = {
        (attempt.call, attempt.type, attempt.address, attempt.port)
        for attempt in seen.attempts()
        if attempt.denied == "ENETUNREACH"
    }
    assert refused >= {
        ("sendto", "dgram", OUTSIDE, 53),
        ("connect", "stream", OUTSIDE, 443),
        ("connect", "stream", "2620:fe::fe", 443),
        ("sendto", "dgram", OUTSIDE, 5000),
    }


@by_calls
def test_the_record_says_that_it_saw_no_packet(way: Way) -> None:
    seen, _ = run_behind_uplink(("true",), way)
    assert seen.bundle.complete
    assert seen.frames == []
    assert seen.run.network is Network.SEALED
    assert seen.run.home == "real"
    assert OWN in seen.run.own_addresses
    assert any("packets" in text for text in seen.run.cannot_see)


@by_calls
def test_the_probes_are_noticed_and_refused_like_the_program(way: Way) -> None:
    seen, left = run_behind_uplink(("true",), way)
    assert left == []
    assert len(seen.run.probes) == 8
    assert all(probe.noticed and not isinstance(probe.frame, int) for probe in seen.run.probes)


@pytest.mark.parametrize(
    ("program", "code"), [("pass", ExitCode.INCONCLUSIVE), (LIKE_ANY, ExitCode.VIOLATED)]
)
def test_a_rung_without_packets_can_convict_and_never_acquit(program: str, code: int) -> None:
    seen, _ = run_behind_uplink(python(program), A_CALLS_WAY)
    assert audit_capture(str(seen.bundle.path)).audit.verdict.exit_code == code


@by_calls
def test_an_address_that_changes_while_the_call_waits_leads_nowhere(way: Way) -> None:
    seen, left = run_behind_uplink(python(FLIPS), way)
    assert left == []
    assert seen.told["done"] > 0
    assert seen.told["refused"] > 0


def test_the_same_flipping_address_leaves_where_nothing_holds_it() -> None:
    folder = place(A_CALLS_WAY).work

    def unheld() -> None:
        subprocess.run(python(FLIPS), cwd=folder, timeout=50, check=True)

    # A game of chance: one of ten rounds is enough.
    assert any(behind_uplink(unheld)[1] for _ in range(10))
