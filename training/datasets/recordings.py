"""Recordings by the user: a folder of skeleton recordings (``*.jsonl``) and ``labels.csv``, a table of events.

The columns of ``labels.csv``:

- recording: a file of the folder
- start_s, end_s: seconds in it (zero: see ``recording.skeletons``)
- label: a class by name or id
- person: optional; the person of the event, where several people are seen
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.files.tables import Row, read_table
from mar_edge.edge.labels import Label, background_label, ma52_labels
from mar_edge.edge.preprocess import resample
from mar_edge.streaming.recording.skeletons import SkeletonRecording, read_skeletons
from mar_edge.streaming.recording.timeline import MARKER
from mar_edge.training.augment import NO_AUGMENTATION, Augmentation
from mar_edge.training.datasets.stored import StoredDataset, checked_clip, shows_nobody
from mar_edge.training.datasets.windows import MIN_FRAMES, Span, targets_of_window

LABEL_FILE = "labels.csv"
_COLUMNS = ("recording", "start_s", "end_s", "label")


@dataclass(frozen=True)
class _Event:
    """A line of ``labels.csv``; ``where`` names it."""

    recording: str
    start_s: float
    end_s: float
    label: Label
    person: int | None
    where: str

    @property
    def span(self) -> Span:
        """Its label and times."""
        return Span(self.label, self.start_s, self.end_s)


def known_labels() -> tuple[Label, ...]:
    """Return the labels that need no label file: MA-52's classes and "no action"."""
    return (*ma52_labels(), background_label())


def open_recordings(
    folder: Path,
    *,
    labels: tuple[Label, ...] | None = None,
    window_s: float = 2.0,
    augmentation: Augmentation = NO_AUGMENTATION,
) -> StoredDataset:
    """Read windows of about ``window_s`` over every event, sampled at 64 even times as in live use.

    The window of a shorter event includes what is around it, up to the next event of another label. A longer event
    gives several windows that cover it. If events of one person overlap, windows have a target for each label.

    Args:
        labels: the classes; None takes those of ``known_labels`` that occur.

    Raises:
        MarEdgeError: a file is missing or malformed, or there are no skeletons at the time of an event. The message
            names the file and the line.
    """
    path = folder / LABEL_FILE
    events = _read_events(path, labels or known_labels())
    classes = labels or tuple(label for label in known_labels() if label in {event.label for event in events})
    recordings = {name: _read(folder, name, events) for name in dict.fromkeys(event.recording for event in events)}
    layout = next(iter(recordings.values())).layout
    clips: list[NDArray[np.float32]] = []
    names: list[str] = []
    drawn_from: list[Label] = []
    groups: list[int] = []
    targets: list[NDArray[np.float32]] = []
    for group, (name, recording) in enumerate(recordings.items()):
        if recording.layout != layout:
            raise MarEdgeError(
                f"{folder}: {name} holds {recording.layout.name} skeletons, the others {layout.name} ones"
            )
        for event, start_s, end_s in _windows([e for e in events if e.recording == name], recording, window_s):
            window = recording.cut(start_s, end_s, event.person)
            if window is None or len(window.times_s) < MIN_FRAMES:
                raise MarEdgeError(
                    f"{event.where}: {name} has {0 if window is None else len(window.times_s)} skeletons from "
                    f"{start_s:.2f} to {end_s:.2f} s; at least {MIN_FRAMES} are needed"
                )
            if shows_nobody(window.clip):
                raise MarEdgeError(f"{event.where}: no joint was seen from {start_s:.2f} to {end_s:.2f} s of {name}")
            checked = checked_clip(window.clip, layout, event.where)
            clips.append(resample(checked, window.times_s, layout))
            names.append(f"{name} {start_s:.2f}-{end_s:.2f} s")
            drawn_from.append(event.label)
            groups.append(group)
            whose = [other.span for other in events if other.recording == name and other.person == event.person]
            targets.append(targets_of_window(whose, start_s, end_s, classes))
    return StoredDataset(
        name=f"recordings {folder.resolve().name}, {len(events)} events, {len(clips)} clips",
        layout=layout,
        labels=classes,
        clips=clips,
        clip_labels=np.array([classes.index(label) for label in drawn_from], np.int64),
        clip_names=names,
        groups=np.array(groups),
        augmentation=augmentation,
        clip_targets=np.stack(targets) if _overlap(events) else None,
        recordings=tuple(recording.fingerprint for recording in recordings.values()),
    )


def _overlap(events: list[_Event]) -> bool:
    """Return True if one person does two things at once."""
    ordered = sorted(events, key=lambda event: (event.recording, event.person or 0, event.start_s))
    return any(
        (a.recording, a.person) == (b.recording, b.person) and a.label != b.label and b.start_s < a.end_s
        for a, b in pairwise(ordered)
    )


def _read_events(path: Path, known: tuple[Label, ...]) -> list[_Event]:
    columns = ",".join(_COLUMNS)
    try:
        table = read_table(path)
    except MarEdgeError as error:
        raise MarEdgeError(f"{error}; the recordings need a {LABEL_FILE} with the columns {columns}") from None
    if not set(_COLUMNS) <= set(table.columns):
        raise MarEdgeError(f"{path} has the columns {','.join(table.columns) or 'none'}; expected {columns}")
    by_word = {word: label for label in known for word in (str(label.id), label.name)}
    events = [_event(row, by_word) for row in table.rows() if row.fields.get("body") != MARKER]
    if not events:
        raise MarEdgeError(f"{path} lists no event")
    return events


def _event(row: Row, by_word: dict[str, Label]) -> _Event:
    recording, label, person = (row.fields.get(column, "") for column in ("recording", "label", "person"))
    start_s, end_s = row.seconds("start_s"), row.seconds("end_s")
    try:
        whose = int(person) if person else None
    except ValueError:
        raise MarEdgeError(f"{row.where}: person is the number of a person or empty, not '{person}'") from None
    if not 0 <= start_s < end_s:
        raise MarEdgeError(f"{row.where}: an event from {start_s} to {end_s} s; expected 0 <= start_s < end_s")
    if not recording or Path(recording).name != recording:
        raise MarEdgeError(f"{row.where}: recording '{recording}'; expected the name of a file in the same folder")
    if label not in by_word:
        names = ", ".join(dict.fromkeys(label.name for label in by_word.values()))
        close = did_you_mean(label, by_word)
        raise MarEdgeError(
            f"{row.where}: no label '{label}'; name your labels with --labels FILE, or use one of: {names}{close}"
        )
    return _Event(recording.removesuffix(".jsonl"), start_s, end_s, by_word[label], whose, row.where)


def _read(folder: Path, name: str, events: list[_Event]) -> SkeletonRecording:
    path = folder / f"{name}.jsonl"
    if not path.is_file():
        where = next(event.where for event in events if event.recording == name)
        raise MarEdgeError(f"{where}: no recording {path}")
    return read_skeletons(path)


def _windows(
    events: list[_Event], recording: SkeletonRecording, window_s: float
) -> Iterator[tuple[_Event, float, float]]:
    """Yield each event of one recording with the times of its windows."""
    for event in events:
        length_s = event.end_s - event.start_s
        if length_s > window_s:
            # Yielded one by one: a mistyped event of a year fails at the end of the skeletons, not out of memory.
            count = math.ceil(length_s / window_s)
            for number in range(count):
                start_s = event.start_s + number * (length_s - window_s) / (count - 1)
                yield event, start_s, start_s + window_s
            continue
        others = [other for other in events if other.person == event.person and other.label != event.label]
        low_s = max([other.end_s for other in others if other.end_s <= event.start_s], default=0.0)
        high_s = min([other.start_s for other in others if other.start_s >= event.end_s], default=recording.end_s)
        high_s = max(high_s, event.end_s)
        start_s = max(low_s, min(event.start_s - (window_s - length_s) / 2, high_s - window_s))
        yield event, start_s, min(start_s + window_s, high_s)
