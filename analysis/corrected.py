"""Results of videos with the events of a human coder: ``corrections.csv`` in the folder of the recordings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec.structs import replace

from mar_edge.analysis.result import VideoResult, found_events
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.corrections import (
    CORRECTIONS_FILE,
    Correction,
    coder_of,
    corrected,
    latest,
    read_corrections,
)
from mar_edge.streaming.recording.recorder import SUFFIX
from mar_edge.streaming.recording.timeline_reader import read_timelines


def corrected_runs(folder: Path) -> set[tuple[str, str]]:
    """Return (stream, run) of the recordings in a folder that somebody corrected.

    Raises:
        MarEdgeError: the file of corrections is damaged.
    """
    path = folder / CORRECTIONS_FILE
    return {(row.stream, row.run) for row in read_corrections(path)} if path.is_file() else set()


def read_coder(folder: Path, coder: str) -> list[Correction]:
    """Return a coder's corrections of the recordings in a folder.

    Raises:
        MarEdgeError: there are none, or the file is damaged.
    """
    path = folder / CORRECTIONS_FILE
    if not path.is_file():
        raise MarEdgeError(f"--coder: no {path}; 'mar-edge view {folder}' writes it")
    rows = read_corrections(path)
    coder_of(rows, coder)
    return [row for row in latest(rows) if row.coder == coder]


def correct(
    results: Mapping[str, VideoResult], folder: Path, rows: list[Correction], say: Callable[[str], None]
) -> dict[str, VideoResult]:
    """Return the results that a coder looked at, by name, with the events after correction.

    Args:
        results: of videos, by name.
        folder: with their recordings.
        rows: of one coder (``read_coder``).
        say: gets a line where corrections are of an earlier analysis, and do not fit.

    Raises:
        MarEdgeError: a recording cannot be read.
    """
    changed = {}
    for name, result in results.items():
        own = [row for row in rows if row.stream == name]
        if not own:
            continue
        (timeline,) = read_timelines([folder / f"{name}{SUFFIX}"])
        fitting = [row for row in own if row.run == timeline.run]
        if len(fitting) < len(own):
            other = len(own) - len(fitting)
            say(f"{name}: {other} corrections do not count: they are of an analysis with other settings")
        if fitting:
            events = found_events(corrected(timeline, fitting))
            labels = tuple(dict.fromkeys((*result.labels, *(event.label for event in events))))
            changed[name] = replace(result, events=events, labels=labels)
    return changed
