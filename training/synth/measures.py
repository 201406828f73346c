"""Measures of people's motion in a window of footage, in sizes relative to the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Joints of ``ma52``.
_NOSE, _EYES, _SHOULDERS, _WRISTS, _NECK = 0, (1, 2), (5, 6), (9, 10), 18
# Distance of the nose in front of the eyes, in eye distances: gives yaw from the picture.
_NOSE_AHEAD = 0.53


@dataclass(frozen=True)
class Window:
    """Two seconds of footage. joints: (T, 44, 2); name, body, number: the action at its end, "" for none."""

    joints: Floats
    gap_s: float
    framing: str
    name: str
    body: str
    action: int


def _extent(track: Floats) -> float:
    """Return the robust peak-to-peak size of (T,), or of (T, 2) as a distance; NaN if too few frames have it."""
    if np.isfinite(track).reshape(len(track), -1).all(axis=1).mean() < 0.5:
        return float("nan")
    low, high = np.nanquantile(track, (0.02, 0.98), axis=0)
    return float(np.linalg.norm(np.atleast_1d(high - low)))


def _middle(values: Floats) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")


def _shoulders(window: Window) -> Floats:
    """Return the shoulders (T, 2, 2) px, left first; one outside the picture is mirrored about the neck."""
    pair, neck = window.joints[:, _SHOULDERS].copy(), window.joints[:, _NECK]
    for side in (0, 1):
        lost = np.isnan(pair[:, side, 0])
        pair[lost, side] = 2 * neck[lost] - pair[lost, 1 - side]
    return pair


def _shoulder_width(window: Window) -> float:
    pair = _shoulders(window)
    return _middle(np.linalg.norm(pair[:, 0] - pair[:, 1], axis=-1))


def _eyes(window: Window) -> tuple[Floats, float]:
    """Return the midpoint of the eyes (T, 2) px and their distance, px."""
    pair = window.joints[:, _EYES]
    # A turned head shortens the distance, so the widest is the best estimate.
    apart = np.linalg.norm(pair[:, 0] - pair[:, 1], axis=-1)
    width = float(np.nanquantile(apart, 0.7)) if np.isfinite(apart).any() else float("nan")
    return pair.mean(axis=1), width


def width_change(window: Window) -> float:
    """Return the change of the shoulder width, percent, peak to peak."""
    pair = _shoulders(window)
    return 100 * _extent(np.linalg.norm(pair[:, 0] - pair[:, 1], axis=-1)) / _shoulder_width(window)


def tilt_change(window: Window) -> float:
    """Return the change of the shoulder line's tilt, degrees, peak to peak."""
    pair = _shoulders(window)
    line = pair[:, 0] - pair[:, 1]
    return _extent(
        np.rad2deg(np.unwrap(np.arctan2(line[:, 1], line[:, 0]))) if np.isfinite(line).all() else line * np.nan
    )


def shoulder_shift(window: Window) -> float:
    """Return the shift of the shoulders' midpoint, shoulder widths, peak to peak."""
    return _extent(_shoulders(window).mean(axis=1)) / _shoulder_width(window)


def yaw_range(window: Window) -> float:
    """Return the head yaw from nose and eyes, degrees, peak to peak."""
    left, right = (window.joints[:, eye] for eye in _EYES)
    line = left - right
    apart = np.maximum(np.linalg.norm(line, axis=-1), 1e-3)
    ahead = ((window.joints[:, _NOSE] - (left + right) / 2) * line).sum(axis=-1) / apart**2
    return _extent(np.rad2deg(np.arctan(ahead / np.float32(_NOSE_AHEAD))))


def head_shift(window: Window) -> float:
    """Return the shift of the eyes' midpoint, eye widths, peak to peak."""
    middle, width = _eyes(window)
    return _extent(middle) / width


def wrist_travel(window: Window) -> float:
    """Return the travel of the wrist that moves more, shoulder widths, peak to peak."""
    extents = [_extent(window.joints[:, wrist]) for wrist in _WRISTS]
    if not np.isfinite(extents).any():
        return float("nan")
    return float(np.nanmax(extents)) / _shoulder_width(window)


def wrist_speed(window: Window) -> float:
    """Return the 98th percentile of the speed of the faster wrist, shoulder widths per second."""
    speeds = [np.linalg.norm(np.diff(window.joints[:, wrist], axis=0), axis=-1) / window.gap_s for wrist in _WRISTS]
    fastest = [np.nanquantile(speed, 0.98) for speed in speeds if np.isfinite(speed).mean() > 0.5]
    return float(max(fastest)) / _shoulder_width(window) if fastest else float("nan")


def head_sway(window: Window) -> float:
    """Return the standard deviation of the eyes' midpoint, eye widths."""
    middle, width = _eyes(window)
    return float(np.linalg.norm(np.nanstd(middle, axis=0))) / width if np.isfinite(middle).any() else float("nan")


def shoulder_sway(window: Window) -> float:
    """Return the standard deviation of the shoulders' midpoint, eye widths."""
    middle = _shoulders(window).mean(axis=1)
    if np.isfinite(middle[:, 0]).mean() < 0.5:
        return float("nan")
    return float(np.linalg.norm(np.nanstd(middle, axis=0))) / _eyes(window)[1]


def _jitter(window: Window, joints: Sequence[int]) -> float:
    """Return the jitter of joints: motion between two frames that the next frame reverses, eye widths."""
    bend = np.diff(window.joints[:, list(joints)], n=2, axis=0) / 2
    return _middle(np.linalg.norm(bend, axis=-1)) / _eyes(window)[1]


def head_jitter(window: Window) -> float:
    """Return the jitter of nose and eyes, eye widths per frame."""
    return _jitter(window, (_NOSE, *_EYES))


def wrist_jitter(window: Window) -> float:
    """Return the jitter of the wrists, eye widths per frame."""
    return _jitter(window, _WRISTS)


def eye_px(window: Window) -> float:
    """Return the distance between the eyes, px: the size of the person in the picture."""
    return _eyes(window)[1]
