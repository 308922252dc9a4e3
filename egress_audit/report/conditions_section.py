"""Under which conditions a verdict on a run stands: settings, endpoints, what was hidden."""

from collections.abc import Iterator

from egress_audit.model.audit import Audit
from egress_audit.model.run import Run, Setting
from egress_audit.product_versions import speaks_of
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import listed


def conditions_section(audit: Audit, run: Run) -> Section | None:
    """What could have silenced or led the program, and what could have silenced the runtimes that
    the claim names and was not seen to be set; None if there was nothing of the kind."""
    entries = [
        Entry(term, lines)
        for term, lines in (
            ("Switches", tuple(_setting(setting) for setting in run.conditions)),
            ("Not seen set", tuple(_not_set(audit, run))),
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


def _not_set(audit: Audit, run: Run) -> Iterator[str]:
    """`OLLAMA_NO_CLOUD=1 is meant to switch off telemetry of Ollama server`, by name.

    A variable that the recorder did not know is not noted either.
    """
    noted = {setting.name for setting in (*run.conditions, *run.endpoints)}
    silenced: dict[str, dict[str, list[str]]] = {}
    for entry in audit.endpoints:
        if entry.packetless or not speaks_of(audit.claim.applies_to.runtimes, entry):
            continue
        for name, value in entry.variables:
            if name not in noted:
                of = silenced.setdefault(f"{name}={value}", {})
                of.setdefault(entry.product, []).append(entry.purpose)
    for variable in sorted(silenced):
        told = (
            f"{', '.join(dict.fromkeys(purposes))} of {product}"
            for product, purposes in silenced[variable].items()
        )
        yield f"{variable} is meant to switch off {'; '.join(told)}"


def _removed(run: Run) -> tuple[str, ...]:
    if not run.removed_variables:
        return ()
    return (f"{listed(run.removed_variables, 12)}: they announce CI, and silence some products",)


def _stamps(run: Run, *, hidden: bool) -> list[str]:
    return [f"{stamp.product}: {stamp.path}" for stamp in run.stamps if stamp.hidden is hidden]
