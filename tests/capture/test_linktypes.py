"""Link types have the names people know them by; an unknown one keeps its number."""

import pytest

from egress_audit.capture.linktypes import LINKTYPE_NAMES, linktype_name
from egress_audit.decode.link import DECODERS


@pytest.mark.parametrize(("number", "name"), [(1, "ETHERNET"), (113, "LINUX_SLL"), (0, "NULL")])
def test_a_known_link_type_is_called_by_its_name(number: int, name: str) -> None:
    assert linktype_name(number) == name


def test_an_unknown_link_type_keeps_its_number() -> None:
    assert linktype_name(999) == "LINKTYPE 999"


def test_every_link_type_that_is_decoded_has_a_name() -> None:
    assert not DECODERS.keys() - LINKTYPE_NAMES.keys()
