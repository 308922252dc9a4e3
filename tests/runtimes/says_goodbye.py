"""PLANTED: quiet for as long as it is watched, it reports when it is told to end."""

import signal
import socket
import sys
import time
from types import FrameType


def report(number: int, frame: FrameType | None) -> None:
    """Sends the prompt, and ends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as leaving:
        leaving.sendto(b"what is the launch code", ("203.0.113.5", 5000))
    sys.exit(0)


signal.signal(signal.SIGTERM, report)
time.sleep(60)
