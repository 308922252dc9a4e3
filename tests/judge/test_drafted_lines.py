"""Lines are gathered once, in an order that depends on nothing but what was seen."""

from dataclasses import replace

from egress_audit.addresses import Scope
from egress_audit.judge.drafted_lines import MOST_LINES, Lines, allowed_by
from egress_audit.model.audit import Match
from egress_audit.model.catalogue import Entry
from egress_audit.model.draft import Party, Reason
from tests.builders.cases import case, contact, network, place
from tests.builders.endpoints import entry


def test_a_value_has_one_line_with_all_its_reasons_the_first_seen_first() -> None:
    lines = Lines()
    late = contact(first_ts_ns=2, destination=place())
    lines.add("hosts", "a.example", Reason("tried"))
    lines.add("hosts", "a.example", Reason("late", late))
    lines.add("hosts", "a.example", Reason("early", replace(late, first_ts_ns=1)))
    ((line,), left_out) = lines.made(case())
    assert [reason.clause for reason in line.reasons] == ["early", "late", "tried"]
    assert left_out == 0


def test_the_first_note_stays() -> None:
    lines = Lines()
    for note in ("", "this", "that"):
        lines.add("hosts", "a.example", Reason("seen"), note)
    ((line,), _) = lines.made(case())
    assert line.note == "this"


def test_lines_stand_by_key_whatever_came_first() -> None:
    lines = Lines()
    lines.add("prefixes", "192.0.2.1/32", Reason("seen"))
    lines.add("hosts", "b.example", Reason("seen"))
    lines.add("hosts", "a.example", Reason("seen"))
    lines.add("scopes", "lan", Reason("seen"))
    made, _ = lines.made(case())
    assert [line.value for line in made] == ["lan", "a.example", "b.example", "192.0.2.1/32"]
    allow = allowed_by(made)
    assert allow.scopes == {Scope.LOOPBACK, Scope.LAN}
    assert allow.hosts == ("a.example", "b.example")
    assert allow.prefixes == (network("192.0.2.1/32"),)


def test_lines_past_the_bound_are_counted() -> None:
    lines = Lines()
    for number in range(MOST_LINES + 3):
        lines.add("hosts", f"h{number}.example", Reason("seen"))
    made, left_out = lines.made(case())
    assert (len(made), left_out) == (MOST_LINES, 3)
    assert lines.has("hosts", "h0.example")
    assert not lines.has("prefixes", "h0.example")


def party_of(*entries: Entry) -> Party:
    """Who stands behind a host that these entries fit."""
    seen = contact(endpoints=(Match("a.example", tuple(one.id for one in entries)),))
    lines = Lines()
    lines.add("hosts", "a.example", Reason("seen", seen))
    ((line,), _) = lines.made(replace(case(), endpoints={one.id: one for one in entries}))
    return line.party


def test_the_catalogue_says_who_it_is_and_what_for() -> None:
    stats, update = entry("acme-stats"), entry("acme-update", "update-check")
    assert party_of(stats, update) == Party(
        "Acme", ("telemetry", "update-check"), ("acme-stats", "acme-update")
    )


def test_general_knowledge_names_where_nothing_else_does_and_is_told_as_such() -> None:
    general = entry("acme-any", "auth", labels_only=True, vendor="Acme Any")
    assert party_of(general).name == "Acme Any (general knowledge)"
    assert party_of(general, entry()).name == "Acme"
