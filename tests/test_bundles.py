"""The golden bundles: recorded once, live, and judged as they were then, wherever they lie."""

import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from egress_audit.api import Audit
from egress_audit.errors import EgressAuditError
from egress_audit.evidence.bundle import CAPTURE, EVENTS, open_bundle
from egress_audit.evidence.manifest import MANIFEST
from egress_audit.evidence.payload_hashes import (
    HASH_BYTES,
    HASHES,
    SALT_BYTES,
    SALTS,
    captured_frames,
    payload_hash,
)
from tests.builders.bundles import mismatches_in
from tests.builders.golden import CAPTURES, expectation, replayed
from tests.builders.runtimes import RUNTIMES, cases, concluded

BUNDLES = sorted(CAPTURES.glob("*.bundle"))
FILES = (CAPTURE, EVENTS, HASHES, SALTS, MANIFEST)
CASES = cases(RUNTIMES)
MOST_BYTES = 60_000
PRIVATE = re.compile(rb"/(?:home|root|tmp|work|Users)/")
ID_OF_HASH = b'"sha256":"'

each_bundle = pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.stem)


def described(bundle: Path) -> dict[str, Any]:
    """What NAME.yaml says."""
    said = yaml.safe_load(bundle.with_suffix(".yaml").read_text(encoding="utf-8"))
    return dict(said)


def audit_of(bundle: Path, place: Path) -> Audit:
    """The audit of the bundle at `place`, as the golden one's description asks for it."""
    return replayed({**described(bundle), "capture": str(place)}, ()).audit


def with_one_byte_changed(bundle: Path, folder: Path, name: str, offset: int) -> Path:
    """A copy of the bundle in which one bit of a file is another."""
    copy = folder / "copy.bundle"
    shutil.copytree(bundle, copy)
    data = bytearray((copy / name).read_bytes())
    data[offset] ^= 1
    (copy / name).write_bytes(data)
    return copy


def middle(bundle: Path, name: str) -> int:
    return (bundle / name).stat().st_size // 2


@each_bundle
def test_a_bundle_is_judged_as_expected_byte_for_byte_wherever_it_lies(
    bundle: Path, tmp_path: Path
) -> None:
    shutil.copytree(bundle, tmp_path / "elsewhere")
    audit = audit_of(bundle, tmp_path / "elsewhere")
    assert expectation(audit).encode() == bundle.with_suffix(".json").read_bytes()


@each_bundle
def test_a_bundle_concludes_what_its_program_must_conclude_when_it_is_run(bundle: Path) -> None:
    audit = audit_of(bundle, bundle)
    assert concluded(audit) == CASES[bundle.stem.removeprefix("run-")].expected


@each_bundle
def test_nothing_in_a_bundle_was_altered(bundle: Path) -> None:
    assert mismatches_in(bundle) == ()
    assert open_bundle(bundle).complete


@each_bundle
@pytest.mark.parametrize("name", [CAPTURE, HASHES])
def test_a_changed_byte_is_noticed(bundle: Path, name: str, tmp_path: Path) -> None:
    copy = with_one_byte_changed(bundle, tmp_path, name, middle(bundle, name))
    assert mismatches_in(copy) == (f"{name} has another sha256 than the manifest",)
    audit = audit_of(bundle, copy)
    was_violated = described(bundle)["verdict"] == "VIOLATED"
    assert audit.verdict.value == ("VIOLATED" if was_violated else "INCONCLUSIVE")
    assert "bundle-altered" in {spot.id for spot in audit.blind_spots if spot.material}


@each_bundle
@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_changed_byte_of_the_record_is_noticed_or_no_audit_is_made(
    bundle: Path, part: float, tmp_path: Path
) -> None:
    offset = int((bundle / EVENTS).stat().st_size * part)
    copy = with_one_byte_changed(bundle, tmp_path, EVENTS, offset)
    assert mismatches_in(copy) == (f"{EVENTS} has another sha256 than the manifest",)
    with suppress(EgressAuditError):
        audit = audit_of(bundle, copy)
        assert "bundle-altered" in {spot.id for spot in audit.blind_spots if spot.material}


@each_bundle
def test_a_changed_digit_of_the_manifest_is_noticed(bundle: Path, tmp_path: Path) -> None:
    digit = (bundle / MANIFEST).read_bytes().index(ID_OF_HASH) + len(ID_OF_HASH)
    copy = with_one_byte_changed(bundle, tmp_path, MANIFEST, digit)
    assert len(mismatches_in(copy)) == 1
    audit = audit_of(bundle, copy)
    assert audit.verdict.value != "HOLDS"
    assert "bundle-altered" in {spot.id for spot in audit.blind_spots if spot.material}


@each_bundle
def test_a_changed_salt_fits_its_payload_no_more(bundle: Path, tmp_path: Path) -> None:
    copy = with_one_byte_changed(bundle, tmp_path, SALTS, SALT_BYTES * 2)
    assert misfits(bundle) == []
    assert misfits(copy) == [2]


def misfits(bundle: Path) -> list[int]:
    """The frames, from 0, whose payload is not what was hashed with its salt."""
    salts, hashes = (bundle / SALTS).read_bytes(), (bundle / HASHES).read_bytes()
    with (bundle / CAPTURE).open("rb") as capture:
        return [
            number
            for number, (linktype, frame) in enumerate(captured_frames(capture))
            if payload_hash(frame, linktype, salts[number * SALT_BYTES :][:SALT_BYTES])
            != hashes[number * HASH_BYTES :][:HASH_BYTES]
        ]


@each_bundle
def test_a_bundle_is_small_and_tells_nothing_of_the_machine_that_made_it(bundle: Path) -> None:
    assert sorted(path.name for path in bundle.iterdir()) == sorted(FILES)
    assert sum(path.stat().st_size for path in bundle.iterdir()) < MOST_BYTES
    assert not [path.name for path in bundle.iterdir() if PRIVATE.search(path.read_bytes())]


def test_a_bundle_of_each_verdict_is_kept() -> None:
    assert {described(bundle)["verdict"] for bundle in BUNDLES} == {
        "HOLDS",
        "VIOLATED",
        "INCONCLUSIVE",
    }
