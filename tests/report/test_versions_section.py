"""Which products ran, in one compact place."""

from dataclasses import replace

from egress_audit.model.claim import AppliesTo
from egress_audit.model.versions import ProductVersion
from egress_audit.report.versions_section import LONGEST_PRODUCT, MOST_PRODUCTS, versions_section
from tests.builders.audits import hub_lookup
from tests.builders.endpoints import entry
from tests.builders.runs import ran


def lines(*versions: ProductVersion, **changes: object) -> dict[str, str]:
    section = versions_section(replace(hub_lookup(), versions=versions, **changes))  # type: ignore[arg-type]
    assert section is not None
    return {one.term: "\n".join(one.lines) for one in section.entries}


def test_nothing_known_is_no_section() -> None:
    assert versions_section(hub_lookup()) is None


def test_products_stand_by_how_strongly_they_are_known() -> None:
    assert lines(ran("numpy", "2"), ran("rich", "1", "opened"), ran("ollama", "3", "stated")) == {
        "In memory": "numpy 2",
        "Code opened": "rich 1",
        "Stated": "ollama 3, by the user",
    }


def test_a_product_without_a_version_is_named() -> None:
    assert lines(ran("local_module")) == {"In memory": "local_module"}


def test_a_product_in_several_processes_is_told_once() -> None:
    assert lines(ran("numpy", "2"), ran("numpy", "2", processes=(7,))) == {"In memory": "numpy 2"}


def test_a_name_of_any_length_is_cut() -> None:
    assert len(lines(ran("a" * 4000, "1"))["In memory"]) == LONGEST_PRODUCT


def test_many_are_cut_and_counted() -> None:
    told = lines(*(ran(f"p{number:03}", "1") for number in range(MOST_PRODUCTS + 5)))["In memory"]
    assert told.count(",") == MOST_PRODUCTS - 1
    assert told.endswith("… and 5 more: --format json")


def test_what_the_claim_or_the_catalogue_speaks_of_stands_first() -> None:
    claim = replace(hub_lookup().claim, applies_to=AppliesTo(runtimes=("vLLM",)))
    told = lines(
        ran("numpy", "2"),
        ran("onnxruntime-gpu", "1", modules=("onnxruntime",)),
        ran("vllm", "3"),
        claim=claim,
        endpoints=(entry(product="onnxruntime"),),
    )
    assert told == {"In memory": "onnxruntime-gpu 1, vllm 3, numpy 2"}
