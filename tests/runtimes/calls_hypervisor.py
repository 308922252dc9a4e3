"""Talks past the network: AF_VSOCK leads to the machine on which this one may be a guest."""

import socket

try:
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as hypervisor:
        hypervisor.connect((2, 1234))
except OSError as error:
    print(error)
