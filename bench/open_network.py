"""How fast `run --network open` downloads, beside pasta alone in the same minute.

    python bench/open_network.py [MEGABYTES]        as root; needs pasta (package passt)

The internet is a server in a network namespace; no packet leaves the machine. A busy machine slows
the longer chain more: measure on a quiet one, or under `chrt -r 10`. Prints MB/s of each
round and the ratio of the medians; ends with 1 below half, or if a frame was lost.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from egress_audit.model.run import Network
from egress_audit.record.plan import RunPlan
from egress_audit.record.run import record
from egress_audit.record.tun import make_node
from tests.builders.fake_internet import SERVER4, WEB, Host, on_a_host
from tests.builders.namespaces import in_child

PYTHON = "/usr/bin/python3"
ROUNDS = 3
LEAST = 0.5
PASTA = ("pasta", "-q", "--config-net", "--no-map-gw")
CLOSED = ("-t", "none", "-u", "none", "-T", "none", "-U", "none", "--")
CLIENT = """
import socket, time
peer = socket.create_connection(("{address}", {port}))
peer.sendall(b"GET /{length} HTTP/1.0\\r\\n\\r\\n")
part, count, began = bytearray(1 << 20), 0, time.time()
while got := peer.recv_into(part):
    count += got
assert count >= {length}, count
print(count / (time.time() - began) / 1e6)
"""


def alone(script: str, output: Path) -> int:
    """Frames lost by pasta, of which it says nothing: 0."""
    with output.open("a") as stream:
        subprocess.run(
            [*PASTA, *CLOSED, PYTHON, "-c", script], stdout=stream, check=True, timeout=40
        )
    return 0


def recorded(script: str, output: Path) -> int:
    """Frames lost by a recorded run."""
    os.dup2(os.open(output, os.O_WRONLY | os.O_APPEND), 1)
    bundle = Path(tempfile.mkdtemp(dir=output.parent), "bundle")
    plan = RunPlan(
        (PYTHON, "-c", script), network=Network.OPEN, observe_s=50, home="fresh", folder="/"
    )
    record(plan, bundle)
    lines = (bundle / "events.jsonl").read_text().splitlines()
    lost = [event["dropped"] for event in map(json.loads, lines) if event["event"] == "loss"]
    shutil.rmtree(bundle)
    return sum(lost)


def speed(way: Callable[[str, Path], int], script: str, folder: str) -> tuple[float, int]:
    """MB/s and lost frames of one download by an ordinary user."""

    def there(host: Host) -> tuple[float, int]:
        output = Path(tempfile.mkdtemp(dir=folder), "output")
        output.parent.chmod(0o777)
        output.touch()
        output.chmod(0o666)
        make_node("/mnt")
        lost = in_child(lambda: way(script, output), as_nobody=True)
        return float(output.read_text().split()[-1]), lost

    return on_a_host(there)


def main() -> int:
    """Measures, prints, and returns the exit status."""
    length = int(sys.argv[1] if len(sys.argv) > 1 else 1024) << 20
    script = CLIENT.format(address=SERVER4, port=WEB, length=length)
    ways = {"pasta alone": alone, "run --network open": recorded}
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    total_lost = 0
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        for _ in range(ROUNDS):
            for name, way in ways.items():
                found, lost = speed(way, script, folder)
                speeds[name].append(found)
                total_lost += lost
                print(f"{name:20} {found:7.0f} MB/s  {lost} frames lost", flush=True)
    baseline, ours = (statistics.median(found) for found in speeds.values())
    print(f"ratio {ours / baseline:.2f}, at least {LEAST} wanted; {total_lost} frames lost")
    return int(ours / baseline < LEAST or total_lost > 0)


if __name__ == "__main__":
    sys.exit(main())
