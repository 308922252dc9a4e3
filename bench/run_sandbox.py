"""What a sandbox costs: time to the first instruction, calls and packets a second, against strace
-f.

    python bench/run_sandbox.py            needs Linux, a C compiler for the forking clients if
    there
                                           is one, and strace for the comparison; goes nowhere.

Prints one table; absolute figures are of the machine it ran on, ratios are what to compare.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from egress_audit.evidence.bundle import open_bundle  # noqa: E402 - the line above makes it importable
from egress_audit.record.run import RunPlan, record  # noqa: E402

CLIENT = """\
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static struct sockaddr_in to = {.sin_family = AF_INET};
static double now(void) {
  struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9;
}
static void one(void) {
  int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  connect(s, (void *)&to, sizeof to);
  close(s);
}
int main(int argc, char **argv) {
  int count = atoi(argv[2]); char data[200] = {0};
  to.sin_port = htons(atoi(argv[4])); inet_pton(AF_INET, argv[3], &to.sin_addr);
  double began = now();
  if (!strcmp(argv[1], "loop")) for (int i = 0; i < count; i++) one();
  else if (!strcmp(argv[1], "fork")) for (int i = 0; i < count; i++) {
    if (!fork()) { one(); _exit(0); } wait(0);
  } else {
    int s = socket(AF_INET, SOCK_DGRAM, 0); connect(s, (void *)&to, sizeof to);
    struct timespec pause = {0, 0}; double each = atof(argv[5]) > 0 ? 1 / atof(argv[5]) : 0;
    for (int i = 0; i < count; i++) {
      send(s, data, sizeof data, 0);
      while (each && now() - began < i * each) nanosleep(&pause, 0);
    }
  }
  printf("%.6f\\n", now() - began);
}
"""


def built(folder: Path) -> Path:
    """The client, compiled. Raises SystemExit where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("bench: needs a C compiler")
    source, program = folder / "client.c", folder / "client"
    source.write_text(CLIENT, encoding="utf-8")
    subprocess.run([compiler, "-O2", "-o", str(program), str(source)], check=True)
    folder.chmod(0o755)
    program.chmod(0o755)
    return program


def inside(folder: Path, *words: str) -> tuple[float, Path]:
    """Runs the client in a sandbox; its own seconds, and the bundle."""
    told = folder / "told"
    bundle = folder / f"bundle-{time.monotonic_ns()}"
    with told.open("w+b") as stream:
        os.fchmod(stream.fileno(), 0o666)
        saved = os.dup(1)
        os.dup2(stream.fileno(), 1)
        try:
            record(RunPlan(words, observe_s=60, bind=(str(folder),)), bundle)
        finally:
            os.dup2(saved, 1)
            os.close(saved)
        stream.seek(0)
        return float(stream.read()), bundle


def main() -> None:
    """Measures, and prints a table."""
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(dir="/var/tmp") as made:
        folder = Path(made)
        client = str(built(folder))
        starts = []
        for _ in range(20):
            bundle = folder / f"start-{time.monotonic_ns()}"
            began = time.time_ns()
            record(RunPlan(("/bin/true",), observe_s=60), bundle)
            run = open_bundle(bundle).account.run
            assert isinstance(run.exec_ns, int)
            starts.append((run.exec_ns - began) / 1e6)
        rows.append(
            (
                "from the call to the program's exec, median of 20",
                f"{statistics.median(starts):.1f} ms",
            )
        )
        for kind, count in (("loop", 5000), ("fork", 2000)):
            seconds, bundle = inside(folder, client, kind, str(count), "9.9.9.9", "443")
            account = open_bundle(bundle).account
            rows.append(
                (
                    f"attributed connects a second, {kind}",
                    f"{count / seconds:.0f} ({account.run.unattributed} of {count} unattributed)",
                )
            )
            rows.append((f"  a notified call, {kind}", f"{seconds / count * 1e6:.0f} µs"))
            if shutil.which("strace"):
                seconds = traced(client, kind, count)
                rows.append(
                    (f"  the same under strace -f, {kind}", f"{seconds / count * 1e6:.0f} µs")
                )
        for rate in (20_000, 40_000, 0):
            words = (client, "send", "100000", "9.9.9.9", "443", str(rate))
            seconds, bundle = inside(folder, *words)
            events = (bundle / "events.jsonl").read_text(encoding="utf-8").splitlines()
            loss = next(json.loads(line) for line in events if '"loss"' in line and '"eg0"' in line)
            name = f"UDP at {rate} a second" if rate else "UDP as fast as it goes"
            rows.append(
                (
                    f"{name}: sent {100_000 / seconds:.0f} a second",
                    f"received {loss['received'] - 8 - loss['dropped']}, dropped {loss['dropped']}",
                )
            )
    for name, value in rows:
        print(f"{name:58} {value}")


def traced(client: str, kind: str, count: int) -> float:
    """Seconds of the client under strace, connecting to a closed port of the loopback."""
    words = ["strace", "-f", "-qq", "-e", "trace=connect", "-o", os.devnull, client]
    done = subprocess.run(
        [*words, kind, str(count), "127.0.0.1", "9"], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    main()
