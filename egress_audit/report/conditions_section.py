"""Under which conditions a verdict on a run stands: settings, endpoints, what was hidden."""

from egress_audit.model.run import Run, Setting
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import listed


def conditions_section(run: Run) -> Section | None:
    """What could have silenced or led the program; None if there was nothing of the kind."""
    entries = [
        Entry(term, lines)
        for term, lines in (
            ("Silencing", tuple(_setting(setting) for setting in run.conditions)),
            ("Endpoints", tuple(_setting(setting) for setting in run.endpoints)),
            ("Taken away", _removed(run)),
            ("Hidden stamps", tuple(_stamps(run, hidden=True))),
            ("Seen stamps", tuple(_stamps(run, hidden=False))),
        )
        if lines
    ]
    if not entries:
        return None
    note = "with other settings it may do otherwise"
    return Section("Conditions of this verdict", tuple(entries), note)


def cannot_see_section(run: Run) -> Section | None:
    """What the recording could not see on its rung, or left out; None if nothing was noted."""
    if not run.cannot_see:
        return None
    entry = Entry("Limits", run.cannot_see)
    return Section("Not seen in this run", (entry,))


def _setting(setting: Setting) -> str:
    return f"{setting.name}={setting.value}: {setting.meaning}"


def _removed(run: Run) -> tuple[str, ...]:
    if not run.removed_variables:
        return ()
    return (f"{listed(run.removed_variables, 12)}: they announce CI, and silence some products",)


def _stamps(run: Run, *, hidden: bool) -> list[str]:
    return [f"{stamp.product}: {stamp.path}" for stamp in run.stamps if stamp.hidden is hidden]
