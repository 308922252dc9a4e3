"""Small Python programs that are run in sandboxes, as text, and what runs them.

Each may tell what became of it: `tell(name=value)` writes it to a file in its working folder, in
the order of its calls, where a test finds it as `seen.told`.
"""

import os
import sys
from pathlib import Path

SYSTEM_PYTHON = "/usr/bin/python3"

FIRST = """
import ctypes, errno, json, os, signal, socket, struct, sys, threading, time
from pathlib import Path
libc = ctypes.CDLL(None, use_errno=True)
words = {}
def tell(**more):
    words.update(more)
    Path("told.json.part").write_text(json.dumps(words))
    os.rename("told.json.part", "told.json")
def tried(function, *arguments):
    try:
        value = function(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "done" if value is None else value
def syscall(number, *arguments):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result
def udp(address, port, payload=b"x"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.sendto(payload, (address, port))
"""


def interpreter() -> str:
    """A Python that an ordinary user may execute."""
    return SYSTEM_PYTHON if Path(SYSTEM_PYTHON).exists() else os.path.realpath(sys.executable)


def python(source: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a program of this file."""
    return (interpreter(), "-I", "-S", "-c", FIRST + source, *arguments)


SLEEPS = """
tell(started=True)
time.sleep(60)
"""

ONE_DATAGRAM = """
udp("203.0.113.5", 5000)
"""

EVERY_KIND = """
with socket.create_connection(("203.0.113.5", 80), 5) as web:
    web.sendall(b"GET / HTTP/1.0\\r\\nHost: a.example\\r\\n\\r\\n")
    tell(answer=web.recv(100).decode("latin-1"))
with socket.create_connection(("2001:db8::5", 8080), 5) as web:
    web.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    tell(answer6=web.recv(100).decode("latin-1"))
udp("203.0.113.6", 5000, b"four")
udp("2001:db8::6", 5000, b"six")
udp("239.1.2.3", 5001, b"many")
udp("ff0e::1", 5001, b"many")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sender.sendto(b"all", ("255.255.255.255", 5002))
echo = struct.pack("!BBHHH", 8, 0, 0, 0, 1) + b"ping"
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as ping:
    ping.settimeout(5)
    ping.sendto(echo, ("203.0.113.7", 0))
    tell(pong=ping.recv(100)[8:].decode())
echo = struct.pack("!BBHHH", 128, 0, 0, 0, 1) + b"ping"
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM, 58) as ping:
    ping.settimeout(5)
    ping.sendto(echo, ("2001:db8::7", 0))
    tell(pong6=ping.recv(100)[8:].decode())
"""

OVER_LOOPBACK = """
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    with socket.socket(family) as server:
        server.bind((address, 0))
        server.listen()
        with socket.create_connection(server.getsockname()[:2], 5) as client:
            server.accept()[0].sendall(b"hello")
            client.recv(5)
"""

JOINS_GROUPS = """
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
member = socket.inet_aton("239.7.7.7") + socket.inet_aton("10.87.0.2")
four.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
time.sleep(0.3)
"""

RAW = """
def header(target, payload):
    whole = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, 0, 64, 253, 0,
                        socket.inet_aton("10.87.0.2"), socket.inet_aton(target))
    total = sum(struct.unpack("!10H", whole))
    total = (total & 0xFFFF) + (total >> 16)
    return whole[:10] + struct.pack("!H", ~total & 0xFFFF) + whole[12:] + payload
def raw():
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, 253) as sender:
        sender.sendto(b"raw", ("203.0.113.8", 0))
def own_header():
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
        sender.sendto(header("203.0.113.9", b"own"), ("203.0.113.9", 0))
def raw6():
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, 253) as sender:
        sender.sendto(b"raw", ("2001:db8::8", 0))
def packet():
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as sender:
        place = ("eg0", 0x0800, 0, 0, b"\\x02\\xe6\\xe4\\0\\0\\x01")
        sender.sendto(header("203.0.113.10", b"injected"), place)
tell(**{made.__name__: tried(made) for made in (raw, own_header, raw6, packet)})
"""

MANY_CHILDREN = """
children = []
for number in range(int(sys.argv[1])):
    child = os.fork()
    if not child:
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.connect(("203.0.113.5", 10000 + number))
        os._exit(0)
    children.append(child)
    if len(children) > 50:
        os.waitpid(children.pop(0), 0)
for child in children:
    os.waitpid(child, 0)
"""

DAEMON = """
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
time.sleep(2)
udp("203.0.113.5", 5000, b"from the daemon")
"""

SENDMMSG = """
names, messages = [], b""
for last in (1, 2, 3):
    name = struct.pack("=H", 2) + struct.pack("!H", 5000) + bytes([203, 0, 113, last]) + bytes(8)
    names.append(ctypes.create_string_buffer(name))
text = ctypes.create_string_buffer(b"mm")
part = ctypes.create_string_buffer(struct.pack("=QQ", ctypes.addressof(text), 2))
for name in names:
    messages += struct.pack("=QI4xQQQQi4xI4x", ctypes.addressof(name), 16,
                            ctypes.addressof(part), 1, 0, 0, 0, 0)
many = ctypes.create_string_buffer(messages)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    tell(sent=libc.sendmmsg(sender.fileno(), many, 3, 0))
"""

FLIPS_ITS_ADDRESS = """
place = ctypes.create_string_buffer(
    struct.pack("=H", 2) + struct.pack("!H", 443) + bytes([1, 1, 1, 1]) + bytes(8))
going = True
def flip():
    address = ctypes.addressof(place) + 4
    while going:
        ctypes.memset(address, 6, 4)
        ctypes.memset(address, 1, 4)
threading.Thread(target=flip, daemon=True).start()
sys.setswitchinterval(1e-5)
done = 0
for _ in range(300):
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        done += libc.connect(one.fileno(), place, 16) == 0
going = False
tell(done=done)
"""

IO_URING = 425
"""io_uring_setup, on every machine."""

ASKS_FOR_IO_URING = f"""
places = ctypes.create_string_buffer(120)
refused = tried(syscall, {IO_URING}, 4, places)
os._exit(0 if refused == "ENOSYS" else 1)
"""

FALLS_BACK_FROM_IO_URING = f"""
tried(syscall, {IO_URING}, 4, ctypes.create_string_buffer(120))
udp("203.0.113.5", 5000)
"""

OTHER_FAMILIES = """
kinds = {"AF_VSOCK": (40, 1), "AF_BLUETOOTH": (31, 3), "AF_TIPC": (30, 1), "AF_RDS": (21, 5),
         "AF_QIPCRTR": (42, 2), "AF_CAN": (29, 3), "AF_XDP": (44, 3), "AF_KEY": (15, 3),
         "AF_SMC": (43, 1), "AF_77": (77, 1)}
tell(**{name: tried(lambda: socket.socket(*kind).close()) for name, kind in kinds.items()})
"""

TALKS_TO = """
with socket.socket(socket.AF_UNIX, getattr(socket, sys.argv[2])) as client:
    tell(came=tried(client.connect, sys.argv[1].replace("@", "\\0")))
"""

TALKS_TO_ITSELF = """
server = socket.socket(socket.AF_UNIX)
server.bind("own.sock")
server.listen()
with socket.socket(socket.AF_UNIX) as client:
    tell(came=tried(client.connect, os.path.abspath("own.sock")))
"""

WRITES_TO_FIFO = """
with open(sys.argv[1], "wb", buffering=0) as pipe:
    pipe.write(b"leak")
"""

OWN_LISTENER = """
number = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
code = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0x7FFF0000))
program = struct.pack("=HxxxxxxQ", 1, ctypes.addressof(code))
tell(listener=tried(syscall, number, 1, 8, program))
tell(filter=tried(syscall, number, 1, 0, program))
"""

EXECUTES = """
os.execv(sys.argv[1], sys.argv[1:])
"""

BURST = """
sent = refused = 0
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.connect(("203.0.113.5", 5000))
    for number in range(100_000):
        try:
            sender.send(b"burst")
            sent += 1
        except OSError:
            refused += 1
tell(sent=sent, refused=refused)
"""

STREAMS = """
if not os.fork():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while True:
            sender.sendto(b"stream", ("203.0.113.5", 5000))
            time.sleep(0.001)
tell(started=True)
time.sleep(60)
"""

FILLS_THE_DISK = """
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    while True:
        sender.sendto(bytes(1000), ("203.0.113.5", 5000))
"""

IGNORES_SIGTERM = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
tell(started=True)
time.sleep(60)
"""

SAYS_GOODBYE = """
def goodbye(number, frame):
    udp("203.0.113.5", 5000, b"goodbye")
    os._exit(0)
signal.signal(signal.SIGTERM, goodbye)
time.sleep(60)
"""

FORKS_UNTIL_REFUSED = """
children, refused = 0, ""
while not refused:
    try:
        if not os.fork():
            time.sleep(60)
            os._exit(0)
        children += 1
    except OSError as error:
        refused = errno.errorcode[error.errno]
tell(children=children, refused=refused)
"""

FORK_BOMB = """
while True:
    try:
        os.fork()
    except OSError:
        pass
"""

PRINTS_BINARY = """
os.write(1, bytes(range(256)) * 10)
"""

KILLS_ITSELF = """
os.kill(os.getpid(), signal.SIGKILL)
"""

SERVER = """
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
time.sleep(0.3)
server.bind(("127.0.0.1", 8123))
server.listen()
while True:
    client, _ = server.accept()
    client.recv(1000)
    client.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nforty-two")
    client.close()
"""

ASKS_THE_SERVER = """
with socket.create_connection(("127.0.0.1", 8123), 5) as client:
    client.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    said = b""
    while part := client.recv(1000):
        said += part
print(said.decode())
"""

REPORTS_PHASES = """
with open(os.environ["EGRESS_AUDIT_PHASES"], "a", buffering=1) as phases:
    for word in ("load", "generate"):
        phases.write(json.dumps({"t": time.time(), "phase": word, "pid": os.getpid()}) + "\\n")
        time.sleep(0.3)
"""

RESOLVES = """
began = time.monotonic()
try:
    found = sorted({entry[4][0] for entry in socket.getaddrinfo(sys.argv[1], 80)})
except OSError as error:
    found = str(error)
tell(found=found, seconds=time.monotonic() - began)
"""

CONNECTS = """
began = time.monotonic()
def connect():
    socket.create_connection((sys.argv[1], 443), 10).close()
tell(came=tried(connect), seconds=time.monotonic() - began)
"""
