"""A slow and plain interpreter of seccomp filters, written from the documents alone.

Source: seccomp(2), struct seccomp_data; Documentation/networking/filter.rst; linux/bpf_common.h.
Unlike the kernel it does not check a program first: it refuses what it meets on the way.
"""

import struct
from collections.abc import Sequence

INSTRUCTION = struct.Struct("<HBBI")
DATA = struct.Struct("<iIQ6Q")
MOST_INSTRUCTIONS = 4096

LOAD, ALU, JUMP, RETURN = 0x00, 0x04, 0x05, 0x06
WORD_ABSOLUTE = 0x20
OPERATIONS = {0x00: "add", 0x10: "sub", 0x40: "or", 0x50: "and", 0x60: "shl", 0x70: "shr"}
ALWAYS, EQUAL, GREATER, AT_LEAST, ANY_BIT = 0x00, 0x10, 0x20, 0x30, 0x40


class RefusedProgram(AssertionError):
    """The kernel would not take this program."""


def seccomp_data(number: int, arch: int, arguments: Sequence[int] = ()) -> bytes:
    """struct seccomp_data on a little-endian machine; arguments that are not given are 0."""
    number = struct.unpack("<i", struct.pack("<I", number & 0xFFFF_FFFF))[0]
    padded = [word & (1 << 64) - 1 for word in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    return DATA.pack(number, arch, 0, *padded)


def answer(program: bytes, data: bytes) -> int:
    """What the program returns for a system call."""
    steps = list(INSTRUCTION.iter_unpack(program))
    if not 0 < len(steps) <= MOST_INSTRUCTIONS:
        raise RefusedProgram(f"{len(steps)} instructions")
    accumulator = place = 0
    while place < len(steps):
        code, if_true, if_false, value = steps[place]
        place += 1
        kind = code & 0x07
        if kind == RETURN and code == RETURN:
            return int(value)
        if kind == LOAD and code == WORD_ABSOLUTE:
            if value % 4 or value > len(data) - 4:
                raise RefusedProgram(f"loads 4 bytes at {value}")
            accumulator = int.from_bytes(data[value : value + 4], "little")
        elif kind == ALU and not code & 0x08:
            accumulator = _computed(code & 0xF0, accumulator, value)
        elif kind == JUMP and not code & 0x08:
            if code & 0xF0 == ALWAYS:
                place += value
            else:
                place += if_true if _holds(code & 0xF0, accumulator, value) else if_false
        else:
            raise RefusedProgram(f"instruction {code:#x}")
    raise RefusedProgram("runs past its end")


def _computed(operation: int, left: int, right: int) -> int:
    results = {
        "add": left + right,
        "sub": left - right,
        "or": left | right,
        "and": left & right,
        "shl": left << (right & 31),
        "shr": left >> (right & 31),
    }
    return results[OPERATIONS[operation]] & 0xFFFF_FFFF


def _holds(condition: int, left: int, right: int) -> bool:
    return {
        EQUAL: left == right,
        GREATER: left > right,
        AT_LEAST: left >= right,
        ANY_BIT: left & right != 0,
    }[condition]
