"""Ports of this host that lead to a server in the sandbox: for the user's own client.

The recorder accepts on the host and hands each connection to a relay inside, which connects to the
server over the sandbox's loopback, as a client there would: so every byte is in the capture. The
relay stands for that client (Role.CLIENT), so that what it begins is inbound to the program.
"""

import selectors
import socket
from contextlib import suppress
from dataclasses import dataclass, field

from egress_audit.errors import EgressAuditError

HOST = "127.0.0.1"
BACKLOG = 64
CHUNK = 65_536
SERVERS = ("127.0.0.1", "::1", "10.87.0.2")
"""Where the program may listen, in the order in which it is tried."""
PATIENCE_S = 5.0


class Publisher:
    """Listens on the host, on loopback alone."""

    def __init__(self, ports: tuple[int, ...]) -> None:
        """Raises EgressAuditError for a port that cannot be had."""
        self.listeners: dict[int, tuple[socket.socket, int]] = {}
        """Descriptor → its socket and its port."""
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # A relay that takes nothing must not stop the recorder.
        self.ours.setblocking(False)
        for port in ports:
            try:
                listener = socket.create_server((HOST, port), backlog=BACKLOG)
            except OSError as error:
                self.close()
                raise EgressAuditError(
                    f"port {port} of this host cannot be published: {error.strerror}",
                    where="--publish",
                    hint="another program may use it; stop that one first",
                ) from error
            listener.setblocking(False)
            self.listeners[listener.fileno()] = (listener, port)

    def accept(self, descriptor: int) -> None:
        """Takes a connection of the host and hands it inside."""
        listener, port = self.listeners[descriptor]
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                socket.send_fds(self.ours, [str(port).encode()], [connection.fileno()])

    def close(self) -> None:
        """Stops listening, and tells the relay to end."""
        for listener, _ in self.listeners.values():
            listener.close()
        self.ours.close()
        self.theirs.close()


@dataclass(slots=True)
class Side:
    """One end of a relayed connection."""

    socket: socket.socket
    other: "Side | None" = None
    waiting: bytearray = field(default_factory=bytearray)
    """Bytes that are still to be written to it."""
    ended: bool = False
    """Nothing more will be read from it."""
    shut: bool = False
    """It was told that nothing more will be written to it."""


def relay(orders: socket.socket) -> int:
    """Serves connections until the recorder closes its end; runs inside. Returns 0."""
    with selectors.DefaultSelector() as selector:
        selector.register(orders, selectors.EVENT_READ)
        while True:
            for key, events in selector.select():
                if key.fileobj is orders:
                    if not _take(orders, selector):
                        return 0
                elif isinstance(key.data, Side) and key.data.socket.fileno() >= 0:
                    _serve(key.data, events, selector)


def _take(orders: socket.socket, selector: selectors.BaseSelector) -> bool:
    """Begins to relay a connection; False when there will be no more."""
    said, descriptors, _, _ = socket.recv_fds(orders, 16, 1)
    if not said:
        return False
    for descriptor in descriptors:
        outside = socket.socket(fileno=descriptor)
        inside = _connected(int(said))
        if inside is None:
            outside.close()
            continue
        near, far = Side(outside), Side(inside)
        near.other, far.other = far, near
        for side in (near, far):
            side.socket.setblocking(False)
            selector.register(side.socket, selectors.EVENT_READ, side)
    return True


def _connected(port: int) -> socket.socket | None:
    for host in SERVERS:
        with suppress(OSError):
            return socket.create_connection((host, port), PATIENCE_S)
    return None


def _serve(side: Side, events: int, selector: selectors.BaseSelector) -> None:
    other = side.other
    assert other is not None
    try:
        if events & selectors.EVENT_WRITE:
            del side.waiting[: side.socket.send(side.waiting)]
        if events & selectors.EVENT_READ and len(other.waiting) < CHUNK:
            part = side.socket.recv(CHUNK)
            other.waiting += part
            side.ended |= not part
        for here, there in ((side, other), (other, side)):
            if there.ended and not here.waiting and not here.shut:
                here.shut = True
                with suppress(OSError):  # It is gone already; what it sent may still be read.
                    here.socket.shutdown(socket.SHUT_WR)
    except BlockingIOError:
        pass
    except OSError:
        _close(side, selector)
        return
    if side.ended and other.ended and not side.waiting and not other.waiting:
        _close(side, selector)
        return
    for here, there in ((side, other), (other, side)):
        wanted = 0 if here.ended or len(there.waiting) >= CHUNK else selectors.EVENT_READ
        wanted |= selectors.EVENT_WRITE if here.waiting else 0
        _want(here, wanted, selector)


def _want(side: Side, events: int, selector: selectors.BaseSelector) -> None:
    registered = side.socket in selector.get_map()
    if registered and events:
        selector.modify(side.socket, events, side)
    elif registered:
        selector.unregister(side.socket)
    elif events:
        selector.register(side.socket, events, side)


def _close(side: Side, selector: selectors.BaseSelector) -> None:
    for here in (side, side.other):
        assert here is not None
        if here.socket in selector.get_map():
            selector.unregister(here.socket)
        here.socket.close()
