"""Learns its own address by a UDP connect, which sends nothing."""

import socket

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unsent:
    unsent.connect(("8.8.8.8", 80))
    print(unsent.getsockname()[0])
