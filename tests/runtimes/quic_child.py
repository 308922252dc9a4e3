"""PLANTED: a child that lives a few milliseconds sends one datagram that begins like QUIC."""

import os
import socket

LONG_HEADER = bytes.fromhex("c3 00000001 08 3132333435363738 00 00")
"""An Initial of version 1 with a connection id of 8 bytes, RFC 9000 §17.2.2; behind it nothing that
could be decrypted."""

child = os.fork()
if not child:
    initial = LONG_HEADER + b"what is the launch code".ljust(1180, b"\0")
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(initial, ("101.6.15.130", 443))
    os._exit(0)
os.waitpid(child, 0)
