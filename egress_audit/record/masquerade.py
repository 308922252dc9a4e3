"""The way on without passt, for root: a device of this host, whose packets the host forwards.

What is changed on the host: one link (which ends with us), one nft table, and forwarding on the
links that have routes. A guardian of its own session waits for our end, however that comes, and
puts it all back. IPv4 alone: forwarding IPv6 would make the host ignore its own router.

Source: nft(8); Documentation/networking/ip-sysctl.rst (conf/*/forwarding).
"""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn

from egress_audit.record.netlink import Links
from egress_audit.record.passt import NoPassage
from egress_audit.record.passthrough import ROUTES, default_link
from egress_audit.record.setup import ADDRESS4
from egress_audit.record.tun import TUN_NODE, open_tun

NFT = "nft"
SYSCTLS = Path("/proc/sys/net")
LINKS = Path("/sys/class/net")
QUEUE_LEN = 20_000
LONGEST_READ = 65_535
MOST_READS = 256
OWN = ip_address(ADDRESS4).packed
NFT_S = 10
TABLE = """table ip {name} {{
    chain leaving {{
        type nat hook postrouting priority srcnat;
        ip saddr {address} oifname != "{name}" masquerade
    }}
}}
"""


class Masquerade:
    """A device of the host's own, read and written by us."""

    def __init__(self, mtu: int, node: str = TUN_NODE) -> None:
        """Makes everything; the caller is root. Raises NoPassage, with nothing left behind."""
        self.name = f"eg{os.getpid()}"
        nft = shutil.which(NFT)
        if nft is None:
            raise NoPassage("there is no nft", hint="install the package `passt`, or `nftables`")
        try:
            self._device = open_tun(self.name, node)
        except OSError as error:
            raise NoPassage(f"no device: {error.strerror}", where=node) from error
        changed = _forwarding_off()
        gone, self._alive = os.pipe()
        self._guardian = os.fork()
        if self._guardian == 0:
            _guard(gone, nft, self.name, changed)
        os.close(gone)
        try:
            _configure(self.name, mtu)
            for path in (*changed, SYSCTLS / f"ipv4/conf/{self.name}/forwarding"):
                path.write_text("1", encoding="utf-8")
            _nft(nft, TABLE.format(name=self.name, address=ADDRESS4))
        except OSError as error:
            self.close()
            raise NoPassage(f"{error.strerror}", where=str(error.filename or NFT)) from error

    def fileno(self) -> int:
        """The device."""
        return self._device

    def send(self, packet: bytes) -> None:
        """Has the host forward a packet; what it refuses as malformed goes nowhere."""
        with suppress(OSError):
            os.write(self._device, packet)

    def arrived(self) -> list[bytes]:
        """Packets for the sandbox; others of this host's are not."""
        packets = []
        for _ in range(MOST_READS):
            try:
                packet = os.read(self._device, LONGEST_READ)
            except BlockingIOError:
                break
            if packet[0] >> 4 == 4 and packet[16:20] == OWN:
                packets.append(packet)
        return packets

    def close(self) -> None:
        """Puts the host back as it was."""
        os.close(self._device)
        os.close(self._alive)
        os.waitpid(self._guardian, 0)


def uplink_mtu() -> int:
    """The longest packet that the host's default route takes; 1500 if it does not say."""
    try:
        return int((LINKS / default_link(4) / "mtu").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 1500


def _forwarding_off() -> list[Path]:
    """The settings to change: of links with a route whose packets are not forwarded so far."""
    lines = ROUTES[4].read_text(encoding="utf-8").splitlines()[1:]
    paths = {SYSCTLS / f"ipv4/conf/{line.split()[0]}/forwarding" for line in lines}
    return sorted(path for path in paths if path.read_text(encoding="utf-8").strip() == "0")


def _configure(name: str, mtu: int) -> None:
    with suppress(OSError):  # A kernel without IPv6 has none of it.
        (SYSCTLS / f"ipv6/conf/{name}/disable_ipv6").write_text("1", encoding="utf-8")
    with Links() as links:
        links.up(name, mtu, QUEUE_LEN, noarp=True)
        links.route(f"{ADDRESS4}/32", name)


def _nft(nft: str, rules: str) -> None:
    """Raises OSError with what nft says."""
    done = subprocess.run(
        [nft, "-f", "-"], input=rules.encode(), capture_output=True, timeout=NFT_S, check=False
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").splitlines()
        raise OSError(done.returncode, said[0] if said else "it failed", nft)


def _guard(gone: int, nft: str, name: str, changed: list[Path]) -> NoReturn:
    """Waits until the recorder is gone, then puts back what it changed. Survives its group."""
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        os.closerange(3, gone)
        os.closerange(gone + 1, 65_536)
        os.read(gone, 1)
        for path in changed:
            with suppress(OSError):  # The link may be gone.
                path.write_text("0", encoding="utf-8")
        with suppress(OSError, subprocess.TimeoutExpired):
            _nft(nft, f"delete table ip {name}")
    finally:
        os._exit(0)
