"""Statistics of people's motion in front of a camera, for real recordings and for those of the generator.

The same measures of both show the gap between the generator and reality. Sizes are relative to the person (shoulder
widths, distances between the eyes), so they are independent of the camera. Independent of the synthesis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.training.synth.measures import (
    Floats,
    Window,
    eye_px,
    head_jitter,
    head_shift,
    head_sway,
    shoulder_shift,
    shoulder_sway,
    tilt_change,
    width_change,
    wrist_jitter,
    wrist_speed,
    wrist_travel,
    yaw_range,
)

FRAMINGS = ("full body", "to the hips", "head and shoulders", "face only")
_WINDOW_S = 2.0
_STRIDE_S = 0.25
# A window belongs to an action if it ends during the action or shortly after.
_AFTER_START_S, _AFTER_END_S = 0.3, 0.5
_FEWEST_FRAMES = 12
_MOST_ACTIONS = 100_000  # in one piece of footage

# Joints of ``ma52``.
_SHOULDERS, _HIPS, _KNEES = (5, 6), (11, 12), (13, 14)
_ROUND = "turning around"
_TURNS, _NODS = ("turning head", "shaking head"), ("bowing head", "head up", "nodding")


@dataclass(frozen=True)
class Footage:
    """One person in front of one camera. t: (T,) s; joints: (T, 44, 2) px, NaN if missing; events: the true actions.

    Without events no named action happens.
    """

    t: NDArray[np.float64]
    joints: Floats
    events: tuple[Done, ...]


@dataclass(frozen=True)
class Done:
    """A performed action by name, from ``start`` to ``end``, s."""

    name: str
    body: str
    start: float
    end: float


@dataclass(frozen=True)
class Figure:
    """One line of the table: a ``value`` measured on ``count`` windows or frames."""

    name: str
    value: float
    count: int


def statistics(footage: Iterable[Footage]) -> tuple[Figure, ...]:
    """Return all measures in the order of the table; NaN for measures without data."""
    windows = [window for number, one in enumerate(footage) for window in _windows(one, number)]
    of = {framing: sum(window.framing == framing for window in windows) for framing in FRAMINGS}
    figures = [
        Figure(f"windows framed: {framing}, %", 100 * count / max(len(windows), 1), len(windows))
        for framing, count in of.items()
    ]
    for name, wanted, measure, quantile in _MEASURES:
        values = _values(windows, wanted, measure)
        figures.append(Figure(name, float(np.quantile(values, quantile)) if values else float("nan"), len(values)))
    return tuple(figures)


def _values(
    windows: Sequence[Window], wanted: Callable[[Window], bool], measure: Callable[[Window], float]
) -> list[float]:
    """Return one value per action, the largest of its windows (a stay follows a move); without actions, per window."""
    most: dict[tuple[int, int], float] = {}
    for index, window in enumerate(windows):
        if wanted(window) and np.isfinite(value := measure(window)):
            key = (window.action, 0) if window.name else (-1, index)
            most[key] = max(most.get(key, value), value)
    return list(most.values())


def table(columns: Mapping[str, Sequence[Figure]]) -> str:
    """Return Markdown: one line per measure, one column per source, the number of windows in parentheses."""
    names = [figure.name for figure in next(iter(columns.values()))]
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for row, name in enumerate(names):
        cells = [_cell(column[row]) for column in columns.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(figure: Figure) -> str:
    if not np.isfinite(figure.value):
        return "-"
    digits = 0 if figure.value >= 100 else 1 if figure.value >= 3 else 2 if figure.value >= 0.1 else 3
    return f"{figure.value:.{digits}f} ({figure.count})"


def _windows(footage: Footage, number: int) -> Iterator[Window]:
    t, joints = footage.t, footage.joints
    last = max(float(t[-1]), float(t[0]) + _WINDOW_S)
    for end in np.arange(t[0] + _WINDOW_S, last + 1e-6, _STRIDE_S):
        inside = (t > end - _WINDOW_S - 1e-6) & (t < end + 1e-6)
        if inside.sum() < _FEWEST_FRAMES:
            continue
        clip = joints[inside]
        begun = (i for i, e in enumerate(footage.events) if e.start + _AFTER_START_S <= end <= e.end + _AFTER_END_S)
        which = next(begun, None)
        done = None if which is None else footage.events[which]
        if footage.events and done is None:
            continue  # windows between actions belong to none
        gap_s = float(np.median(np.diff(t[inside])))
        action = number * _MOST_ACTIONS + (which or 0)
        yield Window(clip, gap_s, _framing(clip), done.name if done else "", done.body if done else "", action)


def _framing(joints: Floats) -> str:
    """Return the framing in most of the frames."""

    def seen(pair: tuple[int, int]) -> bool:
        return bool(np.isfinite(joints[:, pair, 0]).any(axis=1).mean() > 0.5)

    return next(
        (name for name, pair in zip(FRAMINGS, (_KNEES, _HIPS, _SHOULDERS), strict=False) if seen(pair)), "face only"
    )


def _doing(*names: str, framed: Sequence[str] = FRAMINGS) -> Callable[[Window], bool]:
    return lambda window: window.name in names and window.framing in framed


def _of_body(body: str) -> Callable[[Window], bool]:
    return lambda window: window.body == body


def _nothing(window: Window) -> bool:
    return not window.name


def _any(window: Window) -> bool:
    return True


_BUST = FRAMINGS[2:]
_MEASURES: tuple[tuple[str, Callable[[Window], bool], Callable[[Window], float], float], ...] = (
    ("turning head, head and shoulders: shoulder width change, %", _doing(*_TURNS, framed=_BUST), width_change, 0.5),
    ("... its 90th percentile", _doing(*_TURNS, framed=_BUST), width_change, 0.9),
    ("... tilt of the shoulder line, deg", _doing(*_TURNS, framed=_BUST), tilt_change, 0.5),
    ("... shift of the shoulders, shoulder widths", _doing(*_TURNS, framed=_BUST), shoulder_shift, 0.5),
    ("... head yaw, deg", _doing(*_TURNS, framed=_BUST), yaw_range, 0.5),
    ("... its 90th percentile", _doing(*_TURNS, framed=_BUST), yaw_range, 0.9),
    ("... shift of the head, eye widths", _doing(*_TURNS, framed=_BUST), head_shift, 0.5),
    ("turning head, hips seen: shoulder width change, %", _doing(*_TURNS, framed=FRAMINGS[:2]), width_change, 0.5),
    ("bowing head and the like, head and shoulders: width change, %", _doing(*_NODS, framed=_BUST), width_change, 0.5),
    ("... tilt of the shoulder line, deg", _doing(*_NODS, framed=_BUST), tilt_change, 0.5),
    ("turning around, head and shoulders: shoulder width change, %", _doing(_ROUND, framed=_BUST), width_change, 0.5),
    ("... tilt of the shoulder line, deg", _doing(_ROUND, framed=_BUST), tilt_change, 0.5),
    ("... head yaw, deg", _doing(_ROUND, framed=_BUST), yaw_range, 0.5),
    ("upper limb: wrist travel, shoulder widths", _of_body("upper limb"), wrist_travel, 0.5),
    ("... wrist speed, shoulder widths/s", _of_body("upper limb"), wrist_speed, 0.5),
    ("body-hand: wrist travel, shoulder widths", _of_body("body-hand"), wrist_travel, 0.5),
    ("... wrist speed, shoulder widths/s", _of_body("body-hand"), wrist_speed, 0.5),
    ("head-hand: wrist travel, shoulder widths", _of_body("head-hand"), wrist_travel, 0.5),
    ("... wrist speed, shoulder widths/s", _of_body("head-hand"), wrist_speed, 0.5),
    ("nothing: head sway (SD), eye widths", _nothing, head_sway, 0.5),
    ("... its 90th percentile", _nothing, head_sway, 0.9),
    ("... shoulder sway (SD), eye widths", _nothing, shoulder_sway, 0.5),
    ("... wrist jitter, eye widths a frame", _nothing, wrist_jitter, 0.5),
    ("... its 90th percentile", _nothing, wrist_jitter, 0.9),
    ("head jitter, eye widths a frame", _any, head_jitter, 0.5),
    ("between the eyes, px", _any, eye_px, 0.5),
    ("... its 10th percentile", _any, eye_px, 0.1),
)  # fmt: skip
