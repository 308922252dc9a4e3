"""What other programs call."""

import gzip
from pathlib import Path

import pytest

import egress_audit
from egress_audit.api import (
    Asserted,
    audit_capture,
    audit_merged,
    catalogue_with,
    claim_of,
)
from egress_audit.errors import CatalogueInvalid, InputUnreadable, ProfileInvalid, WrongUsage
from egress_audit.model.audit import Verdict
from egress_audit.model.destination import Absent
from tests.builders.bundles import begin, whole_run, write_bundle
from tests.builders.captures import (
    dns_query,
    pcap,
    tcp_session,
    udp_exchange,
)
from tests.builders.catalogues import file_text


def saved(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def test_a_capture_is_judged_in_one_call(tmp_path: Path) -> None:
    frames = tcp_session(("10.0.0.2", 4), ("192.0.2.7", 443))
    result = audit_capture(saved(tmp_path / "a.pcap", pcap(frames)))
    assert (result.name, result.audit.verdict) == ("a.pcap", Verdict.VIOLATED)


def test_the_package_offers_what_the_api_has() -> None:
    assert egress_audit.audit_capture is audit_capture


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\x1f\x8b\x08\x00" + bytes(40), "gzip"),
        (b"hello, this is a letter\n", "is text"),
        (b"\xd4\xc3\xb2\xa1\x02", "cut or damaged"),
        (b"\x0a\x0d\x0d\x0a" + bytes(24), "cut or damaged"),
        (bytes(64), "begins with 00 00 00 00"),
        (b"snoop\0\0\0" + bytes(24), "snoop"),
        (b"\x34\xcd\xb2\xa1" + bytes(4), "cut or damaged"),
    ],
    ids=["empty", "gzip", "text", "cut pcap", "bad pcapng", "zeros", "snoop", "cut modified"],
)
def test_what_is_no_capture_is_called_by_its_name(
    content: bytes, says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputUnreadable, match=says):
        audit_capture(saved(tmp_path / "x", content))


def test_a_folder_is_no_capture(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match="folder"):
        audit_capture(str(tmp_path))


def test_a_broken_profile_is_named_with_its_line(tmp_path: Path) -> None:
    capture = saved(tmp_path / "a.pcap", pcap([]))
    profile = saved(tmp_path / "p.yaml", b"name: x\nstatment: y\n")
    with pytest.raises(ProfileInvalid, match=r"p\.yaml:2.*statement"):
        audit_capture(capture, profile)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/bin/llama-server -m x.gguf", "llama-server"),
        ("'/opt/my model/serve it' --fast", "serve it"),
        ("..", "run"),
        ("/", "run"),
        ("'never closed", "run"),
        ("", "run"),
    ],
)
def test_a_bundle_is_called_as_its_program_is(tmp_path: Path, command: str, name: str) -> None:
    write_bundle(tmp_path / "a name", (), whole_run(first=begin(command=command)))
    assert audit_capture(str(tmp_path / "a name")).name == name


def test_a_claim_can_be_given_as_it_was_loaded(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pcap", pcap([]))
    claim = claim_of("no-china")
    assert claim_of(claim) is claim
    assert audit_capture(path, claim).audit == audit_capture(path, "no-china").audit


def test_several_captures_are_judged_as_one(tmp_path: Path) -> None:
    frames = tcp_session(("10.0.0.2", 4), ("192.0.2.7", 443))
    paths = [saved(tmp_path / "b", pcap(frames[2:])), saved(tmp_path / "a", pcap(frames[:2]))]
    result = audit_merged(paths)
    assert (result.name, result.inputs) == ("2 captures", ("b", "a"))
    assert result.audit.coverage.flows == 1
    assert [item.format for item in result.audit.evidence] == ["pcap", "pcap"]


def test_without_hashes_the_same_is_found_and_nothing_can_be_asserted(tmp_path: Path) -> None:
    frames = tcp_session(("10.0.0.2", 4), ("192.0.2.7", 443))
    path = saved(tmp_path / "a", pcap(frames))
    packed = saved(tmp_path / "a.gz", gzip.compress(pcap(frames)))
    hashed = audit_capture(path).audit
    for result in (
        audit_capture(path, hashed=False),
        audit_capture(packed, hashed=False),
        audit_merged([path], hashed=False),
        audit_merged([path, packed], hashed=False),
    ):
        assert {item.sha256 for item in result.audit.evidence} == {Absent.NOT_ASKED}
        assert result.audit.verdict is hashed.verdict is Verdict.VIOLATED
    for audited in (audit_capture(path, hashed=False), audit_merged([path], hashed=False)):
        assert audited.audit.findings == hashed.findings
    words = Asserted(("whole-run",))
    with pytest.raises(WrongUsage, match="sha256"):
        audit_capture(path, asserted=words, hashed=False)
    with pytest.raises(WrongUsage, match="sha256"):
        audit_merged([path], asserted=words, hashed=False)
    with pytest.raises(WrongUsage, match="sha256"):  # before anything is read
        audit_capture(str(tmp_path / "none"), asserted=words, hashed=False)


def test_a_capture_that_was_not_hashed_does_not_hold(tmp_path: Path) -> None:
    everything = tmp_path / "p.yaml"
    everything.write_text("name: n\nstatement: s\nallow: {scopes: [any]}\n")
    path = saved(tmp_path / "a", pcap(tcp_session(("127.0.0.1", 4), ("127.0.0.1", 5))))
    sworn = audit_capture(path, str(everything), asserted=Asserted(("all",)))
    assert sworn.audit.verdict is Verdict.HOLDS
    for paths in ([path], [path, path]):
        audit = audit_merged(paths, str(everything), hashed=False).audit
        assert audit.verdict is Verdict.INCONCLUSIVE
        spot = next(spot for spot in audit.blind_spots if spot.id == "owners-unknown")
        assert (spot.material, spot.lifted_by) == (True, "single-host")


def test_a_bundle_is_never_judged_without_its_hashes(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", (), whole_run())
    with pytest.raises(WrongUsage, match="always hashed"):
        audit_capture(str(tmp_path / "b"), hashed=False)


ASKED = udp_exchange(("10.0.0.2", 4), ("10.0.0.1", 53), dns_query("stats.acme.example"))
PROFILE = "name: n\nstatement: s\nallow: {endpoints: [acme-telemetry]}\n"


def test_a_catalogue_of_the_users_stands_beside_ours(tmp_path: Path) -> None:
    theirs = catalogue_with([saved(tmp_path / "acme.yaml", file_text().encode())])
    assert len(theirs()) == len(catalogue_with()()) + 1


def test_a_catalogue_that_cannot_be_used_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(CatalogueInvalid):
        catalogue_with([saved(tmp_path / "acme.yaml", b"vendor: Acme")])


def test_the_document_holds_the_entries_that_were_recognised(tmp_path: Path) -> None:
    theirs = catalogue_with([saved(tmp_path / "acme.yaml", file_text().encode())])
    audit = audit_capture(saved(tmp_path / "a.pcap", pcap(ASKED)), catalogue=theirs).audit
    assert [entry.id for entry in audit.endpoints] == ["acme-telemetry"]
    assert "acme.yaml" in [used.name for used in audit.lists]
    asked, _ = audit.observations
    assert asked.endpoints[0].one_of == ("acme-telemetry",)


def test_a_capture_of_the_machine_itself_does_not_use_the_catalogue(tmp_path: Path) -> None:
    inside = tcp_session(("127.0.0.1", 4), ("127.0.0.1", 8080))
    assert audit_capture(saved(tmp_path / "a.pcap", pcap(inside))).audit.lists == ()


def test_an_endpoint_that_no_catalogue_has_is_refused_with_its_line(tmp_path: Path) -> None:
    path = saved(tmp_path / "p.yaml", PROFILE.encode())
    with pytest.raises(ProfileInvalid, match=r"p\.yaml:3: the catalogue has no `acme-telemetry`"):
        claim_of(path)


def test_an_endpoint_that_the_users_catalogue_has_is_taken(tmp_path: Path) -> None:
    theirs = catalogue_with([saved(tmp_path / "acme.yaml", file_text().encode())])
    path = saved(tmp_path / "p.yaml", PROFILE.encode())
    assert claim_of(path, theirs).allow.endpoints == ("acme-telemetry",)
