"""The few packets that change a state or a history, whatever batch they come in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.captures import pcap, scripted
from tests.builders.engine import run
from tests.flows.test_tcp_state import CONVERSATIONS

SIXTEEN_LETTERS = ">S <SA >A <A >PAd <PAd >FA <FA >R <R >FR <FR >SF <SF >SA <S"
WORDS = st.lists(
    st.sampled_from([side + flags for side in "><" for flags in ("S", "SA", "A", "PAd", "F", "R")]),
    min_size=1,
    max_size=12,
)


def outcome(script: str, block: int) -> tuple[list[int], list[str]]:
    """States and histories of a conversation read in blocks of some bytes."""
    flows = run(pcap(scripted(script)), block, keep=False).flows
    return flows.conn_state.tolist(), [flows.histories[number] for number in flows.history]


@pytest.mark.parametrize(("script", "state", "history"), CONVERSATIONS)
def test_one_packet_at_a_time_gives_the_same(script: str, state: str, history: str) -> None:
    assert outcome(script, 80) == outcome(script, 1 << 16)


@settings(max_examples=100)
@given(WORDS)
def test_any_conversation_gives_the_same_one_packet_at_a_time(words: list[str]) -> None:
    assert outcome(" ".join(words), 80) == outcome(" ".join(words), 1 << 16)


def test_a_history_has_each_letter_once_however_long_the_flow() -> None:
    (history,) = outcome(" ".join([">S <SA >A"] + [">PAd <A <PAd >A"] * 200), 80)[1]
    assert history == "ShADad"


def test_no_conversation_has_more_letters_than_there_are() -> None:
    for history in outcome(SIXTEEN_LETTERS, 1 << 16)[1]:
        assert len(history) == len(set(history)) <= 17


def test_two_flows_in_one_batch_do_not_mix() -> None:
    one = scripted(">S <SA >A")
    other = scripted(">S <RA", ("10.0.0.2", 40001))
    mixed = [one[0], other[0], one[1], other[1], one[2]]
    flows = run(pcap(mixed), keep=False).flows
    assert [flows.histories[number] for number in flows.history] == ["ShA", "Sr"]
