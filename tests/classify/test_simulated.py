"""What our own side invented has no place in the world, whoever has that address there."""

from dataclasses import replace

from egress_audit.addresses import Scope
from egress_audit.classify.destination import embedded_classifier, without_place
from egress_audit.classify.simulated import RESOLVER, simulated_too
from egress_audit.model.destination import Absent

WORLD = embedded_classifier().destination
NOWHERE = without_place(Scope.SIMULATED, Absent.SYNTHETIC)
destination = simulated_too(WORLD, ("8.8.8.8", "fd00:e6e4:1::7"), ("10.87.0.1",))


def test_an_invented_address_has_nothing_but_its_scope() -> None:
    assert destination("8.8.8.8") == NOWHERE
    assert destination("fd00:e6e4:1:0::7") == NOWHERE


def test_our_own_resolver_is_one_of_them_with_its_role() -> None:
    assert destination("10.87.0.1") == replace(NOWHERE, role=RESOLVER)


def test_every_other_address_is_what_the_lists_say() -> None:
    assert destination("8.8.4.4") == WORLD("8.8.4.4")
    assert destination("127.0.0.1") == WORLD("127.0.0.1")


def test_text_that_is_no_address_leads_nowhere() -> None:
    assert simulated_too(WORLD, ("nonsense",), ("",))("8.8.4.4") == WORLD("8.8.4.4")
