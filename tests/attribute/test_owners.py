"""A capture without process records has no owners, and does not invent any."""

from egress_audit.attribute.owners import Attributor, NoOwners
from egress_audit.model.destination import Absent
from tests.builders.captures import pcap, scripted
from tests.builders.engine import run


def test_nobody_is_held_to_have_sent_anything() -> None:
    nobody: Attributor = NoOwners()
    flows = run(pcap(scripted(">S"))).flows
    assert nobody.owner(flows, 0) is Absent.NOT_FOUND


def test_it_is_said_that_no_owner_is_known() -> None:
    assert not NoOwners().knows_any
