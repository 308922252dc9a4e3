"""Ports whose holder is taken for the server."""

import numpy as np
import pytest

from egress_audit.flows.ports import LIKELY_SERVER_PORTS, likely_server
from tests.reference import flow_table


@pytest.mark.parametrize("port", [53, 80, 443, 8080])
def test_a_well_known_port_is_a_servers(port: int) -> None:
    assert likely_server(np.array([port], np.uint16)).tolist() == [True]


@pytest.mark.parametrize("port", [0, 68, 1234, 40000, 65535])
def test_any_other_port_is_nobodys(port: int) -> None:
    assert likely_server(np.array([port], np.uint16)).tolist() == [False]


def test_the_set_is_the_oracles() -> None:
    assert LIKELY_SERVER_PORTS == flow_table.LIKELY_SERVER_PORTS
