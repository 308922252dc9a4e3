"""A link of ours can be told to make whole packets."""

import pytest

from egress_audit.record.netlink import Links
from egress_audit.record.offload import leaves_checksums, make_checksums
from egress_audit.record.syscalls import CLONE_NEWNET
from tests.builders.namespaces import in_child

pytestmark = pytest.mark.opens_sockets


def test_a_pair_leaves_checksums_until_it_is_told_not_to() -> None:
    def seen() -> tuple[bool, bool]:
        with Links() as links:
            links.veth("eg0", "eg1")
        before = leaves_checksums("eg0")
        make_checksums("eg0")
        return before, leaves_checksums("eg0")

    assert in_child(seen, namespaces=CLONE_NEWNET) == (True, False)


def test_a_link_that_is_not_there_cannot_be_told() -> None:
    def told() -> None:
        with pytest.raises(OSError, match="No such device"):
            make_checksums("eg9")

    in_child(told, namespaces=CLONE_NEWNET)
