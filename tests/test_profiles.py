"""The packaged profiles: each holds and is violated by evidence, and says what it has to say."""

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from egress_audit.addresses import parse_prefix
from egress_audit.api import Asserted, audit_capture, catalogue_with
from egress_audit.classify.catalogue import Catalogue
from egress_audit.classify.destination import Classifier, embedded_classifier
from egress_audit.errors import ExitCode
from egress_audit.judge.places import permitted
from egress_audit.judge.profile import profile_names, read_profile
from egress_audit.judge.timers import due_ns, is_named
from egress_audit.model.audit import Audit, Verdict
from egress_audit.model.claim import Claim
from egress_audit.model.destination import controlled_from, located_in
from egress_audit.model.profile import ProfileKind
from egress_audit.record.known_variables import CONDITIONS, ENDPOINTS
from egress_audit.report.claim_section import claim_section
from tests.builders.golden import CAPTURES
from tests.builders.profile_evidence import (
    ALIBABA,
    FRANKFURTER,
    GERMAN,
    OFFENCES,
    TELECOM,
    VIRGINIAN,
    YANDEX,
    Offence,
    evidence_about,
    evidence_of,
)
from tests.builders.scenes import ALL, OURS

NAMES = profile_names()
FOLDER = Path(__file__).parent.parent / "profiles"
EU = """AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"""
OUTERMOST = "AX GF GP MF MQ RE YT"
"""Article 355(1) and (4) of the Treaty on the Functioning of the European Union."""
DEEPSEEK = (
    "When downloaded and run locally, DeepSeek's models operate without an internet connection"
)
DATED = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
HOSTED = sorted(
    path.stem for path in FOLDER.glob("*.yaml") if "extends: parts/hosted.yaml" in path.read_text()
)
MEASURES = [name for name in NAMES if read_profile(name).kind is ProfileKind.MEASURE]
SYSTEMS = [name for name in NAMES if read_profile(name).kind is ProfileKind.SYSTEM]
RUNTIMES = [name for name in SYSTEMS if not name.endswith("-local") and name not in HOSTED]


@cache
def classifier() -> Classifier:
    """The embedded lists, opened once."""
    return embedded_classifier()


@cache
def catalogue() -> Catalogue:
    """The embedded catalogue, read once."""
    return catalogue_with()()


@cache
def claim_of(name: str) -> Claim:
    return read_profile(name).claim


def audited(folder: Path, data: bytes, name: str, words: tuple[str, ...] = ALL) -> Audit:
    path = folder / "evidence.pcap"
    path.write_bytes(data)
    return audit_capture(
        str(path),
        name,
        local=[parse_prefix(OURS)],
        asserted=Asserted(words),
        classifier=classifier(),
    ).audit


# Evidence


def test_every_profile_has_its_offence_and_no_other_has_one() -> None:
    assert set(OFFENCES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_holds_where_nothing_contradicts_it(tmp_path: Path, name: str) -> None:
    audit = audited(tmp_path, evidence_about(name).holds, name)
    assert audit.findings == ()
    assert audit.verdict.exit_code is ExitCode.HOLDS


@pytest.mark.parametrize("name", NAMES)
def test_it_is_violated_for_its_own_reason_and_no_other(tmp_path: Path, name: str) -> None:
    evidence = evidence_about(name)
    audit = audited(tmp_path, evidence.violated, name)
    assert audit.verdict.exit_code is ExitCode.VIOLATED
    assert {found.rule for found in audit.findings} == set(evidence.offence.rules)
    whom = evidence.offence.host or evidence.offence.address
    assert all(whom in found.message for found in audit.findings)


@pytest.mark.parametrize("name", NAMES)
def test_a_plain_capture_alone_does_not_make_it_hold(tmp_path: Path, name: str) -> None:
    audit = audited(tmp_path, evidence_about(name).holds, name, words=())
    assert audit.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("name", NAMES)
def test_its_evidence_is_the_same_bytes_every_time(name: str) -> None:
    assert evidence_about(name) == evidence_about(name)


KNOWN = sorted(
    {one.host for one in OFFENCES.values() if not one.host.endswith("example.org")} - {""}
)


@pytest.mark.parametrize("host", KNOWN)
def test_who_is_contacted_against_a_profile_is_known_to_the_catalogue(host: str) -> None:
    assert catalogue().of_host(host)


@pytest.mark.parametrize(
    ("address", "located", "controlled"),
    [
        (GERMAN, "DE", "DE"),
        (VIRGINIAN, "US", "US"),
        (FRANKFURTER, "DE", "US"),
        (TELECOM, "CN", "CN"),
        (YANDEX, "RU", "RU"),
    ],
)
def test_the_addresses_of_the_evidence_are_where_it_takes_them_to_be(
    address: str, located: str, controlled: str
) -> None:
    there = classifier().destination(address)
    assert located_in(there, {located})
    assert controlled_from(there, {controlled})


def test_alibaba_is_controlled_from_china_and_located_elsewhere() -> None:
    there = classifier().destination(ALIBABA)
    assert controlled_from(there, {"CN"})
    assert not located_in(there, {"CN"})


def test_a_short_capture_names_the_callers_that_come_once_in_hours(tmp_path: Path) -> None:
    silence = evidence_about("ollama-server").holds
    (later,) = (
        spot
        for spot in audited(tmp_path, silence, "ollama-server", words=()).blind_spots
        if spot.id == "callers-later"
    )
    assert later.material and "1 (Ollama server: telemetry, every 4 h)" in later.message


# Recorded runtimes


@pytest.mark.parametrize(
    ("capture", "name", "verdict"),
    [
        ("hf-deepseek_v3-local", "deepseek-v3-local", Verdict.HOLDS),
        ("hf-janus-local", "janus-pro-local", Verdict.HOLDS),
        ("hf-qwen3-local", "qwen-local", Verdict.HOLDS),
        ("xllamacpp-deepseek2-local", "llama-cpp", Verdict.HOLDS),
        ("xllamacpp-qwen2-local", "llama-cpp", Verdict.HOLDS),
        ("hf-hubname-offline", "transformers", Verdict.HOLDS),
        ("hf-hubname", "transformers", Verdict.VIOLATED),
        ("onnxruntime-12s", "onnxruntime", Verdict.VIOLATED),
        ("ray-start-head", "ray", Verdict.VIOLATED),
    ],
)
def test_a_recorded_runtime_is_judged_as_is_known_of_it(
    capture: str, name: str, verdict: Verdict
) -> None:
    said = yaml.safe_load((CAPTURES / f"{capture}.yaml").read_text(encoding="utf-8"))
    audit = audit_capture(
        str(CAPTURES / said["capture"]),
        name,
        local=[parse_prefix(text) for text in said["local"]],
        asserted=Asserted(ALL),
        classifier=classifier(),
    ).audit
    assert audit.verdict is verdict


# What they say


@pytest.mark.parametrize("name", NAMES)
def test_it_names_what_it_needs(name: str) -> None:
    require = claim_of(name).require
    assert require.whole_run and require.probes
    assert require.phases and require.observe_ns


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(MEASURES)))
def test_it_says_what_holds_means_in_words_of_its_own(name: str) -> None:
    others = [claim_of(other) for other in NAMES if other != name]
    assert claim_of(name).holds_does_not_mean not in {claim.holds_does_not_mean for claim in others}


@pytest.mark.parametrize("name", ["deepseek-r1-local", "deepseek-v3-local", "janus-pro-local"])
def test_the_sentence_about_local_models_stands_as_it_was_said(name: str) -> None:
    assert claim_of(name).statement == DEEPSEEK


CONDITION = re.compile(r"\b(?:with|when|where|if|unless|once|provided)\b", re.IGNORECASE)


@pytest.mark.parametrize("name", NAMES)
def test_one_packet_is_enough_to_contradict_it_since_it_has_no_condition(name: str) -> None:
    sentence = claim_of(name).statement
    assert sentence == DEEPSEEK or not CONDITION.search(sentence)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_tested_is_no_setting_that_the_run_may_not_have_had(name: str) -> None:
    assert not re.search(r"[A-Z]_[A-Z]|=|--", claim_of(name).statement)


def test_what_the_maker_of_lm_studio_says_of_chats_is_quoted_and_not_tested() -> None:
    claim = claim_of("lm-studio")
    assert "Nothing you enter" in claim.source
    assert "chat" not in claim.statement


def test_there_are_systems_policies_and_measures() -> None:
    assert (len(SYSTEMS), len(MEASURES)) == (37, 11)
    assert len(NAMES) - len(SYSTEMS) - len(MEASURES) == 12


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_runtime_is_judged_by_its_whole_tree_and_knows_its_product(name: str) -> None:
    claim = claim_of(name)
    assert claim.scope == "process-tree"
    assert any(is_named(entry, claim) for entry in catalogue())


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_to_be_watched_longer_than_the_callers_of_its_runtimes_wait(name: str) -> None:
    claim = claim_of(name)
    callers = [entry for entry in catalogue() if is_named(entry, claim)]
    assert not [entry.id for entry in callers if due_ns(entry) > claim.require.observe_ns]


@pytest.mark.parametrize("name", RUNTIMES)
def test_the_recorder_notes_every_variable_that_silences_a_runtime_of_it(name: str) -> None:
    switched = (entry for entry in catalogue() if is_named(entry, claim_of(name)))
    assert {word for entry in switched for word, _ in entry.variables} <= {*CONDITIONS, *ENDPOINTS}


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_says_when_it_was_taken_by_whom_and_that_this_is_no_legal_advice(
    name: str,
) -> None:
    claim = claim_of(name)
    assert DATED.search(claim.source)
    assert claim.holds_does_not_mean.endswith("It is no legal advice.")


NO_DEEPSEEK = [
    name for name in NAMES if claim_of(name).deny.hosts == claim_of("no-deepseek").deny.hosts
]


@pytest.mark.parametrize("name", NO_DEEPSEEK)
def test_what_denies_deepseek_by_name_says_that_an_address_alone_is_not_told(name: str) -> None:
    assert "Contact by an address alone" in claim_of(name).holds_does_not_mean


def test_nine_measures_are_no_deepseek_for_somebody() -> None:
    assert len(NO_DEEPSEEK) == 10


@pytest.mark.parametrize("name", MEASURES)
def test_no_measure_is_called_a_ban_of_the_nation(name: str) -> None:
    claim = claim_of(name)
    assert "nationwide" not in f"{claim.statement} {claim.source}"


def test_the_caveat_about_open_weights_stands_with_the_direction_of_australia() -> None:
    assert (
        "open weights on local servers" in claim_of("australia-pspf-001-2025").holds_does_not_mean
    )


@pytest.mark.parametrize("name", ["aws-hosted", "azure-hosted", "google-hosted", "trusted-clouds"])
def test_a_trusted_ecosystem_is_said_to_be_a_weak_claim(name: str) -> None:
    assert "eak" in (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").partition("name:")[0]


# Hosted models and the questions of a regulator


def test_there_are_17_profiles_of_hosted_services() -> None:
    assert len(HOSTED) == 17


@pytest.mark.parametrize("name", HOSTED)
def test_a_hosted_service_is_asked_what_a_capture_answers_and_what_it_cannot(name: str) -> None:
    answered = [asked.answer_by for asked in claim_of(name).questions]
    assert answered == ["located", "operator", "controlled", "cannot", "cannot", "cannot"]


@pytest.mark.parametrize("name", HOSTED)
def test_what_a_hosted_service_may_use_is_known_to_the_catalogue(name: str) -> None:
    allowed = claim_of(name).allow
    unknown = [host for host in allowed.hosts if not catalogue().of_host(host.replace("*", "x"))]
    assert not unknown
    assert all(catalogue().entry(word) for word in allowed.endpoints)


def test_a_regulators_questions_are_answered_from_what_was_observed(tmp_path: Path) -> None:
    audit = audited(tmp_path, evidence_about("deepseek-hosted").violated, "deepseek-hosted")
    told = {entry.lines[0]: entry.lines[1] for entry in claim_section(audit).entries[-6:]}
    assert "apmplus.ap-southeast-1.volces.com" in told["To whom does it go?"]
    assert told["To whom does it go?"].startswith("Alibaba (1")
    assert "CN (1" in told["Under whose jurisdiction is it then?"]
    assert told["How long is it kept?"].startswith("No capture can say. ")


@pytest.mark.parametrize(
    "name", [name for name in NAMES if "deepseek.com" not in claim_of(name).deny.hosts]
)
def test_a_profile_that_only_lists_who_called_says_that_answers_are_not_judged(name: str) -> None:
    claim = claim_of(name)
    told = f"{claim.holds_means} {claim.holds_does_not_mean}"
    says = re.search("of its own accord|[Aa]nswers to callers", told) is not None
    assert says is (claim.inbound == "report")


# Places


def test_the_european_union_has_27_members_and_parts_with_codes_of_their_own() -> None:
    assert claim_of("eu-only").allow.located == {*EU.split(), *OUTERMOST.split()}
    assert claim_of("eu-only").allow.controlled == set(EU.split())
    assert len(EU.split()) == 27


@pytest.mark.parametrize(
    ("address", "code", "answer"),
    [("102.35.1.1", "RE", True), ("213.188.160.1", "GP", True), ("202.22.224.1", "NC", False)],
)
def test_reunion_is_in_the_union_and_new_caledonia_is_not(
    address: str, code: str, answer: bool
) -> None:
    there = classifier().destination(address)
    assert there.located == code
    assert permitted(there, claim_of("eu-located").allow) is answer


def test_an_american_machine_in_germany_is_in_the_union_and_not_of_it() -> None:
    there = classifier().destination(FRANKFURTER)
    assert permitted(there, claim_of("eu-located").allow) is True
    assert permitted(there, claim_of("eu-only").allow) is False


FRONTS = ["1.1.1.1", "8.8.8.8", "104.16.1.1", "13.107.246.10", "75.2.0.1", "76.76.21.21"]


@pytest.mark.parametrize("address", ["13.32.0.1", "13.107.246.10"])
def test_a_front_of_a_trusted_cloud_is_for_anybody_behind_it(address: str) -> None:
    assert permitted(classifier().destination(address), claim_of("trusted-clouds").allow) is None


@pytest.mark.parametrize("name", ["eu-only", "eu-located", "us-only"])
@pytest.mark.parametrize("address", FRONTS)
def test_anycast_and_content_networks_are_in_no_allowed_place_for_sure(
    name: str, address: str
) -> None:
    assert permitted(classifier().destination(address), claim_of(name).allow) is not True


VOLCANO_ENGINE = "101.126.0.1"
"""Of AS137718, which is Volcano Engine's own."""


@pytest.mark.parametrize(
    ("host", "address", "rules"),
    [
        ("www.volcengine.com", GERMAN, {"EA009"}),
        ("ark.ap-southeast.bytepluses.com", GERMAN, {"EA009"}),
        ("www.example.org", VOLCANO_ENGINE, {"EA008"}),
        ("www.volcengine.com", VOLCANO_ENGINE, {"EA008", "EA009"}),
    ],
)
def test_volcano_engine_is_known_by_its_names_and_by_its_own_addresses(
    tmp_path: Path, host: str, address: str, rules: set[str]
) -> None:
    evidence = evidence_of(Offence(host, address=address), "south-korea-pipc-2025")
    audit = audited(tmp_path, evidence, "south-korea-pipc-2025")
    assert audit.verdict is Verdict.VIOLATED
    assert {found.rule for found in audit.findings} == rules


@pytest.mark.parametrize("address", ["104.16.1.1", "203.0.113.7"])
def test_a_front_or_an_unknown_operator_is_not_said_to_be_another_than_volcano_engine(
    tmp_path: Path, address: str
) -> None:
    evidence = evidence_of(Offence("www.example.org", address=address), "south-korea-pipc-2025")
    assert audited(tmp_path, evidence, "south-korea-pipc-2025").verdict is Verdict.INCONCLUSIVE


def test_the_countries_of_concern_are_those_of_the_rule() -> None:
    deny = claim_of("us-doj-data-security").deny
    assert deny.located == deny.controlled == {"CN", "HK", "MO", "CU", "IR", "KP", "RU", "VE"}
