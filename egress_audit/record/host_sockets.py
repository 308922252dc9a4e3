"""Unix sockets of the host that the program could reach: helpers that could send for it.

Source: unix(7), proc_net(5) for the columns of /proc/net/unix.
"""

import os
from contextlib import suppress
from pathlib import Path

from egress_audit.record.inside import Inside

LISTENING = 0x1_0000
"""__SO_ACCEPTCON in the column of flags."""
DATAGRAM = 2
TABLE = "/proc/net/unix"


def reachable_sockets(inside: Inside) -> list[str]:
    """Paths of listening and datagram sockets of this network namespace that `inside` shows too.

    Asked in the host's network namespace, before the program starts. The same file by device and
    inode is the same socket, whatever it is called. Raises OSError if the host tells of none.
    """
    reachable = []
    for path in _bound_paths():
        try:
            here, there = Path(path).stat(), inside.stat(path)
        except OSError:
            continue
        if os.path.samestat(here, there):
            reachable.append(path)
    return sorted(set(reachable))


def _bound_paths() -> list[str]:
    paths = []
    for line in Path(TABLE).read_bytes().splitlines()[1:]:
        columns = line.split(maxsplit=7)
        if len(columns) < 8 or not columns[7].startswith(b"/"):
            continue
        with suppress(ValueError):  # A path may hold line ends, and the rest of it anything.
            if int(columns[3], 16) & LISTENING or int(columns[4], 16) == DATAGRAM:
                paths.append(os.fsdecode(columns[7]))
    return paths
