"""Every outcome of a link header has words, and no two have the same outcome."""

from egress_audit.decode import ledger, link_kinds
from egress_audit.decode.ledger import reason


def test_every_name_for_what_is_not_read_is_said() -> None:
    for outcome, name in link_kinds.UNREAD_NAMES.items():
        assert reason(outcome) == name


def test_kinds_with_a_number_say_it() -> None:
    assert reason(link_kinds.PPP_PROTOCOL | 0x2F) == "PPP protocol 0x002f"
    assert reason(link_kinds.NLPID | 0x81) == "NLPID 0x81"
    assert reason(link_kinds.PKTAP_RECORD | 2) == "PKTAP record 2"


def test_nothing_is_both_unread_and_harmless() -> None:
    assert not link_kinds.UNREAD_NAMES.keys() & ledger.NO_DESTINATION.keys()


def test_every_kind_that_ends_at_the_link_is_known_to_the_ledger() -> None:
    assert link_kinds.NO_DESTINATION.items() <= ledger.NO_DESTINATION.items()


def test_a_data_protocol_of_ppp_is_not_taken_for_upkeep() -> None:
    data = [kind for kind in link_kinds.NO_DESTINATION if kind >> 32 == 32]
    assert all(kind & 0xFFFF >= 0x8000 or kind & 0xFFFF == 0x0207 for kind in data)
