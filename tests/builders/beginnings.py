"""Packets with given payloads, as if each began a stream of its own."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from egress_audit.columns import I64, PacketBatch
from egress_audit.decode.ledger import Ledger
from tests.builders.captures import TCP, Frame, ethernet, ipv4, pcap, tcp
from tests.builders.engine import opened, packets_of


def beginning_with(payloads: Sequence[bytes], lengths: Sequence[int] | None = None) -> PacketBatch:
    """A packet of TCP for each payload, in frames numbered from 1, a nanosecond apart.

    lengths: of the payloads on the wire, if more than is there. The buffer ends where the last
    payload does: a sanitizer notices what is read behind it.
    """
    frame = Frame(0, ethernet(ipv4("10.0.0.2", "192.0.2.1", tcp(40000, 443, "PA"), TCP)))
    one, count = packets_of(next(iter(opened(pcap([frame])))), Ledger()), len(payloads)
    sizes = np.array([len(payload) for payload in payloads], np.int64)
    columns = {
        field.name: np.repeat(getattr(one, field.name), count)
        for field in fields(one)
        if field.name != "buffer"
    }
    columns |= {"frame": np.arange(count) + 1, "ts_ns": np.arange(count)}
    columns |= {"payload": np.cumsum(sizes) - sizes, "payload_cap": sizes}
    wire = sizes if lengths is None else np.array(lengths, np.int64)
    columns["payload_len"] = np.maximum(sizes, wire)
    return PacketBatch(buffer=np.frombuffer(b"".join(payloads), np.uint8).copy(), **columns)


def sides_of(packets: PacketBatch) -> I64:
    """(n,) a side for each packet: the originators and the responders of some flows."""
    return np.arange(len(packets)) * 3
