"""Profiles meet the catalogue: an endpoint that there is not, or that is denied, is refused."""

from pathlib import Path

import pytest

from egress_audit.claims import catalogue_with, claim_of, packaged_profiles, profile_of
from egress_audit.errors import ProfileInvalid
from egress_audit.judge.profile import profile_names
from tests.builders.catalogues import file_text

ALLOWS = "name: n\nstatement: s\nallow: {endpoints: [acme-telemetry]}\n"


def written(folder: Path, text: str, name: str = "p.yaml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_every_packaged_profile_is_there_once() -> None:
    assert tuple(found.claim.name for found in packaged_profiles()) == profile_names()


def test_a_claim_that_was_loaded_is_itself() -> None:
    claim = claim_of("offline")
    assert claim_of(claim) is claim
    assert profile_of("offline").claim == claim


def test_an_endpoint_that_the_packaged_catalogue_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match=r"p.yaml:3: the catalogue has no `acme-telemetry`"):
        claim_of(written(tmp_path, ALLOWS))


def test_an_endpoint_of_the_user_s_own_catalogue_is_known(tmp_path: Path) -> None:
    catalogue = catalogue_with([written(tmp_path, file_text(), "c.yaml")])
    assert claim_of(written(tmp_path, ALLOWS), catalogue).allow.endpoints == ("acme-telemetry",)


def test_an_endpoint_whose_purpose_is_denied_is_refused(tmp_path: Path) -> None:
    catalogue = catalogue_with([written(tmp_path, file_text(), "c.yaml")])
    profile = written(tmp_path, ALLOWS + "deny: {purposes: [telemetry]}\n")
    with pytest.raises(ProfileInvalid, match=r"denied at .*p[.]yaml:4 .`telemetry`"):
        claim_of(profile, catalogue)
