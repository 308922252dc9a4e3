"""What a path leads to, and what cannot be read as one."""

import os
import threading
from pathlib import Path

import pytest

from egress_audit.errors import InputUnreadable, WrongUsage
from egress_audit.model.destination import Absent
from egress_audit.opening import evidence_at
from tests.builders.captures import pcap, tcp_session
from tests.builders.recordings import bundle

FRAMES = tcp_session(("10.0.0.2", 4), ("192.0.2.7", 443))


def saved(folder: Path, name: str) -> str:
    (folder / name).write_bytes(pcap(FRAMES))
    return str(folder / name)


def test_one_path_is_one_capture_under_its_own_name(tmp_path: Path) -> None:
    found = evidence_at([saved(tmp_path, "a.pcap")])
    assert (found.name, found.account) == ("a.pcap", None)
    assert sum(len(batch) for batch in found.source) == len(FRAMES)


def test_a_folder_is_a_bundle_with_its_account(tmp_path: Path) -> None:
    found = evidence_at([str(bundle(tmp_path / "b"))])
    list(found.source)
    assert found.account is not None
    assert not isinstance(found.account.run.exec_ns, Absent)


def test_several_paths_are_one_source_with_the_facts_of_each(tmp_path: Path) -> None:
    paths = [saved(tmp_path, "a.pcap"), saved(tmp_path, "b.pcap")]
    source = evidence_at(paths).source
    assert sum(len(batch) for batch in source) == 2 * len(FRAMES)
    assert [part.name for part in source.facts().parts] == ["a.pcap", "b.pcap"]


def test_the_reading_can_be_watched_to_its_last_byte(tmp_path: Path) -> None:
    paths = [saved(tmp_path, name) for name in ("a.pcap", "b.pcap")]
    told: list[tuple[int, int]] = []
    for one in (paths[:1], paths):
        source = evidence_at(one, watch=lambda size, frames: told.append((size, frames))).source
        list(source)
        assert told[-1] == (len(one) * len(pcap(FRAMES)), source.facts().frames)


def test_a_bundle_cannot_be_merged(tmp_path: Path) -> None:
    paths = [saved(tmp_path, "a.pcap"), str(bundle(tmp_path / "b"))]
    with pytest.raises(InputUnreadable, match="judged alone"):
        evidence_at(paths)


def test_standard_input_cannot_be_merged(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="standard input: cannot be merged"):
        evidence_at([saved(tmp_path, "a.pcap"), "-"])


def test_nothing_is_no_evidence() -> None:
    with pytest.raises(WrongUsage):
        evidence_at([])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_not_merged_since_it_would_be_waited_for(tmp_path: Path) -> None:
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    paths = [saved(tmp_path, "a.pcap"), pipe]
    refused: list[WrongUsage] = []

    def ask() -> None:
        with pytest.raises(WrongUsage) as raised:
            evidence_at(paths)
        refused.append(raised.value)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(30)
    assert "no ordinary file" in str(refused[0])
