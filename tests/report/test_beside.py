"""What a report tells beside an audit."""

from egress_audit.report.beside import NOTHING_BESIDE, AddressLabel, Beside


def test_a_label_is_told_with_its_role() -> None:
    beside = Beside(
        labels=(AddressLabel("10.0.0.1", "gw", "router"), AddressLabel("::1", "me", ""))
    )
    assert beside.label_of("10.0.0.1") == "“gw” (router)"
    assert beside.label_of("::1") == "“me”"


def test_an_address_without_a_label_is_called_nothing() -> None:
    assert NOTHING_BESIDE.label_of("10.0.0.1") == ""
    assert Beside(labels=(AddressLabel("10.0.0.1", "gw", ""),)).label_of("10.0.0.2") == ""
