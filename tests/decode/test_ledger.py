"""Every frame ends in exactly one counter, and no capture makes the counters grow without end."""

import numpy as np
import pytest

from egress_audit.decode import ledger
from egress_audit.decode.ledger import MAX_REASONS, Ledger, reason

NOTHING = np.empty(0, np.uint8)


def taken(*outcomes: int) -> Ledger:
    """A ledger of one batch with these outcomes."""
    counted = Ledger()
    counted.take(np.array(outcomes, np.int64), NOTHING, 0)
    return counted


def test_a_packet_is_counted_as_one() -> None:
    assert taken(ledger.PACKET, ledger.PACKET).packets == 2


def test_a_kind_that_ends_at_the_link_is_not_undecoded() -> None:
    counted = taken(ledger.ETHERTYPE | 0x0806)
    assert (counted.no_destination, counted.undecoded) == ({"ARP": 1}, {})


def test_a_kind_that_may_lead_anywhere_is_undecoded() -> None:
    counted = taken(ledger.ETHERTYPE | 0x88CA)
    assert (counted.no_destination, counted.undecoded) == ({}, {"ethertype 0x88ca": 1})


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (ledger.TRUNCATED, "truncated"),
        (ledger.LINK_MALFORMED, "link-malformed"),
        (ledger.IP_MALFORMED, "ip-malformed"),
        (ledger.LLC, "802.2 LLC"),
        (ledger.LINKTYPE | 147, "link type 147"),
        (ledger.FAMILY | 0xFFFFFFFF, "address family 4294967295"),
    ],
)
def test_every_outcome_has_its_words(outcome: int, words: str) -> None:
    assert reason(outcome) == words


def test_reasons_without_end_are_summed_in_one() -> None:
    counted = taken(*(ledger.ETHERTYPE | kind for kind in range(0x1000, 0x1400)))
    assert len(counted.undecoded) == MAX_REASONS + 1
    assert counted.undecoded.total() == counted.frames == 0x400


def test_batches_add_up() -> None:
    counted = Ledger()
    for _ in range(3):
        counted.take(np.zeros(2, np.int64), np.array([ledger.FRAGMENT, ledger.WHOLE], np.uint8), 1)
    assert (counted.frames, counted.packets, counted.truncated) == (6, 6, 3)
    assert counted.partial == {"fragment": 3}


def test_a_whole_packet_is_not_partial() -> None:
    counted = Ledger()
    counted.take(np.zeros(1, np.int64), np.zeros(1, np.uint8), 0)
    assert counted.partial == {}


def test_fragments_that_were_put_together_are_taken_back() -> None:
    counted = Ledger()
    counted.add_partial(np.full(3, ledger.FRAGMENT, np.uint8))
    counted.put_together(2)
    assert counted.partial == {"fragment": 1}
    counted.put_together(1)
    assert dict(counted.partial) == {}
