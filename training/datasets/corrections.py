"""Windows of corrected recordings: what coders confirmed, changed, added and rejected, and times without an action.

What happened follows from ``datasets.corrected``. An event of the model that no coder decided about is neither true nor
false: in each window that shows it, its label is unknown (NaN).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.labels import Label, background_label
from mar_edge.edge.preprocess import resample
from mar_edge.training.augment import NO_AUGMENTATION, Augmentation
from mar_edge.training.datasets.corrected import (
    CorrectedPerson,
    CorrectedRecording,
    NamedSpan,
    name_of,
    of_participants,
    read_corrected,
)
from mar_edge.training.datasets.recordings import known_labels
from mar_edge.training.datasets.stored import StoredDataset, background_of, checked_clip, shows_nobody
from mar_edge.training.datasets.windows import MIN_FRAMES, Span, most_shown, targets_of_window

_WINDOW_S = 2.0
# The network sees an action early, whole and late, as in live use.
_STRIDE_S = 0.5
# Of fewer participants, holding one out would cost too much of what there is to learn from.
_LEAST_PARTICIPANTS = 3
_BLOCK_S = 30.0

_Kind = Literal["decided", "reviewed", "uncorrected"]
"""A window that shows an event that a coder decided about, or one that shows nothing, watched by a coder or not."""


@dataclass(frozen=True)
class _Clip:
    """A window to learn from. joints: (T, V, 2), even. targets: (K,). group: its recordings are split from others."""

    kind: _Kind
    joints: NDArray[np.float32]
    targets: NDArray[np.float32]
    name: str
    group: object


def open_corrections(
    folder: Path,
    *,
    labels: tuple[Label, ...] | None = None,
    participants: Collection[str] = (),
    augmentation: Augmentation = NO_AUGMENTATION,
) -> StoredDataset:
    """Read windows of two seconds, two per second, of everybody that a coder corrected.

    They show an event that a coder decided about, or nothing. Windows that show nothing are at most as many. They come
    from reviewed stretches, or without any, from where neither the model nor the coder reports an event.

    Args:
        labels: the classes; None takes those of ``known_labels``. The background is added where they lack it.
        participants: whose recordings to read; everybody's if none is named.

    Raises:
        MarEdgeError: a file is missing or damaged, a label or participant is unknown, or there is nothing to learn.
    """
    classes = labels or known_labels()
    if background_of(classes) is None:
        classes = (*classes, background_label())
    recordings = of_participants(read_corrected(folder), participants)
    _check(folder, recordings, classes)
    people = len({one.participant for one in recordings})
    clips = [clip for one in recordings for person in one.people for clip in _clips(one, person, classes, people)]
    decided = [clip for clip in clips if clip.kind == "decided"]
    if not decided:
        raise MarEdgeError(
            f"{folder}: no skeletons were recorded during the corrected events; analyze the videos again"
        )
    resting, notes = _resting(clips, len(decided))
    events = sum(len(person.true) + len(person.denied) for one in recordings for person in one.people)
    notes = [
        f"decisions: {events}; recordings: {len(recordings)}; participants: {people}; "
        f"clips of events: {len(decided)}, of nothing: {len(resting)}",
        *notes,
    ]
    if people < _LEAST_PARTICIPANTS:
        notes.append(
            f"of {people} participant{'s' * (people > 1)}: validates on other minutes of the same people, which says "
            "nothing about new ones"
        )
    used = [*decided, *resting]
    targets = np.stack([clip.targets for clip in used])
    groups = list(dict.fromkeys(clip.group for clip in used))
    return StoredDataset(
        name=f"corrections {name_of(folder)}, {len(recordings)} recordings, {len(used)} clips",
        layout=recordings[0].skeletons.layout,
        labels=classes,
        clips=[clip.joints for clip in used],
        clip_labels=most_shown(np.nan_to_num(targets), background_of(classes)),
        clip_names=[clip.name for clip in used],
        groups=np.array([groups.index(clip.group) for clip in used]),
        augmentation=augmentation,
        clip_targets=targets,
        recordings=tuple(one.skeletons.fingerprint for one in recordings),
        notes=tuple(notes),
    )


def _resting(clips: Sequence[_Clip], most: int) -> tuple[list[_Clip], list[str]]:
    """Return at most that many clips that show nothing, evenly spread, and notes on where they come from."""
    found = [clip for clip in clips if clip.kind == "reviewed"]
    if found:
        return _spread(found, most), []
    found = _spread([clip for clip in clips if clip.kind == "uncorrected"], most)
    if found:
        return found, [
            f"no reviewed stretch shows nothing happening: takes {len(found)} such clips from where neither the model "
            "nor the coder reports an event"
        ]
    return [], [
        "no clip shows nothing happening, so the network may report more events while people rest: mark a stretch "
        "without events as reviewed"
    ]


def _check(folder: Path, recordings: Sequence[CorrectedRecording], classes: Sequence[Label]) -> None:
    layout = recordings[0].skeletons.layout
    names = [label.name for label in classes]
    for one in recordings:
        if one.skeletons.layout != layout:
            raise MarEdgeError(f"{one.path} holds {one.skeletons.layout.name} skeletons, the others {layout.name} ones")
        for span in (span for person in one.people for span in person.true):
            if span.label not in names:
                raise MarEdgeError(
                    f"{folder}: '{span.label}' at {span.start_s:.1f} s of {one.path.name} is no label of the model; "
                    f"add it with --labels FILE{did_you_mean(span.label, names)}"
                )


def _clips(
    one: CorrectedRecording, person: CorrectedPerson, classes: Sequence[Label], participants: int
) -> Iterator[_Clip]:
    """Yield the windows of one person that can be learned from."""
    layout = one.skeletons.layout
    track = next(track for track in one.skeletons.tracks if track.person == person.person)
    for start_s in _starts(track.times_s):
        end_s = start_s + _WINDOW_S
        targets = _targets(person.true, start_s, end_s, classes)
        denied = _targets(person.denied, start_s, end_s, classes)
        undecided = _targets(person.undecided, start_s, end_s, classes)
        kind: _Kind
        if targets.any() or denied.any():
            kind = "decided"
            targets[(targets == 0) & (undecided > 0)] = np.nan
        elif any(span.shares_s(start_s, end_s) > 0 for span in (*person.true, *person.denied, *person.undecided)):
            continue
        else:
            kind = "reviewed" if person.is_reviewed(start_s, end_s) else "uncorrected"
        window = one.skeletons.cut(start_s, end_s, person.person)
        if window is None or len(window.times_s) < MIN_FRAMES or shows_nobody(window.clip):
            continue
        joints = resample(checked_clip(window.clip, layout, str(one.path)), window.times_s, layout)
        block = int(start_s // _BLOCK_S)
        group = one.participant if participants >= _LEAST_PARTICIPANTS else (one.path, block)
        yield _Clip(kind, joints, targets, f"{one.path.stem} {start_s:.2f}-{end_s:.2f} s", group)


def _starts(times_s: NDArray[np.float64]) -> list[float]:
    """Return when windows begin that lie within times (T,): at most one for each, however long the gaps are."""
    steps = np.unique((times_s - times_s[0]) // _STRIDE_S)
    starts_s = times_s[0] + _STRIDE_S * steps
    within: list[float] = starts_s[starts_s + _WINDOW_S <= times_s[-1] + 1e-6].tolist()
    return within


def _targets(spans: Sequence[NamedSpan], start_s: float, end_s: float, classes: Sequence[Label]) -> NDArray[np.float32]:
    """Return the targets (K,) of a window; labels that are no class are left out."""
    by_name = {label.name: label for label in classes}
    shown = [
        Span(by_name[span.label], span.start_s, span.end_s)
        for span in spans
        if span.label in by_name and span.shares_s(start_s, end_s) > 0
    ]
    return targets_of_window(shown, start_s, end_s, classes)


def _spread(clips: Sequence[_Clip], most: int) -> list[_Clip]:
    """Return at most that many clips, evenly spread."""
    if len(clips) <= most:
        return list(clips)
    return [clips[int(place)] for place in np.linspace(0, len(clips) - 1, most)]
