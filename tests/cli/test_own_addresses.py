"""What a person may call the audited host's own."""

import pytest

from egress_audit.cli.own_addresses import own_prefixes
from egress_audit.errors import WrongUsage


def test_addresses_and_prefixes_are_taken_as_they_are() -> None:
    given = own_prefixes(["10.0.0.2", "192.168.0.0/16", "2001:db8::/64"])
    assert [str(prefix) for prefix in given] == ["10.0.0.2/32", "192.168.0.0/16", "2001:db8::/64"]


def test_several_may_stand_in_one_word() -> None:
    assert [str(p) for p in own_prefixes(["10.0.0.2,fd00::2"])] == ["10.0.0.2/32", "fd00::2/128"]


@pytest.mark.parametrize("wide", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "2000::/3"])
def test_half_the_internet_is_nobodys_own(wide: str) -> None:
    with pytest.raises(WrongUsage, match="wider"):
        own_prefixes([wide])


def test_what_is_no_prefix_is_wrong_usage() -> None:
    with pytest.raises(WrongUsage, match=r"^--local: '10\.0\.0\.300' is not"):
        own_prefixes(["10.0.0.300"])
