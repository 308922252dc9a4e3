"""Every golden capture that is made: the scenes, and their files as captures/ holds them."""

import json

import yaml

from egress_audit.model.audit import Audit, Verdict
from egress_audit.report.plain import plain

from .scenes import Scene
from .scenes_of_rules import LAW, RULES_FIRE
from .scenes_of_spots import SPOTS_OF_CLAIM, SPOTS_OF_FILE, SPOTS_OF_RUN

SCENES: tuple[Scene, ...] = (*RULES_FIRE, *LAW, *SPOTS_OF_FILE, *SPOTS_OF_CLAIM, *SPOTS_OF_RUN)


def description(scene: Scene) -> str:
    """The text of NAME.yaml."""
    said = {
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
    return yaml.safe_dump(said, sort_keys=False, width=96)


def expectation(audit: Audit) -> str:
    """The text of NAME.json: the audit without its envelope, a line for each value."""
    return json.dumps(plain(audit), indent=1) + "\n"
