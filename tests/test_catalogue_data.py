"""The catalogue's own data, before any engine reads it: what an entry must have, and must not."""

import csv
import os
import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from egress_audit.classify.versions import covers
from egress_audit.model.catalogue import Purpose, Verified

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "egress_audit" / "lists" / "catalogue"
FILES = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.iterdir())}
ENTRIES: list[dict[str, Any]] = [entry for file in FILES.values() for entry in file["entries"]]
FACTS = Path(os.environ.get("EGRESS_AUDIT_SHARED", "shared"), "facts", "endpoints.csv")

REQUIRED = {"id", "product", "purpose", "sends", "source", "verified", "confidence", "example"}
KNOWN = REQUIRED | {
    "versions", "seen_in", "hosts", "prefixes", "ports", "trigger", "first", "every", "phases",
    "processes", "switch_off", "stamps", "packetless", "labels_only",
}  # fmt: skip
PHASES = {"import", "start", "load", "generate", "idle", "exit"}

# Spelled in parts: no host of a package registry stands anywhere in this project.
REGISTRIES = re.compile(
    "|".join(
        (
            "pypi[.]" + "org",
            "pythonhosted[.]" + "org",
            "npmjs[.]",
            "yarnpkg[.]",
            "crates[.]" + "io",
            "proxy[.]golang[.]" + "org",
            "deb[.]debian",
            "(?:archive|security)[.]ubuntu",
            "fedoraproject[.]" + "org",
            "snapcraft[.]" + "io",
            "brew[.]" + "sh",
            "anaconda[.]",
            "conda[.]",
            "rubygems[.]" + "org",
            "maven[.]",
            "packagist[.]" + "org",
            "nuget[.]" + "org",
            "docker[.](?:io|com)",
            "ghcr[.]" + "io",
            "quay[.]" + "io",
            "nvcr[.]" + "io",
            "download[.]pytorch",
        )
    )
)
DATE = re.compile("20[0-9]{2}-[01][0-9]-[0-3][0-9]")

ANYBODYS = {
    "amazonaws.com", "azureedge.net", "azurefd.net", "blob.core.windows.net", "cloudfront.net",
    "discord.com", "github.io", "googleusercontent.com", "herokuapp.com", "hf.space", "netlify.app",
    "pages.dev", "r2.cloudflarestorage.com", "workers.dev",
}  # fmt: skip
"""Domains below which anybody has a host."""

NOT_CARRIED_OVER = {
    "hf CLI (brew install)": "a package registry",
    "pip/torch.hub/launchers": "a package registry",
    "apt": "a package registry",
    "dnf": "a package registry",
    "snapd refresh": "a package registry",
    "container runtime pulls": "a package registry",
}
"""Rows of the facts by product, and why the catalogue has none of them."""
WITHOUT_A_SOURCE = re.compile(r"\.telebit\.fun|sshj.*\.onion")
"""Rows that stand in a list without a licence, and in nothing else that was found."""
SAMPLES = (
    "workspace.cn-beijing.maas.aliyuncs.com",
    "aiplatform.googleapis.com",
    "europe-west4-aiplatform.googleapis.com",
    "someone.openai.azure.com",
    "bedrock.us-east-1.amazonaws.com",
    "bedrock-agent-runtime.cn-north-1.amazonaws.com.cn",
    "bedrock-mantle.us-east-1.api.aws",
    "derp10b.tailscale.com",
)
"""Hosts that regular expressions of the facts match; the catalogue may have a suffix instead."""


def of_each(key: str) -> list[Any]:
    """The entries that have a key, each named by its id."""
    return [pytest.param(entry, id=entry["id"]) for entry in ENTRIES if key in entry]


def texts(value: object) -> Iterator[str]:
    """Every text in a value, keys included."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    else:
        yield str(value)


def test_the_catalogue_knows_the_runtimes_that_people_ask_of() -> None:
    named = " ".join(entry["product"] for entry in ENTRIES)
    for product in ("Ollama server", "llama.cpp", "vLLM", "onnxruntime", "transformers", "gradio"):
        assert product in named


@pytest.mark.parametrize("name", FILES)
def test_a_file_names_its_vendor_and_is_named_for_it_or_a_product(name: str) -> None:
    assert re.fullmatch("[a-z0-9]+(?:-[a-z0-9]+)*[.]yaml", name)
    assert set(FILES[name]) <= {"vendor", "jurisdiction", "note", "entries"}
    assert FILES[name]["vendor"].strip()
    assert FILES[name]["entries"]


@pytest.mark.parametrize("name", FILES)
def test_a_jurisdiction_is_a_country_or_not_there(name: str) -> None:
    assert re.fullmatch("[A-Z]{2}", FILES[name].get("jurisdiction", "US"))


def test_a_vendor_has_one_jurisdiction() -> None:
    of: dict[str, set[str]] = {}
    for file in FILES.values():
        of.setdefault(file["vendor"], set()).add(file.get("jurisdiction", ""))
    assert {vendor: found for vendor, found in of.items() if len(found) > 1} == {}


def test_every_id_stands_once() -> None:
    ids = [entry["id"] for entry in ENTRIES]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch("[a-z0-9]+(?:-[a-z0-9]+)*", id_) for id_ in ids)


@pytest.mark.parametrize("entry", of_each("id"))
def test_an_entry_says_what_is_sent_why_and_how_that_is_known(entry: dict[str, Any]) -> None:
    assert set(entry) >= REQUIRED
    assert set(entry) <= KNOWN
    assert entry.get("hosts") or entry.get("prefixes")
    assert entry["purpose"] in list(Purpose)
    assert entry["verified"] in list(Verified)
    assert entry["confidence"] in {"high", "medium", "low"}
    assert set(entry.get("phases", [])) <= PHASES


@pytest.mark.parametrize("entry", of_each("id"))
def test_a_text_has_no_registry_host_and_no_date(entry: dict[str, Any]) -> None:
    assert [text for text in texts(entry) if REGISTRIES.search(text) or DATE.search(text)] == []


@pytest.mark.parametrize("entry", of_each("id"))
def test_an_entry_that_was_run_says_so_in_its_source(entry: dict[str, Any]) -> None:
    assert ("RUN" in entry["source"]) == (entry["verified"] == "ran")


@pytest.mark.parametrize("entry", of_each("id"))
def test_general_knowledge_labels_and_never_accuses(entry: dict[str, Any]) -> None:
    if "general knowledge" in entry["source"] or entry["confidence"] == "low":
        assert entry.get("labels_only") is True


@pytest.mark.parametrize("entry", of_each("hosts"))
def test_what_is_anybodys_labels_and_never_accuses(entry: dict[str, Any]) -> None:
    if ANYBODYS & {host.removeprefix("*.") for host in entry["hosts"] if host.startswith("*.")}:
        assert entry.get("labels_only") is True


SHARED = (
    "api.ipify.org", "api.mixpanel.com", "app.posthog.com", "browser-intake-datadoghq.com",
    "cdn.jsdelivr.net", "checkip.amazonaws.com", "eu.i.posthog.com", "fonts.googleapis.com",
    "fonts.gstatic.com", "fp-it.portal101.cn", "mermaid.ink", "mobile.events.data.microsoft.com",
    "o1.ingest.sentry.io", "raw.githubusercontent.com", "us.i.posthog.com", "widget.intercom.io",
    "www.google-analytics.com",
)  # fmt: skip
"""Hosts of third parties that programs of all kinds call."""


@pytest.mark.parametrize("host", SHARED)
def test_a_host_that_programs_of_all_kinds_call_is_labelled_so(host: str) -> None:
    labels = [entry for entry in ENTRIES if entry.get("labels_only")]
    assert any(is_matched(host, set(label.get("hosts", ())), exact=True) for label in labels)


@pytest.mark.parametrize("entry", of_each("hosts"))
def test_no_host_is_named_twice_in_an_entry_nor_a_whole_top_level_domain(
    entry: dict[str, Any],
) -> None:
    assert len(entry["hosts"]) == len(set(entry["hosts"]))
    for host in entry["hosts"]:
        assert host.startswith("/") or host.removeprefix("*.").count(".") >= 1
        assert host.startswith("/") or re.fullmatch(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9-]+)+", host)


@pytest.mark.parametrize("entry", of_each("switch_off"))
def test_a_variable_of_a_switch_is_named_in_its_words_or_in_a_table(entry: dict[str, Any]) -> None:
    switch = entry["switch_off"]
    assert set(switch) <= {"how", "variables", "fails"}
    for name, value in switch.get("variables", {}).items():
        assert re.fullmatch("[A-Z][A-Z0-9_]+", name)
        assert isinstance(value, str), f"{name}: quote it, or YAML makes {value!r} of it"


@pytest.mark.parametrize("entry", of_each("id"))
def test_what_a_setting_or_a_denied_host_stops_says_so(entry: dict[str, Any]) -> None:
    if entry["purpose"] in {"os-noise", "resolver", "tunnel"} or entry["id"].endswith("-anybody"):
        assert entry["switch_off"]["how"]


@pytest.mark.parametrize("entry", of_each("seen_in"))
def test_a_version_that_was_seen_is_within_the_bounds_beside_it(entry: dict[str, Any]) -> None:
    assert all(covers(entry.get("versions", ""), one) for one in entry["seen_in"])
    assert all(re.fullmatch("[0-9]+(?:[.][0-9]+)*(?:-rc[0-9]+)?", one) for one in entry["seen_in"])


def test_what_was_run_or_read_in_one_version_of_a_product_says_in_which() -> None:
    assert len(of_each("seen_in")) + len(of_each("versions")) >= 90


def test_bounds_never_leave_out_the_version_that_was_read() -> None:
    # A release candidate sorts before its release: `>=0.33` does not hold for 0.33.0-rc2.
    of_ollama = [entry for entry in ENTRIES if entry["id"].startswith("ollama-")]
    read = [entry for entry in of_ollama if "0.33.0-rc2" in entry["source"]]
    assert read and all(covers(entry.get("versions", ""), "0.33.0-rc2") for entry in read)


@pytest.mark.parametrize("entry", of_each("stamps"))
def test_a_stamp_silences_for_a_known_time(entry: dict[str, Any]) -> None:
    assert entry["every"]


def test_two_entries_that_say_the_same_are_one() -> None:
    keys = ("product", "purpose", "versions", "hosts", "prefixes", "ports", "trigger")
    said = [tuple(str(entry.get(key)) for key in keys) for entry in ENTRIES]
    assert len(said) == len(set(said))


def test_the_new_name_of_onnxruntimes_switch_is_told_to_fail() -> None:
    (entry,) = [entry for entry in ENTRIES if entry["id"] == "onnxruntime-telemetry"]
    assert entry["switch_off"]["variables"] == {"ORT_DISABLE_TELEMETRY": "1"}
    assert any("ORT_TELEMETRY_DISABLED=1" in case for case in entry["switch_off"]["fails"])


@pytest.mark.skipif(not FACTS.exists(), reason="needs the facts behind the catalogue")
def test_every_row_of_the_facts_is_carried_over() -> None:
    with FACTS.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    left_out = [
        row["host_pattern"]
        for row in rows
        if row["product"] not in NOT_CARRIED_OVER
        and not WITHOUT_A_SOURCE.fullmatch(row["host_pattern"])
        and not is_represented(row)
    ]
    assert left_out == []


def is_represented(row: dict[str, str]) -> bool:
    """True if a pattern has what the row has; one for anybody will do for a tunnel alone."""
    own = [entry for entry in ENTRIES if row["purpose"] == "tunnel" or is_owned(entry)]
    hosts = {host for entry in own for host in entry.get("hosts", [])}
    if row["match_kind"] == "regex":
        samples = [name for name in SAMPLES if re.fullmatch(row["host_pattern"], name)]
        return bool(samples) and all(is_matched(name, hosts, exact=True) for name in samples)
    host = row["host_pattern"].partition("/")[0].removeprefix(".")
    try:
        address = ip_address(host if host.count(":") > 1 else host.partition(":")[0])
    except ValueError:
        return is_matched(host.partition(":")[0], hosts, exact=row["match_kind"] == "exact")
    return any(
        address in ip_network(prefix) for entry in own for prefix in entry.get("prefixes", [])
    )


def is_owned(entry: dict[str, Any]) -> bool:
    """False for an entry that says of a host that it is anybody's."""
    return "anybody" not in entry["id"]


def is_matched(host: str, patterns: set[str], *, exact: bool) -> bool:
    """True if a host, or unless `exact` a host and all below it, is among the patterns."""
    labels = host.split(".")
    suffixes = {"*." + ".".join(labels[number:]) for number in range(len(labels))}
    if patterns & suffixes:
        return True
    regexes = [pattern for pattern in patterns if pattern.startswith("/")]
    return exact and (host in patterns or any(re.fullmatch(r[1:-1], host) for r in regexes))


def test_what_is_said_to_send_nothing_is_known_to_send_no_packet() -> None:
    for entry in ENTRIES:
        probe = entry["sends"].startswith("nothing: a UDP connect")
        assert entry.get("packetless", False) is probe, entry["id"]
