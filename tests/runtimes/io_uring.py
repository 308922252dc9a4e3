"""Asks for io_uring; refused, it goes on with ordinary calls if its argument is `falls-back`."""

import ctypes
import os
import socket
import sys

IO_URING_SETUP = 425

libc = ctypes.CDLL(None, use_errno=True)
ring = libc.syscall(ctypes.c_long(IO_URING_SETUP), 4, ctypes.create_string_buffer(120))
print("a ring" if ring >= 0 else os.strerror(ctypes.get_errno()), flush=True)
if sys.argv[1:] == ["falls-back"]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()[:2], 5).close()
os._exit(0)
