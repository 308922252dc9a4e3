"""What was said in each flow of its far end, numbered."""

from egress_audit.model.flow import Name, NameSource
from egress_audit.names.mentions import Mentions
from egress_audit.names.spoken import MAX_ALIKE, Spoken, spoken

SNI, ASKED = NameSource.TLS_SNI, NameSource.DNS_QUERY


def said(host: str, source: NameSource = SNI, frame: int = 1, *, outer: bool = False) -> Name:
    return Name(host, source, 1_000, frame, outer)


def spoken_in(*flows: tuple[int, tuple[Name, ...]]) -> Spoken:
    """What these flows say, each with its names."""
    mentions = Mentions()
    for flow, names in flows:
        for name in names:
            mentions.add(flow, name)
    return spoken(mentions)


def test_flows_that_say_the_same_are_of_one_kind() -> None:
    found = spoken_in((4, (said("a.example"),)), (7, (said("a.example", frame=9),)))
    assert found.rows.tolist() == [4, 7]
    assert found.kind.tolist() == [1, 1]
    assert found.kinds == [(), (("a.example", SNI),)]


def test_a_host_said_in_another_way_is_of_another_kind() -> None:
    flows = (0, (said("a.example"),)), (1, (said("a.example", NameSource.HTTP_HOST),))
    assert spoken_in(*flows).kind.tolist() == [1, 2]


def test_the_frame_is_the_first_that_names_the_far_end() -> None:
    names = said("asked.example", ASKED, 2), said("a.example", frame=5), said("b.example", frame=6)
    found = spoken_in((0, names))
    assert found.frames.tolist() == [5]
    assert found.kinds[1] == (("a.example", SNI), ("b.example", SNI))


def test_what_somebody_was_asked_for_names_no_far_end() -> None:
    assert spoken_in((0, (said("asked.example", ASKED),))).rows.tolist() == []


def test_the_outer_name_of_an_encrypted_hello_names_no_far_end() -> None:
    alone, beside = said("cover.example", outer=True), said("asked.example", ASKED)
    assert spoken_in((0, (alone,)), (1, (alone, beside))).rows.tolist() == []


def test_flows_of_many_names_are_not_compared() -> None:
    names = tuple(said(f"{number}.example") for number in range(MAX_ALIKE))
    assert spoken_in((0, names), (1, names)).kind.tolist() == [1, 2]
    assert spoken_in((0, names[1:]), (1, names[1:])).kind.tolist() == [1, 1]


def test_what_one_flow_says_with_a_question_beside_it_is_of_the_same_kind() -> None:
    beside = said("asked.example", ASKED)
    assert spoken_in((0, (said("a.example"),)), (1, (beside, said("a.example")))).kind[1] == 1


def test_of_no_flows_nothing_is_said() -> None:
    found = spoken_in()
    assert (found.rows.tolist(), found.kinds) == ([], [()])
