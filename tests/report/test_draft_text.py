"""A draft as a file says why each line is there, and nothing in a capture can break out of it."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.judge.drafted_lines import MOST_LINES, allowed_by
from egress_audit.judge.drafting import drafted
from egress_audit.judge.profile import load_profile
from egress_audit.model.audit import Direction, EvidenceItem, NameUse, OwnAddresses
from egress_audit.model.claim import Claim
from egress_audit.model.draft import Draft, Line, Party, Reason
from egress_audit.model.flow import NameSource
from egress_audit.report.draft_text import UNKNOWN, Origin, comment, draft_text, origin_of, quoted
from egress_audit.yaml_tree import MAX_BYTES
from tests.builders.audits import asserted_silence, hub_lookup
from tests.builders.cases import OUTSIDE, case, contact, named, place, question
from tests.builders.runs import owner

OWN = OwnAddresses("given", ("10.0.0.2/32",))
ORIGIN = Origin("run.pcap", (EvidenceItem("ab" * 32, 1, "pcap", ""),), "47.0 s", OWN)
EXAMPLE = Party("Example")
SEEN = (
    question("a.example", OUTSIDE),
    contact(OUTSIDE, named("a.example", NameSource.DNS_ANSWER), owner=owner(exe="/bin/python3")),
)


def text_of(draft: Draft, **options: bool) -> str:
    return draft_text(draft, "drafted", ORIGIN, **options)


def claim_in(text: str) -> Claim:
    with TemporaryDirectory() as folder:
        path = Path(folder, "p.yaml")
        path.write_text(text, encoding="utf-8")
        return load_profile(str(path))


def lines(*values: str, party: Party = EXAMPLE, clause: str = "seen") -> Draft:
    """A draft of these hosts."""
    made = tuple(Line("hosts", each, party, (Reason(clause),), bool(party.name)) for each in values)
    return replace(drafted(case()), lines=made, allow=allowed_by(made))


def test_what_is_written_is_the_claim_that_was_drafted() -> None:
    draft = drafted(case(*SEEN))
    claim = claim_in(text_of(draft))
    assert claim.allow == draft.allow
    assert claim.name == "drafted"
    assert claim.require.phases == ("run",)
    assert claim.holds_means
    assert claim.holds_does_not_mean
    assert claim.source == f"drafted from run.pcap, sha256 {'ab' * 32}"


def test_each_line_has_its_reason_with_amount_time_process_and_frames() -> None:
    text = " ".join(text_of(drafted(case(*SEEN))).replace("#", " ").split())
    assert "asked for a.example (1 A question); answered with 203.0.113.9" in text
    assert "10 packets out, 8 in" in text
    assert "first 2026-11-21T10:12:03.512Z; frame 3" in text
    assert "; by python3" in text


def test_the_party_of_known_lines_is_told_and_of_unknown_ones_that_nobody_knows() -> None:
    known = contact("192.0.2.1", named("z.example", NameSource.DNS_ANSWER), destination=place())
    text = text_of(drafted(case(known, *SEEN)))
    assert "    # Example, as the address lists have it; what for is not known\n" in text
    assert f"    # {UNKNOWN}: no list knows who this is\n" in text
    assert f"Marked {UNKNOWN}, and allowed all the same: 1 line." in text


def test_what_the_catalogue_knows_is_told_with_purposes_and_entries() -> None:
    party = Party("Example Hub", ("auth", "telemetry"), ("hub-auth", "hub-stats"))
    text = text_of(lines("a.example", party=party))
    assert "# Example Hub: auth or telemetry (catalogue: one of hub-auth, hub-stats)" in text


def test_what_nobody_knows_can_be_commented_out() -> None:
    known = contact("192.0.2.1", named("z.example", NameSource.DNS_ANSWER), destination=place())
    text = text_of(drafted(case(known, *SEEN)), known_only=True)
    assert claim_in(text).allow.hosts == ("z.example",)
    assert '    # - "a.example"\n' in text


def test_a_list_of_which_everything_is_commented_out_is_empty() -> None:
    text = text_of(drafted(case(*SEEN, contact("203.0.113.10"))), known_only=True)
    allow = claim_in(text).allow
    assert (allow.hosts, allow.prefixes) == ((), ())


def test_what_no_line_can_allow_is_told_at_the_top() -> None:
    text = text_of(drafted(case(question("a b.example"))))
    head = text.partition("name: ")[0]
    assert "contradicts the draft all the same" in head
    assert "it asked for a b.example (1 A question)" in head


def test_what_the_evidence_hides_is_told_at_the_top() -> None:
    draft = drafted(case(*SEEN, hidden_names={"tls-ech": 2}))
    head = " ".join(text_of(draft).partition("name: ")[0].replace("#", " ").split())
    assert "This evidence hides the following" in head
    assert "flows that hide the name they are for" in head


def test_a_guess_of_whose_side_is_whose_is_told_at_the_top() -> None:
    guessed = replace(ORIGIN, own=replace(OWN, how="guessed"))
    head = draft_text(drafted(case(*SEEN)), "drafted", guessed).partition("name: ")[0]
    assert "was guessed: 10.0.0.2/32. Say it with --local." in head
    assert "guessed" not in text_of(drafted(case(*SEEN))).partition("name: ")[0]


def test_a_stream_is_called_standard_input() -> None:
    assert origin_of("-", hub_lookup()).name == "standard input"


def test_what_was_answered_stands_above_inbound() -> None:
    text = text_of(drafted(case(contact(OUTSIDE, direction=Direction.INBOUND))))
    assert "Seen from outside, and answered" in text.partition("inbound: report")[0]
    assert "Seen from outside" not in text_of(drafted(case(*SEEN)))


def test_what_is_not_told_of_many_is_counted() -> None:
    rows = [contact(OUTSIDE, far_p=port, direction=Direction.INBOUND) for port in range(50)]
    assert "# - and 47 more rows\n" in text_of(drafted(case(*rows)))
    many = replace(drafted(case(*SEEN)), uncovered=("sent",) * 30, unseen=("hidden",) * 25)
    head = text_of(many).partition("name: ")[0]
    assert (head.count("it sent\n"), head.count("and 10 more\n")) == (20, 1)
    assert (head.count("hidden\n"), head.count("and 5 more\n")) == (20, 1)


def test_further_reasons_of_a_line_are_counted() -> None:
    rows = [replace(SEEN[1], far_p=port) for port in range(1, 8)]
    assert "# - and 4 more such rows\n" in text_of(drafted(case(*rows)))


def test_the_longest_draft_is_short_enough_for_a_profile() -> None:
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 55])
    hosts = [f"{number:05}.{longest}" for number in range(MOST_LINES)]
    assert all(len(host) == 253 for host in hosts)
    text = text_of(lines(*hosts, clause="asked for " + "x" * 5_000))
    assert len(text.encode()) < MAX_BYTES
    assert claim_in(text).allow.hosts == tuple(hosts)


def test_no_comment_is_wider_than_a_page() -> None:
    text = text_of(lines("a.example", clause="asked " * 200))
    assert max(len(line) for line in text.splitlines() if line.lstrip().startswith("#")) <= 100


def test_how_long_was_covered_is_told_where_it_is_known() -> None:
    assert origin_of("a", hub_lookup()).time != origin_of("a", asserted_silence()).time
    assert origin_of("a", asserted_silence()).time == "no time that is known"


# Hostile text

BREAKS = st.text(
    st.sampled_from(
        "a:#-?[]{}&*!|>'\"%@`,\\\n\r\t\x00\x1b\x85\u2028\u2029\u202e\ufeff\ud800\U0001f600é"
    )
)
hostile = st.one_of(BREAKS, st.text())


@given(hostile)
def test_a_quoted_text_is_one_scalar_of_one_line(text: str) -> None:
    scalar = quoted(text)
    assert len(scalar.splitlines()) == 1
    assert isinstance(yaml.safe_load(f"a: {scalar}\nb: 1\n")["a"], str)
    assert set(yaml.safe_load(f"a: {scalar}\nb: 1\n")) == {"a", "b"}


@given(hostile, st.sampled_from((0, 4)))
def test_a_comment_stays_one(text: str, indent: int) -> None:
    made = "\n".join(comment(text, indent, "- "))
    assert yaml.safe_load(f"a:\n{made}\n    - b\n") == {"a": ["b"]}


@given(hostile, hostile, hostile, hostile)
def test_nothing_that_a_capture_holds_changes_what_is_claimed(
    name: str, clause: str, exe: str, host: str
) -> None:
    plain = claim_in(text_of(drafted(case(*SEEN))))
    rows = (
        SEEN[0],
        replace(SEEN[1], owner=owner(exe=exe)),
        question(host or "x y"),
        contact("192.0.2.1", NameUse(host or "x y", (NameSource.TLS_SNI,))),
    )
    draft = replace(drafted(case(*rows)), uncovered=(clause,))
    origin = replace(ORIGIN, name=name)
    claim = claim_in(draft_text(draft, "drafted", origin))
    assert claim.allow == draft.allow
    assert (claim.name, claim.deny, claim.inbound) == (plain.name, plain.deny, plain.inbound)
    assert claim.require == plain.require


@given(hostile)
def test_a_party_of_any_name_stays_in_its_comment(name: str) -> None:
    draft = lines("a.example", party=Party(name, (name,), (name,)))
    assert claim_in(text_of(draft)).allow == draft.allow


@pytest.mark.parametrize("host", ["no", "1e5", "0x10", "null", "1_000", "y", "2001-01-01"])
def test_a_host_that_yaml_takes_for_something_else_stays_a_host(host: str) -> None:
    assert claim_in(text_of(drafted(case(question(host))))).allow.hosts == (host,)
