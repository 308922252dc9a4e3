"""Scenes in which the catalogue decides: what a destination is for, whose it is, what may come."""

from .captures import client_hello, dns_answer, dns_query, http_request
from .scenes import (
    HERE,
    LOCAL_PROXY,
    LOCAL_RESOLVER,
    OUTSIDE,
    US,
    Scene,
    asked,
    exchange,
    later,
    quiet,
    session,
    without,
    written,
)
from .scenes_of_rules import RESOLVED, SOON_NS, TLS_GOOD

ACME = "catalogues/acme.yaml"
NO_TELEMETRY, ONE_ENDPOINT = "profiles/no-telemetry.yaml", "profiles/one-endpoint.yaml"
FAR_EAST = "far-east.acme.example"
ANSWERED_FROM_GERMANY = exchange(
    HERE, LOCAL_RESOLVER, dns_query(FAR_EAST), dns_answer(FAR_EAST, ["116.203.1.1"])
)
ENTRANCE = "x.tunnel.acme.example"
ENTRANCE_ASKED = exchange(
    HERE, LOCAL_RESOLVER, dns_query(ENTRANCE), dns_answer(ENTRANCE, [OUTSIDE[0]])
)
CONNECT_EAST = http_request("east.acme.example:443", method="CONNECT")

SCENES_OF_ENDPOINTS = (
    Scene(
        "rule-ea013-denied-purpose",
        "a question for a name that is known for telemetry, under a claim that denies it",
        written(asked("stats.acme.example")),
        "VIOLATED",
        profile=NO_TELEMETRY,
        rules=("EA013",),
        catalogue=ACME,
    ),
    Scene(
        "rule-ea014-denied-vendor",
        "a CONNECT for a name whose vendor is controlled from China, through a proxy on this "
        "machine",
        written(session(HERE, LOCAL_PROXY, CONNECT_EAST)),
        "VIOLATED",
        profile="profiles/not-controlled-from-china.yaml",
        rules=("EA014",),
        catalogue=ACME,
    ),
    Scene(
        "law-endpoint-allowed",
        "an allowed entry of the catalogue, whose address an answer in the same capture proves",
        written([*RESOLVED, *session(US, OUTSIDE, TLS_GOOD, at_ns=SOON_NS)]),
        "HOLDS",
        profile=ONE_ENDPOINT,
        catalogue=ACME,
    ),
    Scene(
        "law-endpoint-by-server-name-alone",
        "the name of an allowed entry in a TLS hello, and no answer that proves it",
        written(session(US, OUTSIDE, TLS_GOOD)),
        "VIOLATED",
        profile=ONE_ENDPOINT,
        rules=("EA001",),
        catalogue=ACME,
    ),
    Scene(
        "spot-purpose-undecided",
        "a question for a name that one caller asks for telemetry and another for updates",
        written(asked("api.acme.example")),
        "INCONCLUSIVE",
        profile=NO_TELEMETRY,
        spots=("purpose-undecided",),
        catalogue=ACME,
    ),
    Scene(
        "spot-purpose-unknown",
        "a connection to an address that no entry of the catalogue knows",
        written(session(US, OUTSIDE)),
        "INCONCLUSIVE",
        profile=NO_TELEMETRY,
        spots=("purpose-unknown",),
        catalogue=ACME,
    ),
    Scene(
        "spot-vendor-undecided",
        "a question for a name on a German machine, which a label has for a vendor from China",
        written(later(ANSWERED_FROM_GERMANY)),
        "INCONCLUSIVE",
        profile="profiles/not-controlled-from-china.yaml",
        spots=("vendor-undecided",),
        catalogue=ACME,
    ),
    Scene(
        "spot-tunnel-entered",
        "a connection to a name that is known for tunnels, under a claim that denies other names",
        written([*ENTRANCE_ASKED, *session(US, OUTSIDE, client_hello(ENTRANCE), at_ns=SOON_NS)]),
        "INCONCLUSIVE",
        profile="profiles/denied-names.yaml",
        spots=("tunnel-entered",),
        catalogue=ACME,
    ),
    Scene(
        "spot-callers-later",
        "a moment of silence of a runtime that is known to call after a day",
        written(quiet()),
        "INCONCLUSIVE",
        profile="profiles/of-a-runtime.yaml",
        assertions=without("whole-run"),
        spots=("callers-later",),
        catalogue=ACME,
    ),
)
