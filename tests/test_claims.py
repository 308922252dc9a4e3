"""Profiles meet the catalogue: an endpoint that there is not, or that is denied, is refused."""

from pathlib import Path

import pytest

from egress_audit.claims import (
    catalogue_with,
    claim_of,
    packaged_profiles,
    profile_of,
    profiles_at,
    refuse_unknown_words,
    vendors_of,
)
from egress_audit.classify.catalogue_files import COMPILED
from egress_audit.classify.catalogue_rows import compiled
from egress_audit.errors import ListUnreadable, ProfileInvalid
from egress_audit.judge.profile import profile_names
from tests.builders.catalogues import file_text, read_entry

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


def test_a_folder_is_every_profile_in_it(tmp_path: Path) -> None:
    two, one = written(tmp_path, "", "b.yaml"), written(tmp_path, "", "a.yaml")
    assert profiles_at(str(tmp_path)) == (one, two)


def test_a_name_stays_a_name_whatever_folder_is_called_like_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "offline").mkdir()
    monkeypatch.chdir(tmp_path)
    assert profiles_at("offline") == ("offline",)
    assert profiles_at("nothing.yaml") == ("nothing.yaml",)


def test_a_folder_is_no_profile_and_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match="name one file in it"):
        profile_of(str(tmp_path))


def test_a_newer_catalogue_has_what_the_packaged_profiles_name(tmp_path: Path) -> None:
    refuse_unknown_words(COMPILED)
    refuse_unknown_words(tmp_path / "catalogue.json")
    lacking = written(tmp_path, compiled([read_entry()]), "catalogue.json")
    with pytest.raises(ListUnreadable, match=r"does not fit the profile `.*`: the catalogue has"):
        refuse_unknown_words(Path(lacking))


def test_the_hosts_of_a_profile_have_the_vendors_that_the_catalogue_knows() -> None:
    vendors = vendors_of(profile_of("deepseek-hosted"))
    assert vendors["deepseek.com"] == vendors["*.deepseek.com"] == "DeepSeek (CN)"
    assert vendors["cmpassport.com"] == "China Mobile (CN)"
    assert vendors["*.portal101.cn"] == "Shumei (CN)"


def test_a_host_of_nobody_in_particular_has_none(tmp_path: Path) -> None:
    text = (
        "name: n\nstatement: s\nallow: {scopes: [any]}\ndeny: {hosts: [pastebin.com, a.example]}\n"
    )
    assert vendors_of(profile_of(written(tmp_path, text))) == {}
