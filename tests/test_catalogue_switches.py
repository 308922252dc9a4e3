"""What the catalogue's own data says of switches: none that does not switch the call off."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from egress_audit.record.known_variables import CONDITIONS, ENDPOINTS

FOLDER = Path(__file__).parent.parent / "egress_audit" / "lists" / "catalogue"
ENTRIES: dict[str, dict[str, Any]] = {
    entry["id"]: entry
    for path in sorted(FOLDER.iterdir())
    for entry in yaml.safe_load(path.read_text("utf-8"))["entries"]
}


def variables_of(id_: str) -> dict[str, str]:
    """By name the value that switches off; empty if no variable does."""
    variables: dict[str, str] = ENTRIES[id_].get("switch_off", {}).get("variables", {})
    return variables


@pytest.mark.parametrize("id_", [id_ for id_ in ENTRIES if variables_of(id_)])
def test_a_run_notes_every_variable_that_switches_something_off(id_: str) -> None:
    assert set(variables_of(id_)) <= {*CONDITIONS, *ENDPOINTS}


@pytest.mark.parametrize(
    "id_", ["ray-cloud-probe", "ollama-account", "anthropic-api", "claude", "continue-hub"]
)
def test_a_call_that_goes_on_whatever_a_variable_says_names_none_that_stops_it(id_: str) -> None:
    # Of Ray it was seen, of the others read: the variable is for another call to the same place.
    assert variables_of(id_) == {}


@pytest.mark.parametrize("id_", ["ray-usage-stats", "ollama-recommendations", "claude-code-usage"])
def test_the_call_that_such_a_variable_is_for_names_it(id_: str) -> None:
    assert variables_of(id_)


def test_ultralytics_is_told_the_word_that_all_its_versions_look_for() -> None:
    of_it = [id_ for id_, entry in ENTRIES.items() if entry["product"] == "ultralytics"]
    assert {variables_of(id_)["YOLO_OFFLINE"] for id_ in of_it} == {"true"}


@pytest.mark.parametrize(
    "id_", ["wandb-crash-report", "ultralytics-crash-report", "chatgpt-crash-report"]
)
def test_a_crash_report_is_laid_to_a_product_by_the_number_in_the_host(id_: str) -> None:
    hosts = ENTRIES[id_]["hosts"]
    assert all(re.fullmatch(r"o[0-9]+\.ingest\.(?:us\.)?sentry\.io", host) for host in hosts)
