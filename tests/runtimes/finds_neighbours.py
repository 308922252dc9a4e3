"""Looks for others of its kind on the local network, by multicast DNS and by broadcast."""

import socket
import struct

NAME = b"\x07_models\x04_tcp\x05local\0"
QUESTION = struct.pack("!6H", 0, 0, 1, 0, 0, 0) + NAME + struct.pack("!2H", 12, 1)
"""A PTR question. Source: RFC 6762 §5, RFC 6763 §4."""

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as seeking:
    seeking.sendto(QUESTION, ("224.0.0.251", 5353))
    seeking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    seeking.sendto(b"who is there", ("255.255.255.255", 11434))
