"""Every golden capture that is made: the scenes, and their files as captures/ holds them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from egress_audit.addresses import parse_prefix
from egress_audit.api import Asserted, Audited, Bounds, audit_capture, catalogue_with
from egress_audit.classify.catalogue import Catalogue
from egress_audit.classify.catalogue_schema import entries_in
from egress_audit.classify.destination import Classifier
from egress_audit.endpoints import ReadCatalogue
from egress_audit.model.audit import Audit, Verdict
from egress_audit.report.plain import plain

from .scenes import Scene
from .scenes_of_endpoints import SCENES_OF_ENDPOINTS
from .scenes_of_rules import LAW, RULES_FIRE
from .scenes_of_spots import SPOTS_OF_CLAIM, SPOTS_OF_FILE, SPOTS_OF_RUN

CAPTURES = Path(__file__).parent.parent.parent / "captures"

SCENES: tuple[Scene, ...] = (
    *RULES_FIRE,
    *LAW,
    *SPOTS_OF_FILE,
    *SPOTS_OF_CLAIM,
    *SPOTS_OF_RUN,
    *SCENES_OF_ENDPOINTS,
)


def description(scene: Scene) -> str:
    """The text of NAME.yaml."""
    said: dict[str, Any] = {
        "capture": f"{scene.name}.{scene.suffix}",
        "made": "by scripts/make_captures.py, packet by packet; no network was involved",
        "licence": "BSD-3-Clause",
        "shows": scene.shows,
        "profile": scene.profile,
        "assertions": list(scene.assertions),
        "local": list(scene.local),
        "verdict": scene.verdict,
        "exit_code": int(Verdict(scene.verdict).exit_code),
        "rules": list(scene.rules),
        "spots": list(scene.spots),
    }
    if scene.bounds:
        said["bounds"] = dict(scene.bounds)
    if not scene.lists:
        said["lists"] = False
    if scene.catalogue:
        said["catalogue"] = scene.catalogue
    return yaml.safe_dump(said, sort_keys=False, width=96)


def replayed(said: Mapping[str, Any], words: tuple[str, ...]) -> Audited:
    """The audit of the capture that this description is of, with these assertions."""
    profile, catalogue = said["profile"], endpoints_of(said.get("catalogue"))
    return audit_capture(
        str(CAPTURES / said["capture"]),
        str(CAPTURES / profile) if "/" in profile else profile,
        local=[parse_prefix(text) for text in said["local"]],
        asserted=Asserted(words),
        bounds=Bounds(**said.get("bounds", {})),
        classifier=None if said.get("lists", True) else Classifier(),
        catalogue=catalogue,
    )


def endpoints_of(file: str | None) -> ReadCatalogue:
    """The entries of a file below captures/, without its date; the packaged catalogue for None."""
    if file is None:
        return catalogue_with()
    return lambda: Catalogue.of(placed.entry for placed in entries_in(CAPTURES / file))


def expectation(audit: Audit) -> str:
    """The text of NAME.json: the audit without its envelope, a line for each value."""
    return json.dumps(plain(audit), indent=1) + "\n"
