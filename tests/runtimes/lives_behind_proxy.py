"""PLANTED: starts a proxy of its own on loopback and asks it, not the network, for a far host."""

import socket
import threading


def serve_one(listening: socket.socket) -> None:
    """Reads one request and refuses it."""
    client, _ = listening.accept()
    client.recv(1000)
    client.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
    client.close()


with socket.create_server(("127.0.0.1", 7891)) as proxy:
    threading.Thread(target=serve_one, args=(proxy,), daemon=True).start()
    with socket.create_connection(("127.0.0.1", 7891), 5) as asking:
        asking.sendall(b"CONNECT hub.exfil-test.example:443 HTTP/1.1\r\nHost: hub\r\n\r\n")
        print(asking.recv(100))
