"""Only Linux can run a program under watch; other systems are told so."""

import sys

import pytest

from egress_audit.cli.other_systems import refuse_other_systems
from egress_audit.errors import EgressAuditError


def test_linux_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    refuse_other_systems()


@pytest.mark.parametrize("platform", ["darwin", "win32", "freebsd14"])
def test_another_system_is_refused_with_what_it_can_do(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(EgressAuditError, match="egress-audit replay"):
        refuse_other_systems()
