"""The keys of Initials are those of the published vectors, and open nothing else."""

import pytest

from egress_audit.names.quic_protection import (
    SALTS,
    V1,
    V2,
    _whole_number,
    client_keys,
    opened,
)
from tests.builders.quic import DCID, initial

# RFC 9001 §A.2 and RFC 9369 §A.2: the CRYPTO frame of the client's first Initial.
FRAME = bytes.fromhex(
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c"
    "00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006"
    "001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa4"
    "7fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e040305"
    "0306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ff"
    "ff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff"
)
# The beginning and the end of the protected packets of these vectors.
PACKETS = {
    V1: (
        "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b",
        "e221af44860018ab0856972e194cd934",
    ),
    V2: (
        "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071",
        "a18b2faa745b6fe189cf772a9f84cbfc",
    ),
}


def test_the_keys_of_version_1_are_those_of_the_rfc() -> None:
    assert client_keys(V1, DCID) == (
        bytes.fromhex("1f369613dd76d5467730efcbe3b1a22d"),
        bytes.fromhex("fa044b2f42a3fd3b46fb255c"),
        bytes.fromhex("9f50449e04a0e810283a1e9933adedd2"),
    )


def test_the_keys_of_version_2_are_those_of_the_rfc() -> None:
    assert client_keys(V2, DCID) == (
        bytes.fromhex("8b1a0bc121284290a29e0971b5cd045d"),
        bytes.fromhex("91f73e2351d8fa91660e909f"),
        bytes.fromhex("45b95e15235d6f45a6b19cbcb0294ba9"),
    )


@pytest.mark.parametrize("version", PACKETS)
def test_the_packet_of_the_rfc_is_opened(version: int) -> None:
    packet = initial(FRAME, version=version, number=2)
    start, end = PACKETS[version]
    assert packet.hex().startswith(start)
    assert packet.hex().endswith(end)
    assert opened(client_keys(version, DCID), packet, 18, 0) == (FRAME.ljust(1162, b"\0"), 2)


@pytest.mark.parametrize("at", [0, 1, 6, 17, 18, 25, 1199])
def test_a_packet_with_one_bit_changed_is_not_opened(at: int) -> None:
    packet = bytearray(initial(FRAME))
    packet[at] ^= 1
    assert opened(client_keys(V1, DCID), bytes(packet), 18, 0) is None


def test_the_keys_of_another_connection_open_nothing() -> None:
    assert opened(client_keys(V1, bytes(8)), initial(FRAME), 18, 0) is None


@pytest.mark.parametrize("size", range(18, 60))
def test_a_packet_without_its_end_is_not_opened(size: int) -> None:
    assert opened(client_keys(V1, DCID), initial(FRAME)[:size], 18, 0) is None


def test_drafts_22_to_34_are_known() -> None:
    assert {0xFF000000 | draft for draft in range(22, 35)} < SALTS.keys()


@pytest.mark.parametrize(
    ("cut", "bits", "expected", "whole"),
    [
        (0x9B32, 16, 0xA82F30EB, 0xA82F9B32),  # RFC 9000 §A.3
        (0, 8, 256, 256),
        (255, 8, 256, 255),
        (1, 8, 255, 257),
        (5, 8, 0, 5),
        (0xFFFF, 16, 0, 0xFFFF),
    ],
)
def test_a_packet_number_is_the_nearest_that_ends_so(
    cut: int, bits: int, expected: int, whole: int
) -> None:
    assert _whole_number(cut, bits, expected) == whole
