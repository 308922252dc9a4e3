"""Everything a local program may do: it serves and asks itself, counts, and reads its own names."""

import http.server
import random
import socket
import threading
import urllib.request


def asked(url: str) -> int:
    """The status that our own server answers with."""
    with urllib.request.urlopen(url, timeout=5) as answer:
        return int(answer.status)


def sums_of_products(size: int) -> float:
    """Some arithmetic, in place of a model."""
    chance = random.Random(0)
    rows = [[chance.random() for _ in range(size)] for _ in range(size)]
    for _ in range(10):
        columns = list(zip(*rows, strict=True))
        rows = [
            [sum(x * y for x, y in zip(row, column, strict=True)) / size for column in columns]
            for row in rows
        ]
    return rows[0][0]


def main() -> None:
    """Does all of it once."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print([asked(f"http://{host}:{server.server_port}/") for host in ("127.0.0.1", "localhost")])
    print(socket.if_nameindex(), socket.gethostname())
    ours, theirs = socket.socketpair()
    ours.send(b"x")
    theirs.recv(1)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as nobody_listens:
        nobody_listens.sendto(b"x", ("::1", 9999))
    print(sums_of_products(48))


main()
