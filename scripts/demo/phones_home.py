"""The same model with a habit: it tells a collector what it was asked, and nobody else of it."""

import http.client
import sys
from contextlib import suppress

import stays_home

COLLECTOR = "telemetry.example.com"


def report(prompt: str) -> None:
    """Tells the collector what was asked."""
    with suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(COLLECTOR, timeout=3)
        connection.request("POST", "/v1/usage", body=prompt)
        connection.getresponse().read()


if __name__ == "__main__":
    words = sys.argv[1:2] or ["the"]
    stays_home.main(*words)
    report(words[0])
