from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from brokers import event, numbered

from mar_edge.bridge.journal import Journal
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label

MB = 1 << 20


def seqs(journal: Journal) -> list[int]:
    found = [entry.seq for entry in journal.oldest(10_000, 0.0)]
    journal.settle([])
    return found


def test_messages_come_out_in_order_and_leave_when_they_arrived(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", MB) as journal:
        for number in range(10):
            journal.add(numbered(event(number), number))
        batch = journal.oldest(4, 0.0)
        assert [entry.id for entry in batch] == ["cam/r/0", "cam/r/1", "cam/r/2", "cam/r/3"]
        journal.settle(batch[:3])
        assert seqs(journal) == list(range(3, 10))
        assert journal.waiting == 7
        assert (tmp_path / "j").stat().st_mode & 0o777 == 0o600


def test_a_message_that_comes_twice_is_kept_once(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", MB) as journal:
        for seq in (0, 1, 0, 1, 2):
            journal.add(numbered(event(seq), seq))
        assert seqs(journal) == [0, 1, 2]
        journal.settle(journal.oldest(3, 0.0))
        journal.add(numbered(event(2), 2))  # by a second route, after it left
        journal.add(numbered(event(0), 0, run="next"))
        assert seqs(journal) == [0]


def test_what_was_written_survives_kill(tmp_path: Path) -> None:
    path = tmp_path / "j"
    code = """
import os, pathlib, signal, sys
sys.path[:0] = sys.argv[2:]
from brokers import event, numbered
from mar_edge.bridge.journal import Journal
journal = Journal(pathlib.Path(sys.argv[1]), 1 << 20)
for number in range(500):
    journal.add(numbered(event(number), number))
os.kill(os.getpid(), signal.SIGKILL)
"""
    tests = Path(__file__).parents[1]
    paths = [str(Path(__file__).parent), str(tests), str(tests / "streaming")]
    done = subprocess.run([sys.executable, "-c", code, str(path), *paths], check=False, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL
    with Journal(path, MB) as journal:
        assert seqs(journal) == list(range(500))


def test_a_full_journal_drops_the_oldest_and_counts_them_by_run_and_number(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path, MB) as journal:
        for number in range(8_000):
            journal.add(numbered(event(number), number, run="a" if number < 6_000 else "b"))
        kept = seqs(journal)
        assert kept == list(range(8_000 - len(kept), 8_000))
        dropped = journal.dropped["cam", "a"]
        assert (dropped.count, dropped.first_seq) == (dropped.last_seq + 1, 0)
        assert sum(each.count for each in journal.dropped.values()) == 8_000 - len(kept)
        size = sum(file.stat().st_size for file in tmp_path.iterdir())
        assert size < 8 * MB  # with the write-ahead log, which SQLite empties every 4 MB


def test_a_batch_under_way_is_not_dropped(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", 100_000) as journal:
        for number in range(100):
            journal.add(numbered(event(number), number))
        batch = journal.oldest(5, 0.0)
        for number in range(100, 1000):
            journal.add(numbered(event(number), number))
        journal.settle(batch)
        assert batch[0].seq not in {entry.seq for entry in journal.oldest(1, 0.0)}
        assert journal.dropped["cam", "r"].first_seq > batch[-1].seq
        assert journal.waiting + journal.dropped["cam", "r"].count + 5 == 1000


def test_long_messages_are_held_a_few_at_a_time(tmp_path: Path) -> None:
    label = Label(9, "x" * 900_000, "head")
    with Journal(tmp_path / "j", 32 * MB) as journal:
        for number in range(20):
            journal.add(numbered(event(number, label=label), number))
        assert len(journal.oldest(256, 0.0)) == 5


def test_files_that_are_no_journal_are_refused_and_stay(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("these are no pages of a database" * 100)
    with pytest.raises(MarEdgeError, match="move the file away"):
        Journal(text, MB)
    assert text.read_text().startswith("these")
    with pytest.raises(MarEdgeError, match="cannot open the journal"):
        Journal(tmp_path / "nowhere" / "j", MB)


def test_two_bridges_do_not_share_a_journal(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", MB):  # noqa: SIM117 - the second is what fails
        with pytest.raises(MarEdgeError, match="each its own --journal"):
            Journal(tmp_path / "j", MB)
