"""The sandbox's only way out, as the recorder holds it: packets out, packets in, and the losses.

A TUN device gives IP packets. Where there is none, a veth pair whose other end lies in a namespace
of its own gives Ethernet frames; that end has no address, so nobody but us answers.
"""

import errno
import os
from collections.abc import Iterator
from typing import Protocol

from egress_audit.record.packet_socket import PacketSocket
from egress_audit.record.tun import transmit_drops

INTERFACE = "eg0"
INSIDE_MAC, OUTSIDE_MAC = b"\x02\xe6\xe4\0\0\x02", b"\x02\xe6\xe4\0\0\x01"
"""Hardware addresses of the ends of a veth pair, locally administered."""
LINKTYPE_ETHERNET, LINKTYPE_RAW = 1, 101
LONGEST_READ = 65_535
MOST_READS = 256
"""Packets taken at a time, so that waiting calls get their turn."""
ETHERNET = 14
ETHERTYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}
IP_TYPES = frozenset(ETHERTYPES.values())


Read = tuple[bytes, int]
"""A frame as far as it was read, and its length on the wire."""


class Wire(Protocol):
    """What the recorder needs of a way out."""

    linktype: int

    def fileno(self) -> int:
        """The descriptor to wait on."""
        ...

    def frames(self) -> Iterator[Read]:
        """Everything that waits to be read, at most MOST_READS frames."""
        ...

    def packet_in(self, frame: bytes) -> bytes:
        """The IP packet of a frame; empty for a frame without one."""
        ...

    def frame_for(self, packet: bytes) -> bytes:
        """A frame that brings an IP packet into the sandbox."""
        ...

    def write(self, frame: bytes) -> bool:
        """Sends a frame into the sandbox; False if it would not take it."""
        ...

    def dropped(self, pid: int) -> int:
        """Frames that never reached us, exactly; `pid`: a process of the sandbox.

        Raises OSError if that process is gone.
        """
        ...

    def close(self) -> None:
        """Closes the device; the sandbox has no way out any more."""
        ...


class BareFrames:
    """What ways out share on which a frame is an IP packet and nothing else."""

    linktype = LINKTYPE_RAW

    def packet_in(self, frame: bytes) -> bytes:
        """The frame itself."""
        return frame

    def frame_for(self, packet: bytes) -> bytes:
        """The packet itself."""
        return packet


class TunWire(BareFrames):
    """A TUN device: each read is an IP packet."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def fileno(self) -> int:
        """The TUN descriptor."""
        return self._descriptor

    def frames(self) -> Iterator[Read]:
        """Packets that wait."""
        for _ in range(MOST_READS):
            try:
                frame = os.read(self._descriptor, LONGEST_READ)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.EBADFD:
                    return  # The device went with the last process of its namespace.
                raise
            yield frame, len(frame)

    def write(self, frame: bytes) -> bool:
        """Puts a packet into the sandbox's receive path."""
        try:
            os.write(self._descriptor, frame)
        except OSError:
            return (
                False  # Refused as malformed, or the link is down: the capture shows it was sent.
            )
        return True

    def dropped(self, pid: int) -> int:
        """tx_dropped of the device."""
        return transmit_drops(pid, INTERFACE)

    def close(self) -> None:
        """Removes the device."""
        os.close(self._descriptor)


class VethWire:
    """The far end of a veth pair, read through a packet socket."""

    linktype = LINKTYPE_ETHERNET

    def __init__(self, packets: PacketSocket, inside: bytes, outside: bytes) -> None:
        """inside, outside: hardware addresses of the two ends, 6 bytes each."""
        self._packets = packets
        self._header = inside + outside

    def fileno(self) -> int:
        """The packet socket."""
        return self._packets.fileno()

    def frames(self) -> Iterator[Read]:
        """Frames that came from the sandbox; our own are not among them."""
        for _ in range(MOST_READS // 64):
            batch = self._packets.read()
            if not batch:
                return
            for frame in batch:
                if not frame.outgoing:
                    yield frame.data, frame.wire_len

    def packet_in(self, frame: bytes) -> bytes:
        """What follows the Ethernet header if that is IP."""
        return frame[ETHERNET:] if frame[12:14] in IP_TYPES else b""

    def frame_for(self, packet: bytes) -> bytes:
        """The packet behind a header from the far end to the near one."""
        return self._header + ETHERTYPES[packet[0] >> 4] + packet

    def write(self, frame: bytes) -> bool:
        """Sends a frame to the near end."""
        try:
            os.write(self._packets.fileno(), frame)
        except OSError:
            return False
        return True

    def dropped(self, pid: int) -> int:
        """Frames the near end could not send, and those the packet socket had no room for."""
        return transmit_drops(pid, INTERFACE) + self._packets.statistics().dropped

    def close(self) -> None:
        """Closes the packet socket."""
        self._packets.close()
