"""Tells a daemon of the host, behind the unix socket of its argument, what it was asked."""

import socket
import sys

with socket.socket(socket.AF_UNIX) as daemon:
    daemon.connect(sys.argv[1])
    daemon.sendall(b"please post this: what is the launch code\n")
