"""Asks a resolver of its own choice, whether it is there or not: `udp` or `tcp`, address, name."""

import socket
import struct
import sys
from contextlib import suppress


def question(name: str) -> bytes:
    """A DNS query for the A record of a name. Source: RFC 1035 §4.1."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", 4660, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)


def ask(carrier: str, resolver: str, name: str) -> bytes:
    """What the resolver says; raises OSError if there is none."""
    if carrier == "tcp":
        with socket.create_connection((resolver, 53), 3) as stream:
            asked = question(name)
            stream.sendall(struct.pack("!H", len(asked)) + asked)
            return stream.recv(2000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(1)
        datagrams.connect((resolver, 53))
        datagrams.send(question(name))
        return datagrams.recv(2000)


with suppress(OSError):
    print(len(ask(*sys.argv[1:4])))
