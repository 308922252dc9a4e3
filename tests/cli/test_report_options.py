"""The options that every judging command has, and what they do, are one and the same."""

import click
import pytest

from egress_audit.cli.replay import replay
from egress_audit.cli.report_options import refuse_sharing
from egress_audit.cli.run import run


def declared(command: click.Command) -> dict[str, tuple[object, ...]]:
    """The options by name, each with what the help says of it."""
    options = [param for param in command.params if isinstance(param, click.Option)]
    return {str(o.name): (o.opts, o.metavar, o.default, o.help) for o in options}


@pytest.mark.parametrize("name", ["profile", "form", "output", "flows", "catalogue"])
def test_run_and_replay_have_the_same_option(name: str) -> None:
    assert declared(run)[name] == declared(replay)[name]


def test_report_and_flows_may_not_share_a_stream() -> None:
    with pytest.raises(click.UsageError, match="standard output"):
        refuse_sharing(None, "-")


def test_where_each_has_its_own_nothing_is_refused() -> None:
    refuse_sharing("report.txt", "-")
    refuse_sharing(None, "flows.jsonl")
