"""Behind an audit stand its flows, each with its names, its far end, and the process behind it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from egress_audit.api import audit_capture, audit_merged
from egress_audit.attribute.owners import Owned
from egress_audit.audited import MOST_PARENTS, Audited
from egress_audit.model.audit import Owner
from egress_audit.model.destination import Absent
from egress_audit.model.run import Process
from tests.builders.captures import client_hello, pcap, tcp_session
from tests.builders.runs import process

FAR = ("203.0.113.9", 443)


@pytest.fixture
def result(tmp_path: Path) -> Audited:
    """The audit of one flow."""
    path = tmp_path / "one.pcap"
    path.write_bytes(pcap(tcp_session(("10.0.0.2", 40000), FAR, client_hello("hub.example"))))
    return audit_capture(str(path))


def sent_by(result: Audited, processes: tuple[Process, ...]) -> Audited:
    """The same, its flow being the last process's."""
    last = processes[-1]
    facts = last.pid, last.start_time, last.exe, last.exe_sha256, last.cmdline
    owner = Owner(*facts, parent=Absent.NOT_FOUND, how="seccomp")
    behind = np.array([len(processes) - 1], np.int32)
    owned = Owned(np.array([1], np.int32), behind, (Absent.NOT_FOUND, owner), processes)
    return replace(result, owned=owned)


def test_every_flow_has_a_record(result: Audited) -> None:
    assert len(list(result.flow_records())) == result.audit.coverage.flows == 1


def test_a_flow_is_told_with_its_names_and_its_far_end(result: Audited) -> None:
    flow, names, destination, _ = result.flow_record(0)
    assert flow.far_h == FAR[0]
    assert [name.host for name in names] == ["hub.example"]
    assert destination == result.destination_of(FAR[0])


def test_where_the_evidence_names_no_process_none_is_asked_for(result: Audited) -> None:
    assert result.flow_record(0)[3] is Absent.NOT_APPLICABLE
    assert result.lineage(0) == ()


def test_a_flow_of_a_process_has_that_process_and_its_parents(result: Audited) -> None:
    shell, program = process(1), process(2, parent=1)
    found = sent_by(result, (shell, program))
    owner = found.flow_record(0)[3]
    assert not isinstance(owner, Absent)
    assert owner.pid == program.pid
    assert found.lineage(0) == (program, shell)


def test_a_line_of_parents_is_told_no_further_than_its_bound(result: Audited) -> None:
    line = tuple(process(n, parent=n - 1 or Absent.NOT_FOUND) for n in range(1, 40))
    assert len(sent_by(result, line).lineage(0)) == MOST_PARENTS + 1


def test_of_one_capture_its_name_is_all_that_was_read(result: Audited) -> None:
    assert result.inputs == ("one.pcap",)


def test_of_merged_captures_all_were_read(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.pcap", "b.pcap")]
    for path in paths:
        path.write_bytes(pcap(tcp_session(("10.0.0.2", 40000), FAR)))
    assert audit_merged([str(path) for path in paths]).inputs == ("a.pcap", "b.pcap")
