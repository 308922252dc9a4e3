"""Places and denied names where our own DNS invented the addresses; else see test_rules.py."""

from dataclasses import replace

import pytest

from egress_audit.addresses import Scope
from egress_audit.model.claim import Deny
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.run import Network
from tests.builders.cases import (
    NO_CHINA,
    case,
    claim,
    contact,
    fired,
    named,
    network,
    place,
    question,
)
from tests.builders.runs import run

INVENTED = Destination(Scope.SIMULATED, *(Absent.SYNTHETIC,) * 9)
DENIES_RANGE = claim(everything=True, deny=Deny(prefixes=(network("198.18.0.0/15"),)))


def test_an_invented_address_lies_in_no_denied_prefix() -> None:
    there = contact("198.18.0.9", destination=INVENTED)
    asked = replace(question("a.example", "198.18.0.9"), answer_destinations=(INVENTED,))
    assert fired(case(there, asked, claim=DENIES_RANGE, run=run())) == []


def test_an_address_of_that_range_that_nobody_invented_does() -> None:
    assert fired(case(contact("198.18.0.9"), claim=DENIES_RANGE, run=run())) == ["EA009"]


def test_the_name_of_an_invented_address_can_be_denied() -> None:
    there = contact("198.18.0.9", named("bad.example"), destination=INVENTED)
    denies = claim(everything=True, deny=Deny(hosts=("bad.example",)))
    assert fired(case(there, claim=denies, run=run())) == ["EA009"]


def test_an_invented_address_is_in_no_denied_country() -> None:
    there = contact("198.18.0.9", destination=INVENTED)
    assert fired(case(there, claim=NO_CHINA, run=run())) == []


@pytest.mark.parametrize("net", [Network.OPEN, Network.SIMULATED])
def test_a_real_address_is_where_it_is_on_any_network(net: Network) -> None:
    there = contact("45.9.0.1", destination=place(located="CN"))
    assert fired(case(there, claim=NO_CHINA, run=run(network=net))) == ["EA006"]
