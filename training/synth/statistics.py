"""How people move before a camera, in numbers: of real recordings, and of those that the generator makes.

The same measures of both, so that the generator's distance from reality is a table. Sizes are in parts of the person
(shoulder widths, widths between the eyes), so that cameras do not matter. Knows nothing of how motion is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FRAMINGS = ("full body", "to the hips", "head and shoulders", "face only")
_WINDOW_S = 2.0
_STRIDE_S = 0.25
# A window belongs to an action that it ends in, or shortly after.
_AFTER_START_S, _AFTER_END_S = 0.3, 0.5
_FEWEST_FRAMES = 12
_MOST_ACTIONS = 100_000  # in one piece of footage

# Joints of ``ma52``.
_NOSE, _EYES, _SHOULDERS, _WRISTS, _HIPS, _KNEES, _NECK = 0, (1, 2), (5, 6), (9, 10), (11, 12), (13, 14), 18
# The nose lies before the line of the eyes by this part of their distance: what tells yaw from the picture.
_NOSE_AHEAD = 0.53
_ROUND = "turning around"
_TURNS, _NODS = ("turning head", "shaking head"), ("bowing head", "head up", "nodding")


@dataclass(frozen=True)
class Footage:
    """One person before one camera. t: (T,) s; joints: (T, 44, 2) px, NaN where not seen; events: what was done.

    Without events nothing with a name happens.
    """

    t: NDArray[np.float64]
    joints: Floats
    events: tuple[Done, ...]


@dataclass(frozen=True)
class Done:
    """An action by name, from ``start`` to ``end`` seconds."""

    name: str
    body: str
    start: float
    end: float


@dataclass(frozen=True)
class Figure:
    """One line of the table: ``value`` of the ``count`` windows (or frames) that it was measured on."""

    name: str
    value: float
    count: int


@dataclass(frozen=True)
class _Window:
    """Two seconds of footage. joints (T, 44, 2); name, body: the action that it ends in, "" for none; its number."""

    joints: Floats
    gap_s: float
    framing: str
    name: str
    body: str
    action: int


def statistics(footage: Iterable[Footage]) -> tuple[Figure, ...]:
    """All measures, in the table's order; NaN where nothing in the footage says anything about one."""
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
    windows: Sequence[_Window], wanted: Callable[[_Window], bool], measure: Callable[[_Window], float]
) -> list[float]:
    """One value for each action, the largest of its windows (who stays moved to get there); else each window's."""
    most: dict[tuple[int, int], float] = {}
    for index, window in enumerate(windows):
        if wanted(window) and np.isfinite(value := measure(window)):
            key = (window.action, 0) if window.name else (-1, index)
            most[key] = max(most.get(key, value), value)
    return list(most.values())


def table(columns: Mapping[str, Sequence[Figure]]) -> str:
    """Markdown: one line for each measure, one column for each source, the number of windows in brackets."""
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


def _windows(footage: Footage, number: int) -> Iterator[_Window]:
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
            continue  # what is between actions belongs to neither
        gap_s = float(np.median(np.diff(t[inside])))
        action = number * _MOST_ACTIONS + (which or 0)
        yield _Window(clip, gap_s, _framing(clip), done.name if done else "", done.body if done else "", action)


def _framing(joints: Floats) -> str:
    """What the picture holds in most of its frames."""

    def seen(pair: tuple[int, int]) -> bool:
        return bool(np.isfinite(joints[:, pair, 0]).any(axis=1).mean() > 0.5)

    return next(
        (name for name, pair in zip(FRAMINGS, (_KNEES, _HIPS, _SHOULDERS), strict=False) if seen(pair)), "face only"
    )


def _extent(track: Floats) -> float:
    """Robust peak to peak of (T,) or, as a distance, of (T, 2); NaN where too little was seen."""
    if np.isfinite(track).reshape(len(track), -1).all(axis=1).mean() < 0.5:
        return float("nan")
    low, high = np.nanquantile(track, (0.02, 0.98), axis=0)
    return float(np.linalg.norm(np.atleast_1d(high - low)))


def _middle(values: Floats) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")


def _shoulders(window: _Window) -> Floats:
    """(T, 2, 2) px, left first; one outside the picture lies opposite the other, since the neck is their middle."""
    pair, neck = window.joints[:, _SHOULDERS].copy(), window.joints[:, _NECK]
    for side in (0, 1):
        lost = np.isnan(pair[:, side, 0])
        pair[lost, side] = 2 * neck[lost] - pair[lost, 1 - side]
    return pair


def _shoulder_width(window: _Window) -> float:
    pair = _shoulders(window)
    return _middle(np.linalg.norm(pair[:, 0] - pair[:, 1], axis=-1))


def _eyes(window: _Window) -> tuple[Floats, float]:
    """Their middle (T, 2) px and their distance, px."""
    pair = window.joints[:, _EYES]
    # A turned head shows less of it: the wider the truer.
    apart = np.linalg.norm(pair[:, 0] - pair[:, 1], axis=-1)
    width = float(np.nanquantile(apart, 0.7)) if np.isfinite(apart).any() else float("nan")
    return pair.mean(axis=1), width


def width_change(window: _Window) -> float:
    """Of the shoulders, percent, peak to peak."""
    pair = _shoulders(window)
    return 100 * _extent(np.linalg.norm(pair[:, 0] - pair[:, 1], axis=-1)) / _shoulder_width(window)


def tilt_change(window: _Window) -> float:
    """Of the shoulder line, degrees, peak to peak."""
    pair = _shoulders(window)
    line = pair[:, 0] - pair[:, 1]
    return _extent(
        np.rad2deg(np.unwrap(np.arctan2(line[:, 1], line[:, 0]))) if np.isfinite(line).all() else line * np.nan
    )


def shoulder_shift(window: _Window) -> float:
    """Of the shoulders' middle, shoulder widths, peak to peak."""
    return _extent(_shoulders(window).mean(axis=1)) / _shoulder_width(window)


def yaw_range(window: _Window) -> float:
    """Of the head, degrees, peak to peak, as nose and eyes show it."""
    left, right = (window.joints[:, eye] for eye in _EYES)
    line = left - right
    apart = np.maximum(np.linalg.norm(line, axis=-1), 1e-3)
    ahead = ((window.joints[:, _NOSE] - (left + right) / 2) * line).sum(axis=-1) / apart**2
    return _extent(np.rad2deg(np.arctan(ahead / np.float32(_NOSE_AHEAD))))


def head_shift(window: _Window) -> float:
    """Of the eyes' middle, eye widths, peak to peak."""
    middle, width = _eyes(window)
    return _extent(middle) / width


def wrist_travel(window: _Window) -> float:
    """Of the wrist that moves more, shoulder widths, peak to peak."""
    extents = [_extent(window.joints[:, wrist]) for wrist in _WRISTS]
    if not np.isfinite(extents).any():
        return float("nan")
    return float(np.nanmax(extents)) / _shoulder_width(window)


def wrist_speed(window: _Window) -> float:
    """98 % of the frames: of the wrist that moves faster, shoulder widths a second."""
    speeds = [np.linalg.norm(np.diff(window.joints[:, wrist], axis=0), axis=-1) / window.gap_s for wrist in _WRISTS]
    fastest = [np.nanquantile(speed, 0.98) for speed in speeds if np.isfinite(speed).mean() > 0.5]
    return float(max(fastest)) / _shoulder_width(window) if fastest else float("nan")


def head_sway(window: _Window) -> float:
    """Standard deviation of the eyes' middle, eye widths."""
    middle, width = _eyes(window)
    return float(np.linalg.norm(np.nanstd(middle, axis=0))) / width if np.isfinite(middle).any() else float("nan")


def shoulder_sway(window: _Window) -> float:
    """Standard deviation of the shoulders' middle, eye widths."""
    middle = _shoulders(window).mean(axis=1)
    if np.isfinite(middle[:, 0]).mean() < 0.5:
        return float("nan")
    return float(np.linalg.norm(np.nanstd(middle, axis=0))) / _eyes(window)[1]


def _jitter(window: _Window, joints: Sequence[int]) -> float:
    """What of a joint's way from frame to frame the next frame takes back, eye widths."""
    bend = np.diff(window.joints[:, list(joints)], n=2, axis=0) / 2
    return _middle(np.linalg.norm(bend, axis=-1)) / _eyes(window)[1]


def head_jitter(window: _Window) -> float:
    """Of nose and eyes, eye widths a frame."""
    return _jitter(window, (_NOSE, *_EYES))


def wrist_jitter(window: _Window) -> float:
    """Of the wrists, eye widths a frame."""
    return _jitter(window, _WRISTS)


def eye_px(window: _Window) -> float:
    """Between the eyes, px: how large the person is in the picture."""
    return _eyes(window)[1]


def _doing(*names: str, framed: Sequence[str] = FRAMINGS) -> Callable[[_Window], bool]:
    return lambda window: window.name in names and window.framing in framed


def _of_body(body: str) -> Callable[[_Window], bool]:
    return lambda window: window.body == body


def _nothing(window: _Window) -> bool:
    return not window.name


def _any(window: _Window) -> bool:
    return True


_BUST = FRAMINGS[2:]
_MEASURES: tuple[tuple[str, Callable[[_Window], bool], Callable[[_Window], float], float], ...] = (
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
