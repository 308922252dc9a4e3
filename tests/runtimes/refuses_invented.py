"""Looks a name up and connects, unless the address is one that no server of the world has."""

import ipaddress
import socket

found = socket.getaddrinfo("data.exfil-test.example", 443, socket.AF_INET, socket.SOCK_STREAM)
address = found[0][4][0]
if ipaddress.ip_address(address).is_global:
    socket.create_connection((str(address), 443), 3).close()
else:
    print("refused:", address)
