"""Which distribution a module is of: read from files that anybody may have written."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from egress_audit.record import distributions as module
from egress_audit.record.distributions import Distribution, Distributions
from egress_audit.record.inside import O_PATH, Inside


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of a sandbox, with a site-packages in it."""
    (tmp_path / "root" / "lib" / "site-packages").mkdir(parents=True)
    return tmp_path / "root"


@pytest.fixture
def packages(root: Path) -> Path:
    return root / "lib" / "site-packages"


@pytest.fixture
def inside(root: Path) -> Iterator[Inside]:
    opened = Inside(os.open(root, O_PATH | os.O_DIRECTORY))
    yield opened
    opened.close()


def info(packages: Path, name: str, **files: str) -> Path:
    """A folder of metadata with these files."""
    folder = packages / name
    folder.mkdir()
    for file, text in files.items():
        (folder / file.replace("_txt", ".txt").replace("_INFO", "-INFO")).write_text(text)
    return folder


def of(inside: Inside, name: str) -> tuple[str, str] | None:
    """Name and version of the distribution that a module is of."""
    found = Distributions(inside).of("/lib/site-packages/", name)
    return None if found is None else (found.name, found.version)


def test_metadata_beside_a_package_of_its_name_say_its_version(
    inside: Inside, packages: Path
) -> None:
    info(packages, "numpy-1.26.dist-info", METADATA="Name: numpy\nVersion: 1.26.4\n\nVersion: 9\n")
    found = Distributions(inside).of("/lib/site-packages/", "numpy")
    assert found == Distribution("numpy", "1.26.4", "/lib/site-packages/numpy-1.26.dist-info")


def test_the_name_of_the_folder_does_where_there_is_no_more(inside: Inside, packages: Path) -> None:
    info(packages, "faster_whisper-1.0.3.dist-info")
    assert of(inside, "faster_whisper") == ("faster_whisper", "1.0.3")


def test_a_module_of_another_name_is_found_by_what_is_top_level(
    inside: Inside, packages: Path
) -> None:
    info(packages, "PyYAML-6.0.egg-info", PKG_INFO="Version: 6.0\n", top_level_txt="_yaml\nyaml\n")
    assert of(inside, "yaml") == ("PyYAML", "6.0")


@pytest.mark.parametrize(
    "line", ["cv2/__init__.py,sha256=x,1", "cv2.py,,", "cv2.abi3.so,,", '"cv2/a,b.py",,']
)
def test_or_by_the_list_of_its_files(inside: Inside, packages: Path, line: str) -> None:
    record = f"../../../bin/x,,\n{line}\nother.txt,,\n"
    info(packages, "opencv_python-4.9.dist-info", RECORD=record)
    assert of(inside, "cv2") == ("opencv_python", "4.9")
    assert of(inside, "other") is None


def test_an_egg_info_that_is_a_file_is_its_own_metadata(inside: Inside, packages: Path) -> None:
    (packages / "six-1.0.egg-info").write_text("Name: six\nVersion: 1.16.0\n")
    assert of(inside, "six") == ("six", "1.16.0")


def test_an_egg_holds_its_metadata_itself(inside: Inside, packages: Path) -> None:
    folder = packages / "old-1.0-py3.11.egg" / "EGG-INFO"
    folder.mkdir(parents=True)
    assert of(inside, "old-1.0-py3.11.egg") == ("old", "1.0")
    (folder / "PKG-INFO").write_text("Name: Old\nVersion: 1.0.1\n")
    assert of(inside, "old-1.0-py3.11.egg") == ("Old", "1.0.1")


def test_what_no_distribution_claims_is_of_none(inside: Inside, packages: Path) -> None:
    info(packages, "numpy-1.26.dist-info")
    assert of(inside, "local") is None


def test_a_namespace_that_several_share_is_of_none(inside: Inside, packages: Path) -> None:
    info(packages, "google_auth-2.dist-info", top_level_txt="google\n")
    info(packages, "protobuf-5.dist-info", top_level_txt="google\n")
    assert of(inside, "google") is None


def test_a_distribution_that_is_described_twice_alike_is_one(
    inside: Inside, packages: Path
) -> None:
    info(packages, "acme-2.0.dist-info")
    info(packages, "acme.egg-info")
    assert of(inside, "acme") == ("acme", "2.0")


def test_one_that_is_there_in_two_versions_has_none(inside: Inside, packages: Path) -> None:
    info(packages, "acme-2.0.dist-info")
    info(packages, "acme-1.9.dist-info")
    assert of(inside, "acme") == ("acme", "")


def test_a_site_packages_that_is_gone_has_no_distributions(inside: Inside) -> None:
    assert Distributions(inside).of("/gone/site-packages/", "numpy") is None


# Written by others


@pytest.mark.parametrize(
    "metadata",
    [
        "Name: a\x1b[31m\nVersion: 1\x07\n",
        "Name: \nVersion: \n",
        f"Name: {'a' * 300}\nVersion: {'1' * 300}\n",
        "Name: ../../etc\nVersion: 1 2\n",
        "\n\nName: acme\nVersion: 9\n",
    ],
)
def test_what_can_be_no_name_and_no_version_is_not_taken(
    inside: Inside, packages: Path, metadata: str
) -> None:
    info(packages, "acme-2.0.dist-info", METADATA=metadata)
    assert of(inside, "acme") == ("acme", "2.0")


def test_names_of_every_byte_are_read_past(inside: Inside, packages: Path) -> None:
    for byte in set(range(1, 256)) - {ord("/")}:
        name = os.fsdecode(bytes([byte, ord("-"), byte]) + b".dist-info")
        (packages / name).mkdir()
    info(packages, "acme-2.0.dist-info", top_level_txt="thing\n")
    assert of(inside, "thing") == ("acme", "2.0")


def test_a_link_leads_nowhere_out_of_the_sandbox(
    inside: Inside, packages: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("Name: acme\nVersion: 6.6.6\n")
    info(packages, "acme-2.0.dist-info")
    (packages / "acme-2.0.dist-info" / "METADATA").symlink_to(tmp_path / "secret")
    assert of(inside, "acme") == ("acme", "2.0")
    (packages / "acme-2.0.dist-info" / "METADATA").unlink()
    (packages / "acme-2.0.dist-info" / "METADATA").symlink_to("../../../../../secret")
    assert of(inside, "acme") == ("acme", "2.0")


def test_a_link_inside_the_sandbox_is_followed_there(
    inside: Inside, packages: Path, root: Path
) -> None:
    (root / "kept").write_text("Name: acme\nVersion: 2.0.1\n")
    info(packages, "acme-2.0.dist-info")
    (packages / "acme-2.0.dist-info" / "METADATA").symlink_to("/kept")
    assert of(inside, "acme") == ("acme", "2.0.1")


def test_a_fifo_keeps_nobody_waiting(inside: Inside, packages: Path) -> None:
    os.mkfifo(info(packages, "acme-2.0.dist-info") / "METADATA")
    assert of(inside, "acme") == ("acme", "2.0")


def test_of_metadata_only_the_beginning_is_read(inside: Inside, packages: Path) -> None:
    padding = "X: y\n" * module.LONGEST_METADATA
    info(packages, "acme-2.0.dist-info", METADATA=f"{padding}Version: 3\n")
    assert of(inside, "acme") == ("acme", "2.0")


def test_no_more_is_read_in_all_than_the_bound(
    inside: Inside, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_READ", 100)
    for number in range(20):
        info(packages, f"a{number:02}-1.dist-info", RECORD="x/y.py,,\n" * 5)
    info(packages, "z-1.dist-info", RECORD="thing/y.py,,\n")
    looking = Distributions(inside)
    assert looking.of("/lib/site-packages/", "thing") is None
    assert looking._read == 100


def test_no_more_modules_are_known_than_the_bound(
    inside: Inside, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info(packages, "a-1.dist-info", RECORD="".join(f"m{n}/x.py,,\n" for n in range(9)))
    info(packages, "b-1.dist-info", top_level_txt="thing\n")
    monkeypatch.setattr(module, "MOST_MODULES", 10)
    assert of(inside, "m8") == ("a", "1")
    assert of(inside, "thing") == ("b", "1")
    monkeypatch.setattr(module, "MOST_MODULES", 8)
    assert of(inside, "m7") == ("a", "1")
    assert of(inside, "m8") is None
    assert of(inside, "thing") is None


def test_no_more_files_are_opened_than_the_bound(
    inside: Inside, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info(packages, "acme-2.0.dist-info", METADATA="Version: 2.0.1\n")
    assert of(inside, "acme") == ("acme", "2.0.1")
    monkeypatch.setattr(module, "MOST_FILES", 0)
    assert of(inside, "acme") == ("acme", "2.0")


def test_no_more_names_are_read_than_the_bound(
    inside: Inside, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ENTRIES", 0)
    info(packages, "acme-2.0.dist-info")
    assert of(inside, "acme") is None


def test_no_more_site_packages_are_kept_than_the_bound(
    inside: Inside, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FOLDERS", 1)
    for name in ("one", "two"):
        (root / name / "site-packages").mkdir(parents=True)
        info(root / name / "site-packages", "acme-2.0.dist-info")
    looking = Distributions(inside)
    assert looking.of("/one/site-packages/", "acme") is not None
    assert looking.of("/two/site-packages/", "acme") is None
