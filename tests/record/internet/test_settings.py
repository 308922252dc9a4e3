"""What an internet without any choice made is like."""

from egress_audit.model.run import Network
from egress_audit.record.internet.settings import DnsPolicy, InternetSettings


def test_by_default_everything_is_answered_and_nothing_is_swallowed() -> None:
    settings = InternetSettings()
    assert (settings.mode, settings.dns, settings.ipv6) == (
        Network.SIMULATED,
        DnsPolicy.ANSWER,
        True,
    )
    assert not settings.swallow
    assert not settings.swallow_suffix
