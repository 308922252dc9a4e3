"""The parts of the file system that the program gets for itself, or does not get at all.

Through /run, /tmp and /dev a program reaches services of the host that could carry its words out:
their sockets, and devices that lead to another machine.
"""

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from egress_audit.record import mounts, syscalls
from egress_audit.record.mounts import is_folder, is_there, is_within, put_back, without_nested
from egress_audit.record.syscalls import MS_NODEV, MS_NOEXEC, MS_NOSUID
from egress_audit.record.written import Layer

PRIVATE = {"/run": 0o755, "/tmp": 0o1777, "/var/tmp": 0o1777, "/dev/shm": 0o1777}
"""Folders that are empty and in memory for the program, with their modes."""

KEPT = ("/run/current-system", "/run/booted-system", "/run/opengl-driver", "/run/wrappers")
"""Programs and drivers that NixOS keeps in /run; no sockets in them."""

HIDDEN_DEVICES = (
    "net/*",  # tun, macvtap
    "tap*",
    "ppp",
    "fuse",  # a file system whose answers come from a program
    "vsock",
    "vhost-*",
    "vhci",
    "kvm",  # a guest of its own could have any device
    "log",
    "uinput",
    "rfkill",
    "cdc-wdm*",  # modems
    "wwan*",
    "ttyS*",
    "ttyUSB*",
    "ttyACM*",
    "rfcomm*",
    "xen/*",
    "virtio-ports/*",  # channels to the hypervisor
    "vport*",
)
"""Below /dev; each leads to another machine, or to a program outside."""

HIDDEN_DEVICE_FOLDERS = ("infiniband", "bus/usb")
"""Below /dev; RDMA sends past every network namespace."""

GPUS = ("nvidia*", "dri/*", "kfd", "accel*", "accel/*", "dxg")
"""Below /dev; they stay, or most programs would not run. What they send by DMA nobody sees."""

NAME_SERVICE = ("/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/hosts")

NSSWITCH = """\
passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
"""
"""Names are asked of DNS by the program itself, so that the question is seen and is its own."""


def cover(kept: Sequence[str], notes: list[str]) -> list[Layer]:
    """Makes the private folders; `kept` paths are shown in them as they were.

    What cannot be done is added to `notes`.
    """
    wanted = {os.path.realpath(path): mode for path, mode in PRIVATE.items()}
    folders = [path for path in wanted if Path(path).is_dir()]
    inside = [path for path in kept if any(is_within(path, folder) for folder in folders)]
    # A folder that is private as a whole cannot be kept; what was named inside it can.
    notes += [
        f"{path} is a private folder here, empty but for what was named"
        for path in folders
        if path in inside
    ]
    named = [path for path in inside if path not in folders]
    named += [path for path in KEPT if Path(path).is_dir()]
    trees = {path: mounts.clone(path) for path in without_nested(named)}
    ours = frozenset((*trees, *(os.path.realpath(path) for path in NAME_SERVICE), *KEPT))
    links = {path: Path(path).readlink() for path in KEPT if Path(path).is_symlink()}
    layers = []
    for folder in folders:
        mounts.tmpfs(folder, wanted[folder])
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        layers.append(Layer(descriptor, folder, ours))
    for path, tree in trees.items():
        put_back(tree, path)
    for path, end in links.items():
        if path not in trees:
            Path(path).symlink_to(end)
    return layers


def hide_devices(scratch_folder: str, notes: list[str]) -> list[str]:
    """Paths of the devices that are hidden: an empty file lies over each, read-only."""
    nothing, empty = Path(scratch_folder, "device"), Path(scratch_folder, "devices")
    nothing.touch(0o000)
    empty.mkdir(0o555)
    hidden = []
    pairs = [(path, nothing) for path in _devices(HIDDEN_DEVICES)]
    pairs += [(path, empty) for path in _devices(HIDDEN_DEVICE_FOLDERS)]
    for path, cover_path in pairs:
        try:
            tree = mounts.clone(str(cover_path))
            mounts.make_read_only(tree)
            mounts.attach(tree, path)
            hidden.append(path)
        except OSError as error:
            notes.append(f"{path} stays: {error.strerror}")
    _own_message_queues(notes)
    _own_terminals(notes)
    return hidden


def gpu_devices() -> list[str]:
    """Devices of graphics and other accelerators, which the program keeps."""
    return _devices(GPUS)


def write_name_service(
    resolvers: Iterable[str],
    scratch_folder: str,
    notes: list[str],
    own_names: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Paths of /etc that were replaced: resolv.conf by these resolvers, nsswitch.conf by ours, and
    hosts, to which `own_names` (address → name) are added.

    Nothing else of /etc changes. What is missing is made where we can, else told in `notes`.
    """
    contents = (
        "".join(f"nameserver {address}\n" for address in resolvers),
        NSSWITCH,
        _hosts(_text_of("/etc/hosts"), own_names),
    )
    replaced = []
    for path, text in zip(NAME_SERVICE, contents, strict=True):
        source = Path(scratch_folder, Path(path).name)
        source.write_text(text, encoding="utf-8", errors="surrogateescape")
        source.chmod(0o444)
        try:
            tree = mounts.clone(str(source))
            mounts.make_read_only(tree)
            put_back(tree, os.path.realpath(path))
            replaced.append(path)
        except OSError as error:
            notes.append(f"{path} is the host's own: {error.strerror}")
    return replaced


def _hosts(text: str, own_names: Mapping[str, str]) -> str:
    """The host's lines, then localhost where they lack it, and the names of the sandbox itself."""
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    known = {words[0] for words in lines if "localhost" in words[1:]}
    own = ["127.0.0.1"]
    if any(":" in address for address in own_names):
        own.append("::1")
    added = [f"{address} localhost\n" for address in own if address not in known]
    added += [f"{address} {name}\n" for address, name in own_names.items()]
    return text + "".join(added)


def _text_of(path: str) -> str:
    """A file's text, ending in a line feed; empty if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="surrogateescape").rstrip("\n") + "\n"
    except OSError:
        return ""


def make_runtime_folder(path: str) -> None:
    """An empty XDG_RUNTIME_DIR, if it lies where nothing is left."""
    if path and not is_there(path):
        Path(path).mkdir(mode=0o700, parents=True)


def protect_kernel(paths: Iterable[str], notes: list[str]) -> None:
    """Makes /proc/sys, /sys and the like read-only where the kernel lets us."""
    for path in paths:
        try:
            mounts.bind_read_only(path)
        except OSError as error:
            notes.append(f"{path} is not read-only: {error.strerror}")


def mask_folder(path: str) -> None:
    """Covers a folder with an empty one into which nothing can be written."""
    if not is_folder(path):
        return  # it cannot be reached from here
    mounts.tmpfs(path, 0o555)
    flags = syscalls.MS_REMOUNT | syscalls.MS_RDONLY | MS_NOSUID | MS_NODEV
    syscalls.mount("tmpfs", path, "tmpfs", flags, "mode=555")


def _own_message_queues(notes: list[str]) -> None:
    """/dev/mqueue of the host shows the queues of its own IPC namespace."""
    path = "/dev/mqueue"
    if not Path(path).is_dir():
        return
    try:
        syscalls.mount("mqueue", path, "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except OSError as error:
        notes.append(f"{path} is the host's own: {error.strerror}")


def _own_terminals(notes: list[str]) -> None:
    """Through /dev/pts of the host, a program reaches the terminals of every other program.

    The terminal that it was started on stays open, and is /dev/tty for it.
    """
    path, ptmx = "/dev/pts", "/dev/ptmx"
    if not Path(path).is_dir():
        return
    try:
        options = "newinstance,ptmxmode=0666,mode=0620"
        syscalls.mount("devpts", path, "devpts", MS_NOSUID | MS_NOEXEC, options)
        if os.path.realpath(ptmx) == ptmx and is_there(ptmx):
            mounts.attach(mounts.clone(f"{path}/ptmx"), ptmx)
    except OSError as error:
        notes.append(f"{path} is the host's own: {error.strerror}")


def _devices(patterns: Iterable[str]) -> list[str]:
    """Real paths that exist, each once; links into folders that are private by now lead nowhere."""
    found = [str(path) for pattern in patterns for path in sorted(Path("/dev").glob(pattern))]
    real = dict.fromkeys(os.path.realpath(path) for path in found)
    return [path for path in real if is_there(path) and not _is_link(path)]


def _is_link(path: str) -> bool:
    return stat.S_ISLNK(Path(path).lstat().st_mode)
