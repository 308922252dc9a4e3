"""Damages whole captures and has them read: what coverage alone is slow to reach.

    python -m fuzz.mutants FOLDER [--count N] [--seed N] [--memory MIB]

FOLDER: captures, of any format. A mutant that we do not survive is left in build/fuzz/mutants; made
small, it belongs into fuzz/findings/capture. Every mutant is the same for the same seed and folder.
"""

import argparse
import random
import resource
import signal
import struct
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from fuzz.run import SLOWEST_S, WORK
from fuzz.targets import capture, survives

MEMORY_MIB = 1500
"""Address space that is granted."""
PCAP = b"\xd4\xc3\xb2\xa1"
"""The captures of which single frames can be damaged: pcap, little-endian, microseconds."""
EXTREMES = (
    *(0, 1, 2, 3, 4, 5, 7, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF, 0x3FFF, 0x4000, 0x7FFF, 0x8000),
    *(0xFFFF, 0x10000, 0x40000, 0x40001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF),
)
"""Values that lengths, offsets and counts should not have."""
HEADERS = 40
"""Mean distance of damage from the beginning of a frame, in bytes: most headers are there."""


def mutant(data: bytes, other: bytes, seed: int) -> bytes:
    """A damaged copy of a capture; `other` is one whose pieces may be put in."""
    rng = random.Random(seed)
    if data[:4] == PCAP and rng.random() < 0.5:
        return _with_damaged_frames(data, rng)
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        damaged = damaged or bytearray(1)
        rng.choice(WAYS)(damaged, other, rng)
    return bytes(damaged)


def _flip(damaged: bytearray, other: bytes, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 4, 32, len(damaged) // 50 + 1))):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)


def _cut(damaged: bytearray, other: bytes, rng: random.Random) -> None:
    del damaged[rng.randrange(len(damaged)) :]


def _exaggerate(damaged: bytearray, other: bytes, rng: random.Random) -> None:
    end = rng.choice((80, len(damaged)))
    _write(damaged, rng.randrange(min(len(damaged), end)), rng)


def _splice(damaged: bytearray, other: bytes, rng: random.Random) -> None:
    start = rng.randrange(len(other) + 1)
    damaged[rng.randrange(len(damaged)) :] = other[start:]


def _repeat(damaged: bytearray, other: bytes, rng: random.Random) -> None:
    at = rng.randrange(len(damaged))
    damaged[at:at] = damaged[at : at + rng.randint(1, 2000)] * rng.choice((1, 2, 20))


def _drop(damaged: bytearray, other: bytes, rng: random.Random) -> None:
    at = rng.randrange(len(damaged))
    del damaged[at : at + rng.randint(1, 200)]


WAYS = (_flip, _cut, _exaggerate, _splice, _repeat, _drop)


def _write(damaged: bytearray, at: int, rng: random.Random) -> None:
    """An extreme or random word over what stands at `at`, as far as there is room."""
    width = rng.choice((1, 2, 4, 8))
    value = rng.choice(EXTREMES) if rng.random() < 0.7 else rng.getrandbits(64)
    word = (value & (1 << 8 * width) - 1).to_bytes(width, rng.choice(("little", "big")))
    damaged[at : at + width] = word[: len(damaged) - at]


def _with_damaged_frames(data: bytes, rng: random.Random) -> bytes:
    """The capture with records that are whole, and packets in them that are not."""
    parts = [data[:24]]
    for seconds, fraction, wirelen, whole in _records(data):
        frame = bytearray(whole)
        for _ in range(rng.choice((0, 0, 1, 1, 2, 6)) if frame else 0):
            _write(frame, min(int(rng.expovariate(1 / HEADERS)), len(frame) - 1), rng)
        if rng.random() < 0.1:
            del frame[rng.randrange(len(frame) + 1) :]
        if rng.random() < 0.1:
            wirelen = rng.choice((0, len(frame) + 1, 70_000, 0xFFFFFFFF))
        if rng.random() < 0.03:
            seconds = rng.getrandbits(32)
        parts += [struct.pack("<IIII", seconds, fraction, len(frame), wirelen), bytes(frame)]
    return b"".join(parts)


def _records(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Seconds, fraction, wire length and bytes of each whole record."""
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, caplen, wirelen = struct.unpack_from("<IIII", data, at)
        if at + 16 + caplen > len(data):
            return
        yield seconds, fraction, wirelen, data[at + 16 : at + 16 + caplen]
        at += 16 + caplen


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {SLOWEST_S} s")


def main() -> None:
    """Tries mutant after mutant; the first that is too much ends it, with its traceback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--memory", type=int, default=MEMORY_MIB, help="0: without a bound")
    asked = parser.parse_args()
    if asked.memory:
        resource.setrlimit(resource.RLIMIT_AS, (asked.memory << 20, asked.memory << 20))
    signal.signal(signal.SIGALRM, _too_slow)
    files = sorted(path for path in asked.folder.iterdir() if path.is_file())
    left = WORK / "mutants"
    left.mkdir(parents=True, exist_ok=True)
    for seed in range(asked.seed, asked.seed + asked.count):
        rng = random.Random(f"files of {seed}")
        data, other = (rng.choice(files).read_bytes() for _ in range(2))
        tried = left / str(seed)
        tried.write_bytes(mutant(data, other, seed))
        signal.alarm(SLOWEST_S)
        survives(capture, tried.read_bytes())
        signal.alarm(0)
        tried.unlink()
    print(f"{asked.count} mutants read or refused")


if __name__ == "__main__":
    main()
