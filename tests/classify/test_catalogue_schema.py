"""A file of the catalogue: what an entry says, and what is refused, with its line."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from egress_audit.classify.catalogue_schema import (
    ENTRY_KEYS,
    REQUIRED,
    entries_in,
    entries_of,
)
from egress_audit.errors import CatalogueInvalid
from egress_audit.model.catalogue import Entry, Purpose, Switch, Verified
from egress_audit.model.destination import Absent
from tests.builders.catalogues import file_text, read_entry

MANUAL = Path(__file__).parent.parent.parent / "docs" / "catalogue.md"

HOUR_NS = 3_600_000_000_000


def refusal(text: str) -> str:
    with pytest.raises(CatalogueInvalid) as caught:
        entries_of(text, "c.yaml")
    return str(caught.value)


def refused(**changes: str) -> str:
    return refusal(file_text(changes))


def test_every_key_reaches_the_entry() -> None:
    assert read_entry(
        versions='">=1,<2"',
        seen_in='["1.4.2"]',
        hosts='["*.acme.example"]',
        prefixes="[192.0.2.0/24]",
        ports="[443/tcp]",
        trigger="at start",
        first="0s",
        every="4h",
        phases="[start, idle]",
        processes="[acme]",
        sends="a name",
        switch_off="{how: QUIET=1}",
        stamps="[~/.acme]",
        labels_only="true",
    ) == Entry(
        id="acme-telemetry",
        vendor="Acme",
        product="Acme server",
        purpose=Purpose.TELEMETRY,
        source="read in acme 1.0",
        verified=Verified.CODE,
        confidence="high",
        example="stats.acme.example:443",
        hosts=("*.acme.example",),
        prefixes=(ip_network("192.0.2.0/24"),),
        ports=("443/tcp",),
        jurisdiction="US",
        versions=">=1,<2",
        seen_in=("1.4.2",),
        trigger="at start",
        first_ns=0,
        every_ns=4 * HOUR_NS,
        phases=("start", "idle"),
        processes=("acme",),
        sends="a name",
        switch=Switch("QUIET=1"),
        stamps=("~/.acme",),
        labels_only=True,
    )


def test_an_entry_knows_where_it_stands() -> None:
    placed = entries_of(file_text({}, {"id": "acme-two"}), "c.yaml")
    assert [item.where for item in placed] == ["c.yaml:4", "c.yaml:12"]


def test_a_vendor_without_a_known_jurisdiction_has_none() -> None:
    text = file_text(head="vendor: Acme\nnote: who knows\n")
    assert entries_of(text, "c")[0].entry.jurisdiction is Absent.NOT_FOUND


def test_an_entry_may_be_of_another_vendor_and_then_takes_nothing_from_the_file() -> None:
    assert read_entry(vendor="Other").jurisdiction is Absent.NOT_FOUND
    other = read_entry(vendor="Other", jurisdiction="SE")
    assert (other.vendor, other.jurisdiction) == ("Other", "SE")


@pytest.mark.parametrize(
    ("verified", "confidence", "accuses"),
    [("curated", "low", False), ("curated", "medium", True), ("code", "low", True)],
)
def test_general_knowledge_never_accuses(verified: str, confidence: str, accuses: bool) -> None:
    assert read_entry(verified=verified, confidence=confidence).accuses is accuses


def test_an_entry_that_is_but_a_label_never_accuses() -> None:
    assert not read_entry(labels_only="true").accuses


@pytest.mark.parametrize("key", REQUIRED)
def test_a_key_that_must_be_there_is_missed(key: str) -> None:
    assert refused(**{key: ""}) == f"c.yaml:4: `{key}` is missing ({REQUIRED[key]})"


@pytest.mark.parametrize("head", ["", "jurisdiction: US\n"])
def test_a_file_without_a_vendor_is_refused(head: str) -> None:
    assert "`vendor` is missing" in refusal(file_text(head=head))


def test_an_unknown_key_is_refused_with_its_line_and_the_nearest() -> None:
    assert refused(host="[a.example]") == "c.yaml:12: unknown key `host` (did you mean `hosts`?)"


def test_an_unknown_key_of_the_file_is_refused() -> None:
    assert "did you mean `vendor`?" in refusal(file_text(head="vendors: A\n"))


def test_a_value_of_the_wrong_type_is_refused_with_its_line() -> None:
    assert refused(hosts="a.example").startswith("c.yaml:6: a list is wanted")


def test_a_key_that_stands_twice_is_refused() -> None:
    assert "stands here a second time" in refusal(file_text(head="vendor: A\nvendor: B\n"))


@pytest.mark.parametrize("entries", ["entries: []\n", "entries: {a: b}\n", "entries: [a]\n"])
def test_a_file_needs_a_list_of_entries(entries: str) -> None:
    assert "c.yaml:2: " in refusal(f"vendor: Acme\n{entries}")


def test_broken_yaml_is_refused() -> None:
    assert refusal("vendor: [").startswith("c.yaml:1: no YAML")


def test_an_entry_that_matches_nothing_is_refused() -> None:
    assert "matches nothing" in refused(hosts="")


def test_what_sends_no_packet_asks_for_no_name() -> None:
    assert "the question for a name is a packet" in refused(packetless="true")


@pytest.mark.parametrize("pattern", ["*.github.io", "*.hf.space", "*.blob.core.windows.net"])
def test_all_of_a_platform_can_be_labelled_and_never_accused(pattern: str) -> None:
    keys = {"hosts": f'["{pattern}"]', "example": f"x{pattern[1:]}"}
    assert "c.yaml:6: " in refused(**keys)
    assert "customers of that platform" in refused(**keys)
    assert read_entry(**keys, labels_only="true").hosts == (pattern,)


def test_one_host_of_a_platform_can_be_accused() -> None:
    assert read_entry(hosts="[acme.github.io]", example="acme.github.io").accuses


@pytest.mark.parametrize("example", ["stats.acme.example", "stats.acme.example:443/tcp"])
def test_an_example_is_matched_by_its_entry(example: str) -> None:
    assert read_entry(example=example).example == example


@pytest.mark.parametrize("example", ["acme.example", "192.0.2.1", "x.stats.acme.example"])
def test_an_example_that_its_entry_does_not_match_is_refused(example: str) -> None:
    assert refused(example=example) == (
        f"c.yaml:11: `{example}` is not matched by `acme-telemetry` "
        "(correct the example, or the `hosts`, `prefixes` and `ports` of the entry)"
    )


def test_an_example_at_another_port_is_refused() -> None:
    assert "is not matched" in refused(ports="[80/tcp]")


def test_an_example_that_is_no_place_is_refused() -> None:
    assert "is no place" in refused(example="https://a.example")


def test_an_example_can_be_an_address() -> None:
    assert read_entry(hosts="", prefixes="[192.0.2.0/24]", example="192.0.2.7:80").prefixes


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(file_text(), encoding="utf-8")
    assert [item.where for item in entries_in(path)] == [f"{path}:4"]


def test_the_example_of_the_manual_is_an_entry_with_every_key() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    assert entries_of(example, "the manual")
    assert not [key for key in ENTRY_KEYS if f"{key}:" not in example and f"`{key}`" not in text]


def test_the_manual_has_every_purpose_and_every_way_to_know() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    assert not [word for word in (*Purpose, *Verified) if f"`{word}`" not in text]


def test_a_note_on_a_file_is_one_on_each_of_its_entries() -> None:
    head = "vendor: Acme\nnote: >-\n  in\n  words\n"
    placed = entries_of(file_text({}, {"id": "b", "note": "its own"}, head=head), "c")
    assert [item.entry.note for item in placed] == ["in words", "its own"]


def test_an_entry_of_another_vendor_than_its_files_has_not_its_note() -> None:
    text = file_text({"vendor": "Other"}, head="vendor: Acme\nnote: in words\n")
    assert entries_of(text, "c")[0].entry.note == ""


def test_a_note_that_is_no_text_is_refused() -> None:
    assert "a text is wanted" in refusal(file_text(head="vendor: Acme\nnote: [a]\n"))
