"""The compiled catalogue is what the script makes of the YAML files."""

import runpy
from collections.abc import Callable
from pathlib import Path

from egress_audit.api import audit_capture
from egress_audit.classify.catalogue_files import COMPILED, packaged_catalogue
from egress_audit.classify.places import named_place

ROOT = Path(__file__).parent.parent
compiled_text: Callable[[], str] = runpy.run_path(str(ROOT / "scripts" / "build_catalogue.py"))[
    "compiled_text"
]


def test_the_compiled_catalogue_is_what_the_script_makes() -> None:
    assert COMPILED.read_bytes() == compiled_text().encode(), "run scripts/build_catalogue.py"


def test_every_example_is_found_with_its_entry() -> None:
    known = packaged_catalogue()
    lost = []
    for entry in known:
        place = named_place(entry.example)
        if place is None or entry not in known.at(place):
            lost.append(entry.id)
    assert not lost


def test_a_capture_that_stays_on_the_machine_is_judged_without_the_catalogue() -> None:
    packaged_catalogue.cache_clear()
    audit_capture(str(ROOT / "captures" / "law-loopback-only.pcap"))
    assert packaged_catalogue.cache_info().currsize == 0


def test_one_that_leaves_it_is_judged_with_the_catalogue() -> None:
    packaged_catalogue.cache_clear()
    audit_capture(str(ROOT / "captures" / "hf-hubname.pcap"))
    assert packaged_catalogue.cache_info().currsize == 1
