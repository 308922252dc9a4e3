"""What packaged profiles make of names on machines that say nothing against them.

But for clouds, every contact goes to a server of Hetzner in Germany, of which everything is known.
"""

from pathlib import Path

import pytest

from egress_audit.api import Asserted, audit_capture
from egress_audit.model.audit import Verdict
from tests.builders.profile_evidence import GERMAN, Offence, evidence_of
from tests.builders.scenes import ALL

HOLDS, VIOLATED, OPEN = Verdict.HOLDS, Verdict.VIOLATED, Verdict.INCONCLUSIVE


def verdict_on(host: str, name: str, folder: Path, address: str = GERMAN) -> Verdict:
    """What that profile says of a capture in which that host is asked for and contacted."""
    path = folder / "capture.pcap"
    path.write_bytes(evidence_of(Offence(host, address=address), name))
    return audit_capture(str(path), name, asserted=Asserted(ALL, "a test")).audit.verdict


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("api.deepseek.com", VIOLATED),
        ("hm.baidu.com", OPEN),
        ("hf-mirror.com", OPEN),
        ("oapi.dingtalk.com", OPEN),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", OPEN),
        ("bedrock-runtime.eu-central-1.amazonaws.com", HOLDS),
        ("hooks.slack.com", HOLDS),
        ("tunnel.us.ngrok.com", OPEN),
        ("api.openai.com", HOLDS),
        ("www.example.org", HOLDS),
    ],
)
@pytest.mark.parametrize("name", ["no-china", "us-doj-data-security"])
def test_a_vendor_of_china_counts_wherever_its_machine_stands(
    tmp_path: Path, host: str, name: str, verdict: Verdict
) -> None:
    assert verdict_on(host, name, tmp_path) is verdict


@pytest.mark.parametrize(
    ("host", "verdict"), [("hm.baidu.com", OPEN), ("api.x.ai", VIOLATED), ("api.mistral.ai", HOLDS)]
)
def test_a_vendor_of_elsewhere_is_not_of_the_union(
    tmp_path: Path, host: str, verdict: Verdict
) -> None:
    assert verdict_on(host, "eu-only", tmp_path) is verdict


@pytest.mark.parametrize(
    ("host", "verdict"), [("id.cmpassport.com", VIOLATED), ("www.example.org", HOLDS)]
)
def test_china_mobile_is_a_state_telecom_by_its_name_too(
    tmp_path: Path, host: str, verdict: Verdict
) -> None:
    assert verdict_on(host, "no-state-telecom", tmp_path) is verdict


@pytest.mark.parametrize(("address", "verdict"), [("36.111.129.1", VIOLATED), ("47.88.1.1", HOLDS)])
def test_the_cloud_of_china_telecom_is_a_state_telecom_and_that_of_alibaba_is_none(
    tmp_path: Path, address: str, verdict: Verdict
) -> None:
    assert verdict_on("www.example.org", "no-state-telecom", tmp_path, address) is verdict


@pytest.mark.parametrize(("address", "verdict"), [("71.18.6.1", OPEN), ("17.253.1.1", HOLDS)])
def test_of_whom_nobody_knows_who_owns_it_control_is_open(
    tmp_path: Path, address: str, verdict: Verdict
) -> None:
    assert verdict_on("www.example.org", "no-china", tmp_path, address) is verdict


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("statsig.anthropic.com", OPEN),
        ("api.anthropic.com", OPEN),
        ("huggingface.cn", OPEN),
        ("api.ipify.org", OPEN),
        ("fonts.gstatic.com", OPEN),
        ("bucket.tos-cn-beijing.volces.com", OPEN),
        ("apmplus.volces.com", VIOLATED),
        ("mcs.volceapplog.com", VIOLATED),
        ("open.volcengineapi.com", OPEN),
        ("us.i.posthog.com", VIOLATED),
        ("claude.ai", HOLDS),
        ("api.mistral.ai", HOLDS),
        ("cas.xethub.hf.co", HOLDS),
        ("www.msftconnecttest.com", HOLDS),
    ],
)
def test_a_name_reports_nothing_only_where_it_is_known_to_be_for_something_else(
    tmp_path: Path, host: str, verdict: Verdict
) -> None:
    assert verdict_on(host, "no-telemetry", tmp_path) is verdict


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("gpt4all.io", HOLDS),
        ("versions-prod.lmstudio.ai", HOLDS),
        ("staff.lmstudio.ai", VIOLATED),
        ("api.openwebui.com", VIOLATED),
        ("agenthub.localai.io", VIOLATED),
        ("api.github.com", VIOLATED),
    ],
)
def test_a_hub_or_a_licence_is_no_look_for_updates(
    tmp_path: Path, host: str, verdict: Verdict
) -> None:
    assert verdict_on(host, "updates-allowed", tmp_path) is verdict


@pytest.mark.parametrize(
    ("address", "verdict"),
    [("3.33.128.1", HOLDS), ("34.102.136.180", HOLDS), ("13.32.0.1", OPEN), ("13.107.246.1", OPEN)],
)
def test_a_balancer_of_a_cloud_is_a_machine_of_it_and_a_front_may_be_anybodys(
    tmp_path: Path, address: str, verdict: Verdict
) -> None:
    assert verdict_on("www.example.org", "trusted-clouds", tmp_path, address) is verdict
