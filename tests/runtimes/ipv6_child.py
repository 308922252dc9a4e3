"""PLANTED: a child that lives a few milliseconds and knows IPv6 alone."""

import os
import socket
from contextlib import suppress

FAR = "240e:1234:5678::1"

child = os.fork()
if not child:
    opening = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    opening.setblocking(False)
    opening.connect_ex((FAR, 8443))
    sending = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with suppress(OSError):
        sending.sendto(b"what is the launch code", (FAR, 4433))
    os._exit(0)
os.waitpid(child, 0)
