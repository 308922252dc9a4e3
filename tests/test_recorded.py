"""Bundles, end to end: what the recorder noted and what the capture shows become one audit."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from egress_audit.addresses import Scope, parse_prefix
from egress_audit.api import Asserted, audit_capture, explain_frames
from egress_audit.errors import InputUnreadable, WrongUsage
from egress_audit.judge.assertions import WORDS
from egress_audit.model.audit import Audit, Direction, Kind, Observation, Owner
from egress_audit.model.destination import Absent
from egress_audit.model.flow import NameSource
from egress_audit.model.run import Role
from egress_audit.recorded import sum_of_all
from tests.builders.bundles import (
    RESOLVERS,
    SECOND_NS,
    START_NS,
    TARGET,
    attempt,
    begin,
    line,
    process,
)
from tests.builders.captures import UDP, dns_query, ip, tcp_session, udp
from tests.builders.recordings import (
    EXERCISER,
    HOME,
    HUB,
    INVENTED,
    PROBES,
    Sent,
    asked,
    bundle,
    connected,
    local,
    nonce,
    sent_by,
    with_how,
)
from tests.builders.scenes import one, raw

NO_INBOUND = str(Path(__file__).parent.parent / "captures/profiles/no-inbound.yaml")
CLIENT = 5
"""`Process.id` of who hands the user's client in."""
GAVE = line("name", host=HUB, address=INVENTED, frame=6)


def audit_of(folder: Path, profile: str = "offline", **changes: Any) -> Audit:
    return audit_capture(str(folder), profile, **changes).audit


def material(audit: Audit) -> set[str]:
    return {spot.id for spot in audit.blind_spots if spot.material}


def rules(audit: Audit) -> list[str]:
    return [finding.rule for finding in audit.findings]


def contacts(audit: Audit) -> list[Observation]:
    return [s for s in audit.observations if s.kind is Kind.CONTACT and not s.by_helper]


def owner_of(seen: Observation) -> Owner:
    assert isinstance(seen.owner, Owner)
    return seen.owner


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bundle"


def test_a_run_that_stays_at_home_holds_without_any_assertion(folder: Path) -> None:
    audit = audit_of(bundle(folder, local()))
    assert (audit.verdict.value, material(audit)) == ("HOLDS", set())
    assert audit.subject == "the program"
    assert audit.coverage.probes == PROBES


def test_a_plain_capture_has_no_run(folder: Path) -> None:
    audit = audit_capture(str(bundle(folder) / "capture.pcapng")).audit
    assert (audit.run, audit.coverage.recording) == (Absent.NOT_APPLICABLE,) * 2
    assert audit.verdict.value == "VIOLATED"  # the probes, of which nothing says whose they are


def test_a_lookup_and_a_connection_are_told_of_the_program(folder: Path) -> None:
    audit = audit_of(bundle(folder, [*asked(), *connected()], GAVE))
    assert rules(audit) == ["EA001", "EA002"]
    assert audit.headline == (
        f"the program asked for {HUB} (1 A question) and opened 1 connection to it"
    )


def test_an_invented_address_has_its_name_from_our_dns_and_no_place(folder: Path) -> None:
    audit = audit_of(bundle(folder, connected(), GAVE))
    (seen,) = contacts(audit)
    assert seen.names[0].sources == (NameSource.SANDBOX_DNS,)
    assert seen.destination.scope is Scope.SIMULATED
    assert seen.destination.asn is Absent.SYNTHETIC


def test_the_name_decides_whether_an_invented_address_is_allowed(
    folder: Path, tmp_path: Path
) -> None:
    profile = tmp_path / "hub.yaml"
    profile.write_text(f"name: hub\nstatement: s\nallow: {{scopes: [loopback], hosts: [{HUB}]}}\n")
    audit = audit_of(bundle(folder, [*asked(), *connected()], GAVE), str(profile))
    assert rules(audit) == []
    assert "contact-answered-here" in material(audit)


def test_rows_have_the_process_that_sent(folder: Path) -> None:
    audit = audit_of(bundle(folder, [*asked(), *connected()], GAVE))
    owners = [owner_of(seen) for seen in audit.observations if not seen.by_helper]
    assert {(owner.pid, owner.exe, owner.how) for owner in owners} == {
        (1002, "/usr/bin/program", "seccomp")
    }
    assert len(owners) == 3


def test_workers_alike_are_one_row(folder: Path) -> None:
    workers = [process(number, parent=TARGET) for number in (5, 6)]
    sent = [
        *connected("203.0.113.9", who=5),
        *connected("203.0.113.9", who=6, near_port=40010, at_s=7),
    ]
    audit = audit_of(bundle(folder, sent, processes=workers))
    (seen,) = contacts(audit)
    assert (seen.flows, owner_of(seen).processes, owner_of(seen).pid) == (2, 2, 1005)


def test_what_our_exerciser_does_is_listed_and_never_the_programs(folder: Path) -> None:
    sent = [*asked("other.example", who=EXERCISER), *connected("203.0.113.9", who=EXERCISER)]
    audit = audit_of(bundle(folder, sent))
    assert not audit.findings
    assert material(audit) == {"exerciser-went-out"}
    recording = audit.coverage.recording
    assert not isinstance(recording, Absent)
    assert recording.not_the_programs == {"exerciser": 2, "probe": 8}


def served() -> list[Sent]:
    """A connection that the user's client made to the program, which answered."""
    ends = ("127.0.0.1", 40003), ("127.0.0.1", 8080)
    frames = tcp_session(*ends, b"\x00hi", b"\x00ho", link=raw)
    begun = sent_by(CLIENT, frames, ours="127.0.0.1", interface=1)
    port = frames[0].data[20:22]
    return [
        made if made.packet.data[20:22] == port else replace(made, process=TARGET) for made in begun
    ]


def by_client(folder: Path, profile: str = "offline") -> Audit:
    return audit_of(bundle(folder, served(), processes=[process(CLIENT, role="client")]), profile)


def test_what_the_user_s_client_did_is_inbound_and_answered_by_the_program(folder: Path) -> None:
    (seen,) = contacts(by_client(folder))
    assert (seen.direction, seen.from_client, seen.flows) == (Direction.INBOUND, True, 1)
    assert owner_of(seen).role is Role.TARGET


def test_the_user_s_client_is_listed_where_inbound_is_reported(folder: Path) -> None:
    audit = by_client(folder)
    assert "inbound-answered" in {spot.id for spot in audit.blind_spots}
    assert (audit.verdict.value, material(audit)) == ("HOLDS", set())


def test_the_user_s_client_contradicts_a_claim_that_denies_inbound(folder: Path) -> None:
    audit = by_client(folder, NO_INBOUND)
    assert rules(audit) == ["EA010"]
    assert "the user's client on this host" in audit.headline


def test_a_program_that_serves_itself_answers_no_client(folder: Path) -> None:
    audit = audit_of(bundle(folder, local()), NO_INBOUND)
    assert rules(audit) == []


def test_a_packet_of_nobody_leaves_the_claim_open(folder: Path) -> None:
    audit = audit_of(bundle(folder, local(0)))
    assert material(audit) == {"owners-missing"}


def test_a_packet_of_nobody_to_the_outside_is_a_violation_all_the_same(folder: Path) -> None:
    audit = audit_of(bundle(folder, connected("203.0.113.9", who=0)))
    assert (audit.verdict.value, contacts(audit)[0].owner) == ("VIOLATED", Absent.NOT_FOUND)


def test_the_kernels_packets_are_on_behalf_of_the_program(folder: Path) -> None:
    report = ip("fd00:e6e4::2", "ff02::16", b"\x8f\0\0\0\0\0\0\1" + bytes(20), 58)
    sent = with_how(sent_by(TARGET, [one(report)], ours="fd00:e6e4::2"), "kernel, on behalf of")
    audit = audit_of(bundle(folder, sent))
    (seen,) = contacts(audit)
    assert owner_of(seen).how == "kernel, on behalf of"
    assert audit.verdict.value == "HOLDS"


def test_a_packet_from_127_to_the_sandboxs_own_address_stays_on_the_machine(folder: Path) -> None:
    sent = sent_by(
        TARGET,
        [one(ip("127.0.0.1", HOME, udp(4000, 9000, b"x"), UDP))],
        ours="127.0.0.1",
        interface=1,
    )
    audit = audit_of(bundle(folder, sent))
    (seen,) = contacts(audit)
    assert (seen.destination.scope, audit.verdict.value) == (Scope.LOOPBACK, "HOLDS")


def test_rows_are_told_apart_by_phase(folder: Path) -> None:
    load = [
        line("phase", START_NS + 2 * SECOND_NS, phase="load", proof="self", edge="begin"),
        line("phase", START_NS + 8 * SECOND_NS, phase="load", proof="self", edge="end"),
    ]
    sent = [
        *connected("203.0.113.9", at_s=5),
        *connected("203.0.113.9", near_port=40010, at_s=50),
    ]
    audit = audit_of(bundle(folder, sent, *load))
    assert [seen.phase for seen in contacts(audit)] == ["load", Absent.NOT_FOUND]
    assert audit.coverage.phases == ("run",)


def test_a_probe_that_is_not_in_the_capture_leaves_the_claim_open(folder: Path) -> None:
    made = bundle(folder)
    capture = made / "capture.pcapng"
    lost = nonce("after", "address", 4).encode()
    capture.write_bytes(capture.read_bytes().replace(lost, b"x" * len(lost)))
    audit = audit_of(made)
    assert material(audit) == {"probes-missing", "bundle-altered"}
    assert audit.coverage.probes == PROBES - 1


def test_a_bundle_whose_record_was_changed_is_not_believed(folder: Path) -> None:
    made = bundle(folder)
    events = made / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b"program --quiet", b"program --louds"))
    audit = audit_of(made)
    assert material(audit) == {"bundle-altered"}
    assert "events.jsonl" in audit.blind_spots[0].message


def test_a_bundle_without_its_manifest_was_not_finished(folder: Path) -> None:
    audit = audit_of(bundle(folder, closed=False))
    assert "record-unfinished" in material(audit)
    assert "bundle-altered" not in material(audit)


def test_a_bundle_is_bound_to_its_manifest_as_well(folder: Path) -> None:
    made = bundle(folder)
    audit = audit_of(made, asserted=Asserted(("exercised",)))
    capture, sealed = audit.evidence
    assert (capture.format, sealed.format) == ("pcapng", "bundle")
    assert audit.assertions[0].evidence == (capture.sha256, sealed.sha256)


def test_a_command_that_never_ran_is_no_audit(folder: Path) -> None:
    made = bundle(folder)
    events = made / "events.jsonl"
    kept = [row for row in events.read_text().splitlines() if json.loads(row)["event"] != "exec"]
    events.write_text("\n".join(kept) + "\n")
    with pytest.raises(InputUnreadable, match="never executed"):
        audit_of(made)


def test_a_command_that_failed_has_not_run(folder: Path) -> None:
    assert material(audit_of(bundle(folder, status=3))) == {"phases-unproven"}


def test_loss_is_the_recorders_number(folder: Path) -> None:
    assert audit_of(bundle(folder)).coverage.drops == 0
    assert "drops-recorded" in material(audit_of(bundle(folder.with_name("b"), drops=(0, 2))))
    assert "drops-unknown" in material(audit_of(bundle(folder.with_name("c"), drops=(0, None))))


def test_own_addresses_are_recorded_and_cannot_be_given(folder: Path) -> None:
    made = bundle(folder)
    assert audit_of(made).own_addresses.how == "recorded"
    with pytest.raises(WrongUsage, match="records its own addresses"):
        audit_of(made, local=[parse_prefix("10.0.0.0/8")])


def test_a_question_and_its_carrier_are_one_finding(folder: Path) -> None:
    audit = audit_of(bundle(folder, asked()[:1]))
    (found,) = audit.findings
    carrier = next(s for s in contacts(audit) if s.far_h == RESOLVERS[0])
    assert found.rule == "EA002"
    assert carrier.id in found.observations[1:]


def test_an_attempt_without_a_packet_is_a_violation(folder: Path) -> None:
    audit = audit_of(bundle(folder, (), attempt(address="1.2.3.4")))
    assert rules(audit) == ["EA012"]


def test_an_attempt_with_its_packets_is_a_contact(folder: Path) -> None:
    sent = connected("203.0.113.9")
    assert rules(audit_of(bundle(folder, sent, attempt(address="203.0.113.9")))) == ["EA001"]


@pytest.mark.parametrize(
    ("host", "profile", "fires"),
    [
        ("stats.vllm.ai", "no-telemetry", ["EA013"]),
        ("api.deepseek.com", "no-china", ["EA014"]),
        ("stats.vllm.ai", "no-china", []),
        ("api.deepseek.com", "no-telemetry", []),
        (HUB, "no-telemetry", []),
    ],
)
def test_an_attempt_on_what_stands_for_a_name_is_judged_by_what_is_known_of_it(
    folder: Path, host: str, profile: str, fires: list[str]
) -> None:
    given = line("name", host=host, address=INVENTED, frame=6)
    audit = audit_of(bundle(folder, (), given, attempt(address=INVENTED)), profile)
    assert rules(audit) == fires
    assert audit.verdict.value == ("VIOLATED" if fires else "INCONCLUSIVE")


def test_a_route_that_was_asked_for_is_known_for_nothing(folder: Path) -> None:
    given = line("name", host="stats.vllm.ai", address=INVENTED, frame=6)
    probe = attempt(address=INVENTED, type="dgram")
    assert rules(audit_of(bundle(folder, (), given, probe), "no-telemetry")) == []


def test_conditions_stand_in_the_ledger(folder: Path) -> None:
    opted = line("setting", kind="condition", name="DO_NOT_TRACK", value="1", meaning="quiet")
    assert audit_of(bundle(folder, (), opted)).coverage.conditions == ("DO_NOT_TRACK=1",)


def test_a_frame_of_a_bundle_can_be_explained(folder: Path) -> None:
    made = bundle(folder, connected(), GAVE)
    (frame,) = explain_frames(str(made), [5])
    assert [name.source for name in frame.names] == [NameSource.SANDBOX_DNS]


def test_the_same_bundle_gives_the_same_audit(folder: Path) -> None:
    made = bundle(folder, [*asked(), *connected()], GAVE)
    assert audit_of(made) == audit_of(made)


@pytest.mark.parametrize("word", WORDS)
def test_no_word_makes_a_bundle_with_a_finding_hold(folder: Path, word: str) -> None:
    made = bundle(folder, connected("203.0.113.9"))
    assert audit_of(made, asserted=Asserted((word,))).verdict.value == "VIOLATED"


def test_a_first_line_that_says_ipv4_only_expects_no_probe_of_ipv6(folder: Path) -> None:
    four = begin(own_addresses=[HOME], resolvers=[RESOLVERS[0]])
    audit = audit_of(bundle(folder, first=four))
    assert "probes-missing" not in material(audit)


def test_a_name_in_the_query_of_a_probe_is_not_the_programs(folder: Path) -> None:
    audit = audit_of(bundle(folder))
    hosts = [s for s in audit.observations if s.kind is Kind.QUESTION]
    assert {owner_of(seen).role for seen in hosts} == {Role.PROBE}


def test_the_same_name_asked_by_the_program_is(folder: Path) -> None:
    copied = dns_query(f"{nonce('before', 'name', 4)}.invalid")
    sent = sent_by(TARGET, [one(ip(HOME, RESOLVERS[0], udp(40009, 53, copied), UDP))])
    assert rules(audit_of(bundle(folder, sent))) == ["EA002"]


def test_frames_that_were_received_and_are_not_in_the_capture_are_missed(folder: Path) -> None:
    made = bundle(folder)
    events = made / "events.jsonl"
    text = events.read_text().replace(
        '"interface":"eg0","received":0', '"interface":"eg0","received":99'
    )
    events.write_text(text)
    audit = audit_of(made)
    damaged = next(spot for spot in audit.blind_spots if spot.id == "record-damaged")
    assert "the capture lacks 91 frames that eg0 received" in damaged.message


def test_frames_that_were_dropped_are_lost_and_not_missed(folder: Path) -> None:
    made = bundle(folder, drops=(91, 0))
    events = made / "events.jsonl"
    text = events.read_text().replace(
        '"interface":"eg0","received":0', '"interface":"eg0","received":99'
    )
    events.write_text(text)
    found = {spot.id for spot in audit_of(made).blind_spots}
    assert "drops-recorded" in found
    assert "record-damaged" not in found


def test_addresses_that_are_none_are_passed_over(folder: Path) -> None:
    odd = begin(own_addresses=["10.87.0.2", "nonsense"], resolvers=[RESOLVERS[0], "?"])
    assert audit_of(bundle(folder, connected("203.0.113.9"), first=odd)).verdict.value == "VIOLATED"


def test_an_attempt_in_a_denied_country_is_found_without_a_packet(folder: Path) -> None:
    tried = attempt(address="223.5.5.5", call="sendto", type="dgram", port=53)
    audit = audit_of(bundle(folder, (), tried), "no-china")
    assert audit.verdict == "VIOLATED"
    assert rules(audit) == ["EA007"]


@pytest.mark.parametrize(
    ("counts", "total"),
    [
        ((), Absent.NOT_FOUND),
        ((0,), 0),
        ((2, 3), 5),
        ((2, Absent.NOT_FOUND), Absent.NOT_FOUND),
    ],
)
def test_what_was_lost_is_known_where_every_interface_says_it(
    counts: tuple[int | Absent, ...], total: int | Absent
) -> None:
    assert sum_of_all(counts) == total
