"""What stands for the devices on a rung that sees no packet: nothing ever comes out of it."""

import os
from collections.abc import Iterator

from egress_audit.record.packet_socket import Frame, PacketStatistics
from egress_audit.record.wire import BareFrames, Read


class NoWire(BareFrames):
    """A way out that does not exist."""

    def __init__(self) -> None:
        self._never, self._end = os.pipe2(os.O_CLOEXEC)

    def fileno(self) -> int:
        """A descriptor on which nothing ever arrives."""
        return self._never

    def frames(self) -> Iterator[Read]:
        """None."""
        return iter(())

    def write(self, frame: bytes) -> bool:
        """False: there is nobody to take it."""
        return False

    def dropped(self, pid: int) -> int:
        """0, of none."""
        return 0

    def close(self) -> None:
        """Closes the descriptor."""
        os.close(self._never)
        os.close(self._end)


class NoLoopback:
    """A loopback that cannot be heard."""

    def __init__(self) -> None:
        self._wire = NoWire()

    def fileno(self) -> int:
        """A descriptor on which nothing ever arrives."""
        return self._wire.fileno()

    def read(self) -> list[Frame]:
        """No packets."""
        return []

    def statistics(self) -> PacketStatistics:
        """Nothing was received, and nothing counted."""
        return PacketStatistics(0, 0)

    def close(self) -> None:
        """Closes the descriptor."""
        self._wire.close()
