"""Ports whose holder is taken for the server when nothing better says who began.

The set is Zeek's `likely_server_ports` with its default scripts loaded; TCP and UDP in one set.
"""

import numpy as np

from egress_audit.columns import U16, Bool

LIKELY_SERVER_PORTS = frozenset(
    {
        *(21, 22, 25, 53, 67, 79, 80, 81, 88, 123, 135, 137, 139, 143, 161, 162, 389, 443, 445),
        *(465, 502, 514, 547, 563, 585, 587, 614, 631, 636, 784, 853, 989, 990, 992, 993, 995),
        *(1080, 1194, 1195, 1196, 1197, 1434, 1812, 1883, 2123, 2152, 2811, 3128, 3268, 3306),
        *(3389, 3544, 4789, 5060, 5072, 5222, 5223, 5269, 5351, 5353, 5355, 5432, 6081, 6379),
        *(6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000),
    }
)

_LIKELY = np.zeros(65536, np.bool_)
_LIKELY[list(LIKELY_SERVER_PORTS)] = True


def likely_server(ports: U16) -> Bool:
    """(n,) True where the port is one that servers listen on."""
    return _LIKELY[ports]
