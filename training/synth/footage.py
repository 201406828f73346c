"""Footage for the statistics: of the generator, and of real people in a folder with ``truth.csv`` and ``skeletons``."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, ma52_labels
from mar_edge.streaming.recording.skeletons import read_skeletons
from mar_edge.training.synth.generator import CLASSES
from mar_edge.training.synth.recording import record
from mar_edge.training.synth.statistics import Done, Footage
from mar_edge.training.synth.world import World

TRUTH_FILE, SKELETONS = "truth.csv", "skeletons"
_NOTHING = "nothing"
_COLUMNS = ("file", "start_s", "end_s", "label")
_STREAM = 56_000  # shares no random numbers with training data
# Actions of each kind of recording (None: no named action), and its duration: all actions,
# and extra recordings of the actions that have measures.
_TURNS = tuple(label for label in CLASSES if label.name in ("turning head", "shaking head"))
_NODS = tuple(label for label in CLASSES if label.name in ("bowing head", "head up", "nodding"))
_HANDS = tuple(label for label in CLASSES if label.body in ("upper limb", "body-hand", "head-hand"))
_ROUND = tuple(label for label in CLASSES if label.name == "turning around")
_KINDS: tuple[tuple[tuple[Label, ...] | None, float], ...] = (
    (CLASSES, 20.0),
    (None, 10.0),
    (_TURNS, 20.0),
    (_NODS, 20.0),
    (_ROUND, 12.0),
    (_HANDS, 20.0),
)


def generated(world: World, recordings: int, seed: int = 1) -> Iterator[Footage]:
    """Make ``recordings`` of each kind, one by one."""
    for number in range(recordings):
        for kind, (labels, duration_s) in enumerate(_KINDS):
            made = record(
                (seed, _STREAM, number, kind),
                duration_s=duration_s,
                world=world,
                idle=labels is None,
                labels=labels or CLASSES,
            )
            done = (Done(e.label.name, e.label.body, e.t_start, e.t_end) for e in made.events)
            yield Footage(made.t, made.joints, tuple(done))


def real(folder: Path) -> Iterator[Footage]:
    """Read the recordings of ``folder``: in each, the person with the most frames.

    ``truth.csv`` has the columns file, start_s, end_s and label; "nothing" without times marks a file without actions.
    ``skeletons/NAME.jsonl`` is the recording of NAME, whatever its own ending.

    Raises:
        MarEdgeError: a file is missing or malformed.
    """
    body = {label.name: label.body for label in ma52_labels()}
    done: dict[str, list[Done]] = {}
    for number, row in enumerate(_rows(folder / TRUTH_FILE), 2):
        actions = done.setdefault(row["file"], [])
        if row["label"] == _NOTHING:
            continue
        if row["label"] not in body:
            raise MarEdgeError(f"{folder / TRUTH_FILE}, line {number}: '{row['label']}' is no action of MA-52")
        try:
            start, end = float(row["start_s"]), float(row["end_s"])
        except ValueError:
            raise MarEdgeError(
                f"{folder / TRUTH_FILE}, line {number}: start_s and end_s are seconds, not "
                f"'{row['start_s']}' and '{row['end_s']}'"
            ) from None
        actions.append(Done(row["label"], body[row["label"]], start, end))
    for name, actions in done.items():
        recording = read_skeletons(folder / SKELETONS / f"{Path(name).stem}.jsonl")
        track = max(recording.tracks, key=lambda track: len(track.times_s))
        yield Footage(track.times_s, track.clip, tuple(actions))


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise MarEdgeError(
            f"cannot read {path}: {reason}; --real takes a folder with {TRUTH_FILE} and {SKELETONS}/"
        ) from None
    if not rows or any(row.get(column) is None for row in rows for column in _COLUMNS):
        raise MarEdgeError(f"{path} needs a header and rows with the columns {', '.join(_COLUMNS)}")
    return rows
