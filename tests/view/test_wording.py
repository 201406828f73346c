"""Words and rows for timelines, and what every format says of frames that were dropped."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_runs import NOD, Stream

from mar_edge.streaming.recording.timeline import Timeline, the_only
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.view.annotations.boris import write_project, write_table
from mar_edge.view.annotations.eaf import write_eaf
from mar_edge.view.annotations.table import write_csv
from mar_edge.view.wording import clock, clock_unit, rows_of


def read(tmp_path: Path, stream: Stream) -> Timeline:
    return the_only(read_timelines([stream.write(tmp_path / "run.jsonl")]), "a test")


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), max_size=30))
def test_rows_separate_overlapping_spans_with_as_few_rows_as_possible(starts: list[tuple[int, int]]) -> None:
    spans = sorted((start, start + length) for start, length in starts)
    rows = rows_of(spans)
    for n, (start, end) in enumerate(spans):
        for (other_start, other_end), row in zip(spans[:n], rows[:n], strict=True):
            assert row != rows[n] or other_end <= start or end <= other_start
    most = max((sum(start <= t < end for start, end in spans) for t in range(60)), default=0)
    assert max(rows, default=-1) + 1 <= max(most, 1)


@pytest.mark.parametrize(
    ("t_s", "longest_s", "shown"), [(1.5, 119, "1.5"), (125.0, 7199, "2:05"), (3600.0, 7200, "1:00:00")]
)
def test_times_in_the_unit_of_the_longest(t_s: float, longest_s: float, shown: str) -> None:
    assert clock(t_s, clock_unit(longest_s)) == shown


def test_every_format_says_how_many_frames_were_dropped(tmp_path: Path) -> None:
    timeline = read(tmp_path, Stream().hello().skeletons(0, 2).event(NOD, 0.5, 1).end(22.0, 141, 519))
    loss = "519 of 660 frames were dropped"
    (row,) = csv.DictReader(write_csv([timeline]).decode().splitlines())
    assert (row["frames"], row["frames_dropped"]) == ("141", "519")
    for written in (write_eaf(timeline), write_project([timeline]), write_table([timeline])):
        assert loss in written.decode()
    whole = read(tmp_path, Stream().hello().skeletons(0, 2).event(NOD, 0.5, 1).end(22.0, 660, 0))
    for written in (write_eaf(whole), write_project([whole]), write_table([whole])):
        assert "dropped" not in written.decode()
