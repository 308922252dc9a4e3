"""Known resolvers: by host, by suffix, by address; and what a damaged table says."""

from pathlib import Path

import pytest

from egress_audit.classify.resolvers import Asked, Resolvers, known_resolvers
from egress_audit.errors import ListUnreadable


def table(folder: Path, rows: str) -> Path:
    path = folder / "table.csv"
    path.write_text("host,address,kind\n" + rows, encoding="utf-8")
    return path


def test_a_resolver_is_known_by_its_host_and_its_address() -> None:
    known = known_resolvers()
    assert known.asked_at("dns.google") is Asked.RESOLVER
    assert known.addresses["2001:4860:4860::8888"] is Asked.RESOLVER


def test_a_host_below_a_resolver_is_none() -> None:
    assert known_resolvers().asked_at("www.dns.google") is None


def test_a_suffix_stands_for_itself_and_for_what_is_below_it() -> None:
    known = known_resolvers()
    assert known.asked_at("mozilla.cloudflare-dns.com") is Asked.RESOLVER
    assert known.asked_at("cloudflare-dns.com") is Asked.RESOLVER
    assert known.asked_at("notcloudflare-dns.com") is None


def test_an_application_may_have_its_own_resolver() -> None:
    assert known_resolvers().asked_at("httpdns-api.aliyuncs.com") is Asked.HTTPDNS


def test_an_ordinary_host_is_no_resolver() -> None:
    assert known_resolvers().asked_at("example.com") is None


@pytest.mark.parametrize("row", ["a.example,,dentist\n", ",,resolver\n", "a.example,x,resolver\n"])
def test_a_row_that_is_no_resolver_is_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(ListUnreadable):
        Resolvers(table(tmp_path, row))


def test_a_resolver_is_told_as_an_entry_that_only_labels() -> None:
    entry = known_resolvers().entry_at("doh.ffmuc.net")
    assert entry is not None
    assert (entry.id, entry.vendor) == ("resolver-doh-ffmuc-net", "FFMUC DNS")
    assert (entry.purpose, entry.hosts) == ("resolver", ("doh.ffmuc.net",))
    assert not entry.accuses
    assert entry.source.startswith("v2fly/")


def test_the_resolver_of_an_app_says_that_it_is_mostly_asked_in_clear_text() -> None:
    entry = known_resolvers().entry_at("a.httpdns.zhihu.com")
    assert entry is not None
    assert entry.vendor == "unknown owner"
    assert "HTTPDNS" in entry.product and "clear text" in entry.sends
    assert entry.hosts == ("*.httpdns.zhihu.com",)


def test_an_ordinary_host_is_no_entry_of_a_resolver() -> None:
    assert known_resolvers().entry_at("example.com") is None


def test_a_table_of_resolvers_may_lack_operators_and_sources(tmp_path: Path) -> None:
    entry = Resolvers(table(tmp_path, "a.example,,httpdns-suffix\n")).entry_at("b.a.example")
    assert entry is not None
    assert (entry.vendor, entry.source) == ("unknown owner", "")
