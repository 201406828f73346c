"""Recordings of real people with a table of their actions: ``truth.csv`` and ``skeletons/NAME.jsonl``.

Reads and checks them; runs no model. The columns of the table are file, start_s, end_s, label, confidence_of_label and
also. The last holds other correct names, with bars between them. The label "nothing", without times, marks a file
without an action.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import Layout
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.recording.replay import Replay
from mar_edge.streaming.recording.skeletons import read_skeletons
from mar_edge.training.evaluation.trained_on import Origin

TABLE = "truth.csv"
RECORDINGS = "skeletons"
NOTHING = "nothing"
FRAMINGS = ("full body", "to the hips", "head and shoulders", "face only")
"""Determined by the lowest joints that are seen in more than half of the frames."""
_COLUMNS = ("file", "start_s", "end_s", "label", "confidence_of_label", "also")
_LOWEST = (("knee", FRAMINGS[0]), ("hip", FRAMINGS[1]), ("shoulder", FRAMINGS[2]))
_MOST = 0.5


@dataclass(frozen=True)
class TrueAction:
    """An action of a person, from ``start_s`` to ``end_s`` of media time.

    label: its name. also: other correct names. confidence: of the label, in the table's words.
    """

    start_s: float
    end_s: float
    label: str
    also: tuple[str, ...] = ()
    confidence: str = "high"

    @property
    def names(self) -> tuple[str, ...]:
        """All correct names, the label first."""
        return (self.label, *self.also)


@dataclass(frozen=True)
class RealRecording:
    """One recording and its actions.

    actions: empty if it shows none. frames: with people, without pictures.

    ran_out: whether the stream ran to its end, so that the last window is complete. framing: one of ``FRAMINGS``.

    known: stretches (start_s, end_s) in which every action is in ``actions``; None for the whole recording. undecided:
    what may have happened or not. origin: None if no person was seen.
    """

    name: str
    actions: tuple[TrueAction, ...]
    frames: tuple[Frame, ...] = field(repr=False)
    t_zero_ns: int
    ran_out: bool
    framing: str
    known: tuple[tuple[float, float], ...] | None = None
    undecided: tuple[TrueAction, ...] = ()
    origin: Origin | None = None

    @property
    def duration_s(self) -> float:
        """Media time of the last frame."""
        return max((frame.media_s for frame in self.frames), default=0.0)

    @property
    def known_s(self) -> float:
        """Seconds of which every action is known."""
        if self.known is None:
            return self.duration_s
        return sum(end_s - start_s for start_s, end_s in self.known)

    def is_known(self, start_s: float, end_s: float, label: str) -> bool:
        """Return True if it is known whether an event of that label happened there: by its middle."""
        middle_s = (start_s + end_s) / 2
        if any(one.label == label and one.start_s < end_s and start_s < one.end_s for one in self.undecided):
            return False
        return self.known is None or any(first_s <= middle_s <= last_s for first_s, last_s in self.known)


@dataclass(frozen=True)
class RealSet:
    """Recordings of one skeleton layout. name: for reports. there: all recordings of the folder, also unused ones."""

    name: str
    layout: Layout
    recordings: tuple[RealRecording, ...]
    there: tuple[Origin, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the actions, each once."""
        return tuple(dict.fromkeys(action.label for one in self.recordings for action in one.actions))


def open_real(folder: Path) -> RealSet:
    """Read a folder of recordings and its table.

    Raises:
        MarEdgeError: the table or a recording that it names is missing or damaged, or recordings differ in layout.
    """
    table = folder / TABLE
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MarEdgeError(
            f"cannot read {table}: {error}; "
            f"a set of real recordings is a folder with {TABLE} and {RECORDINGS}/NAME.jsonl"
        ) from None
    actions = _read_table(text, str(table))
    name = folder.resolve().name
    if not actions:
        raise MarEdgeError(f"{table} names no recording")
    found = [read_real(folder / RECORDINGS / f"{Path(file).stem}.jsonl", file, done) for file, done in actions.items()]
    return real_set(f"{name}, {len(found)} recordings", found)


def read_real(path: Path, name: str, actions: Sequence[TrueAction]) -> tuple[RealRecording, Layout]:
    """Read the recording of one file, which shows ``actions``. Its participant is unknown: the file counts as one.

    Raises:
        MarEdgeError: it is missing or damaged.
    """
    with Replay([path]) as replay:
        frames = []
        while (frame := replay.read(0.0)) is not None:
            frames.append(frame)
        origin = Origin(read_skeletons(path).fingerprint, name) if any(frame.people for frame in frames) else None
        shows = framing_of(frames, replay.layout)
        return RealRecording(
            name, tuple(actions), tuple(frames), replay.t_zero_ns, replay.ran_out, shows, origin=origin
        ), replay.layout


def real_set(name: str, found: Sequence[tuple[RealRecording, Layout]]) -> RealSet:
    """Return a set of recordings.

    Raises:
        MarEdgeError: they differ in layout.
    """
    (first, layout), *others = found
    for one, other in others:
        if other != layout:
            raise MarEdgeError(f"{one.name}: {other.name} skeletons, but {layout.name} ones in {first.name}")
    recordings = tuple(one for one, _ in found)
    return RealSet(name, layout, recordings, tuple(one.origin for one in recordings if one.origin is not None))


def framing(joints: NDArray[np.float32], layout: Layout) -> str:
    """Return how much of people is seen in most frames: one of ``FRAMINGS``.

    Args:
        joints: (N, V, 2), a row for each person in each frame, and one of NaN for a frame without a person.
    """
    seen: NDArray[np.bool_] = np.all(np.isfinite(joints), axis=-1)  # (N, V)
    for part, name in _LOWEST:
        places = [i for i, joint in enumerate(layout.joints) if joint in {f"left_{part}", f"right_{part}"}]
        if seen[:, places].any(axis=1).mean() > _MOST:
            return name
    return FRAMINGS[-1]


def framing_of(frames: Sequence[Frame], layout: Layout) -> str:
    """Return how much of people is seen in most of these frames (``framing``)."""
    unseen = np.full((layout.num_joints, 2), np.nan, np.float32)
    rows = [person.joints for frame in frames for person in (frame.people or (Skeleton(unseen, unseen[:, 0]),))]
    return framing(np.stack(rows or [unseen]), layout)


def _read_table(text: str, source: str) -> dict[str, list[TrueAction]]:
    """Return the actions of each file, files in the table's order."""
    rows = csv.DictReader(io.StringIO(text))
    missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise MarEdgeError(f"{source}: no column {', '.join(missing)}; the columns are {','.join(_COLUMNS)}")
    found: dict[str, list[TrueAction]] = {}
    for row in rows:
        where = f"{source}, line {rows.line_num}"
        file, label = (row["file"] or "").strip(), (row["label"] or "").strip()
        if not file or not label:
            raise MarEdgeError(f"{where}: expected a file and a label, found {row}")
        happens = found.setdefault(file, [])
        if label == NOTHING:
            continue
        also = tuple(name.strip() for name in (row["also"] or "").split("|") if name.strip())
        try:
            start_s, end_s = float(row["start_s"] or ""), float(row["end_s"] or "")
        except ValueError:
            raise MarEdgeError(
                f"{where}: start_s and end_s are seconds, not {row['start_s']!r}, {row['end_s']!r}"
            ) from None
        if not 0 <= start_s < end_s < np.inf:
            raise MarEdgeError(f"{where}: an action from {start_s:g} s to {end_s:g} s; expected 0 <= start_s < end_s")
        happens.append(TrueAction(start_s, end_s, label, also, (row["confidence_of_label"] or "").strip()))
    return found
