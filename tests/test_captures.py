"""The golden captures, end to end: file in, audit out, compared with what is expected."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from egress_audit.addresses import Scope, parse_prefix
from egress_audit.api import Asserted, audit_capture
from egress_audit.judge.rules import RULES
from egress_audit.judge.spots_of_attempts import SPOTS_OF_ATTEMPTS
from egress_audit.judge.spots_of_program import SPOTS_OF_PROGRAM
from egress_audit.judge.spots_of_record import SPOTS_OF_RECORD
from egress_audit.judge.spots_of_sandbox import SPOTS_OF_SANDBOX
from egress_audit.judge.verdict import BLIND_SPOTS
from egress_audit.model.audit import Audit, Direction, Kind
from egress_audit.model.flow import NameSource
from egress_audit.report.beside import Envelope
from egress_audit.report.document import json_text
from tests.builders.captures import Frame, udp_exchange
from tests.builders.golden import CAPTURES, SCENES, description, expectation, replayed
from tests.builders.scenes import ALL, Scene, later, raw, written

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "docs" / "schema" / "audit-1.json").read_text(encoding="utf-8"))


def descriptions() -> dict[str, dict[str, Any]]:
    """What is said of each capture, by name."""
    return {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted(CAPTURES.glob("*.yaml"))
    }


DESCRIBED = descriptions()
RULES_OF_RUNS = {"EA012"}
"""Rules about what only a bundle can show; tests/judge has each with its twin."""
RUNTIMES = sorted(name for name, said in DESCRIBED.items() if "verdict_all_assertions" in said)


@cache
def audit_of(name: str) -> Audit:
    """The audit of one golden capture, as its description asks for it."""
    return replayed(DESCRIBED[name], tuple(DESCRIBED[name]["assertions"])).audit


# Each of them


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_golden_capture_is_audited_as_expected_byte_for_byte(name: str) -> None:
    expected = (CAPTURES / f"{name}.json").read_bytes()
    assert expectation(audit_of(name)).encode() == expected, (
        "if the change is meant: scripts/make_captures.py --expect, and read the diff"
    )


@pytest.mark.parametrize("name", DESCRIBED)
def test_its_verdict_and_exit_code_are_those_of_its_description(name: str) -> None:
    verdict, said = audit_of(name).verdict, DESCRIBED[name]
    assert (verdict.value, int(verdict.exit_code)) == (said["verdict"], said["exit_code"])


@pytest.mark.parametrize("name", DESCRIBED)
def test_its_document_is_valid(name: str) -> None:
    envelope = Envelope("0", (DESCRIBED[name]["capture"],))
    jsonschema.validate(json.loads(json_text(audit_of(name), envelope=envelope)), SCHEMA)


@pytest.mark.parametrize("name", DESCRIBED)
def test_it_says_what_it_is_and_under_which_licence(name: str) -> None:
    said = DESCRIBED[name]
    assert (CAPTURES / said["capture"]).stem == name
    assert said["made"] and said["shows"] and said["licence"] == "BSD-3-Clause"


def test_every_capture_is_described_and_every_description_has_its_capture() -> None:
    kinds = (".pcap", ".pcapng", ".bundle")
    files = [path for path in CAPTURES.iterdir() if path.suffix in kinds]
    assert sorted(path.stem for path in files) == sorted(DESCRIBED)
    assert sorted(path.stem for path in CAPTURES.glob("*.json")) == sorted(DESCRIBED)


# Those that a script makes


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_checked_in_capture_is_what_the_script_makes(scene: Scene) -> None:
    assert (CAPTURES / f"{scene.name}.{scene.suffix}").read_bytes() == scene.data
    assert (CAPTURES / f"{scene.name}.yaml").read_text(encoding="utf-8") == description(scene)


def test_no_two_scenes_have_the_same_name() -> None:
    assert len({scene.name for scene in SCENES}) == len(SCENES)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_just_the_rules_that_are_meant_fire(scene: Scene) -> None:
    fired = {finding.rule for finding in audit_of(scene.name).findings}
    assert fired == set(scene.rules)


@pytest.mark.parametrize(
    "scene",
    [scene for scene in SCENES if scene.verdict == "INCONCLUSIVE" and scene.spots],
    ids=lambda scene: scene.name,
)
def test_just_the_blind_spots_that_are_meant_stand_in_the_way(scene: Scene) -> None:
    material = {spot.id for spot in audit_of(scene.name).blind_spots if spot.material}
    assert material == set(scene.spots)


@pytest.mark.parametrize(
    "scene",
    [scene for scene in SCENES if scene.verdict != "INCONCLUSIVE" and scene.spots],
    ids=lambda scene: scene.name,
)
def test_a_blind_spot_that_is_in_nobodys_way_is_there(scene: Scene) -> None:
    assert set(scene.spots) <= {spot.id for spot in audit_of(scene.name).blind_spots}


def test_every_rule_that_a_plain_capture_can_break_fires_in_a_golden_audit() -> None:
    shown = {finding.rule for name in DESCRIBED for finding in audit_of(name).findings}
    assert {rule.id for rule in RULES} - shown == RULES_OF_RUNS


def test_every_blind_spot_of_a_plain_capture_stands_in_a_golden_audit() -> None:
    shown = {spot for scene in SCENES for spot in scene.spots}
    tables = (SPOTS_OF_RECORD, SPOTS_OF_SANDBOX, SPOTS_OF_ATTEMPTS, SPOTS_OF_PROGRAM)
    of_runs = {"callers-after-end"} | {spot.id for table in tables for spot in table}
    of_streams = {"ended-by-user"}  # Of a file there is nobody to end it.
    assert {spot.id for spot in BLIND_SPOTS} - shown == of_runs | of_streams


def test_a_contact_beyond_the_rows_is_found(tmp_path: Path) -> None:
    homes = [f"192.168.{n >> 8}.{n & 255}" for n in range(10_000)]
    sent = [f for end in (*homes, "198.51.100.1") for f in datagram("10.0.0.2", end)]
    path = tmp_path / "many.pcap"
    path.write_bytes(written(later([*datagram("198.51.100.9", "10.0.0.2"), *sent])))
    audit = audit_capture(
        str(path),
        str(CAPTURES / "profiles" / "local-network.yaml"),
        local=[parse_prefix("10.0.0.2")],
        asserted=Asserted(ALL),
    ).audit
    rest = {seen.direction: seen for seen in audit.observations if seen.kind is Kind.REST}
    assert [finding.rule for finding in audit.findings] == ["EA011"]
    assert rest[Direction.OUTBOUND].rest_scopes == {Scope.DOCUMENTATION: 1}
    assert rest[Direction.RECEIVED].flows == 1
    assert "rows-dropped" in {spot.id for spot in audit.blind_spots if spot.material}


def datagram(sender: str, receiver: str) -> list[Frame]:
    return udp_exchange((sender, 40000), (receiver, 9000), b"\x00", link=raw)


# The recorded runtimes


@pytest.mark.parametrize("name", RUNTIMES)
def test_with_all_assertions_a_runtime_concludes_as_is_known_of_it(name: str) -> None:
    said = DESCRIBED[name]
    assert replayed(said, ("all",)).audit.verdict.value == said["verdict_all_assertions"]


@pytest.mark.parametrize("name", RUNTIMES)
def test_the_names_it_asked_for_are_those_it_is_known_to_ask_for(name: str) -> None:
    asked = {
        seen.names[0].host for seen in audit_of(name).observations if seen.kind is Kind.QUESTION
    }
    assert asked == set(DESCRIBED[name]["expected_dns"])


@pytest.mark.parametrize("name", RUNTIMES)
def test_the_server_names_it_spoke_are_those_it_is_known_to_speak(name: str) -> None:
    spoken = {
        use.host
        for seen in audit_of(name).observations
        for use in seen.names
        if NameSource.TLS_SNI in use.sources
    }
    assert spoken == set(DESCRIBED[name]["expected_sni"])


def test_there_are_22_runtimes() -> None:
    assert len(RUNTIMES) == 22


def test_a_hub_lookup_is_told_in_one_sentence() -> None:
    assert audit_of("hf-hubname").headline == (
        "this capture asked for huggingface.co (19 A and 19 AAAA questions) "
        "and opened 19 TLS connections to it"
    )


@pytest.mark.parametrize(
    "name", [name for name in RUNTIMES if DESCRIBED[name]["verdict"] == "INCONCLUSIVE"]
)
def test_silence_with_all_assertions_says_what_the_proof_rests_on(name: str) -> None:
    assert replayed(DESCRIBED[name], ("all",)).audit.headline == (
        "HOLDS, on these assertions; 0 frames: the proof rests on what you assert"
    )


@pytest.mark.parametrize("missing", ALL)
def test_an_empty_capture_with_any_five_assertions_stays_open(missing: str) -> None:
    five = tuple(word for word in ALL if word != missing)
    audit = replayed(DESCRIBED["hf-deepseek_v3-local"], five).audit
    assert audit.verdict.value == "INCONCLUSIVE"
