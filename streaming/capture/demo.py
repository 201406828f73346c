"""The built-in demo input: a portrait that nods, shakes its head, shrugs and so on. It needs no camera and no file.

The picture is the public-domain US Navy portrait of Grace Hopper. For each frame, the head gets a depth, is rotated in
3-D about a point in the neck, and is drawn over the background. Knows nothing of poses; of labels, only their names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError

FPS = 30.0
REST_S = 1.0


@dataclass(frozen=True)
class Segment:
    """One action of the script. Outside all segments the person is at rest."""

    label: str
    start_s: float
    end_s: float


def _hold(phase: float) -> float:
    """Move during the first third, hold, return during the last: 0 -> 1 -> 0."""
    return float(_smooth_step(phase / 0.33) * _smooth_step((1 - phase) / 0.33))


def _pulses(count: int, phase: float) -> float:
    """Pulse ``count`` times: 0 -> 1 -> 0."""
    return 0.5 - 0.5 * float(np.cos(2 * np.pi * count * phase))


def _swings(count: int, phase: float) -> float:
    """Swing ``count`` times to +1 and -1. The first swing starts softly, and the last one ends softly."""
    soft = _smooth_step(phase / 0.15) * _smooth_step((1 - phase) / 0.15)
    return float(soft * np.sin(2 * np.pi * count * phase))


@dataclass(frozen=True)
class Motion:
    """Movement of the body during one segment: its peak values, and their course over phase 0 to 1.

    Attributes:
        label: Name of the action.
        seconds: Duration.
        shape: Phase -> factor of the peak values.
        yaw: Degrees, positive toward the person's left (the right of the image).
        pitch: Degrees, positive looking down.
        roll: Degrees, positive when the crown leans to the right of the image.
        shrug: Rise of the shoulders, px.
    """

    label: str
    seconds: float
    shape: Callable[[float], float]
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    shrug: float = 0.0


SCRIPT: tuple[Motion, ...] = (
    Motion("nodding", 2.4, partial(_pulses, 4), pitch=15),
    Motion("shaking head", 2.4, partial(_swings, 4), yaw=17),
    Motion("tilting head", 2.2, _hold, roll=15),
    Motion("bowing head", 1.5, _hold, pitch=26),
    Motion("turning head", 1.5, _hold, yaw=24),
    Motion("shrugging", 2.0, partial(_pulses, 2), shrug=28),
    Motion("nodding", 2.0, partial(_pulses, 3), pitch=10),
)

# The constants below are measured on the photograph, in its pixels (x, y).
_PHOTO_SHAPE = (600, 512, 3)
_OUTLINE = (
    (12, 605), (28, 460), (36, 420), (42, 394), (52, 382), (72, 371), (104, 362), (140, 352), (172, 340), (192, 326),
    (200, 316), (206, 310), (201, 302), (187, 295), (170, 283), (162, 267), (159, 230), (153, 207), (153, 187),
    (151, 167), (152, 133), (155, 103), (163, 90), (175, 83), (183, 67), (200, 50), (218, 42), (220, 33), (233, 25),
    (260, 23), (283, 26), (300, 35), (304, 42), (327, 50), (343, 65), (353, 86), (365, 87), (369, 100), (371, 127),
    (370, 153), (368, 180), (375, 193), (374, 217), (368, 240), (361, 267), (358, 287), (350, 302), (336, 307),
    (331, 313), (352, 330), (372, 344), (416, 362), (448, 372), (476, 382), (492, 392), (502, 420), (520, 490),
    (520, 605),
)  # fmt: skip
_HEAD_CENTER = (264.0, 205.0)
_HEAD_RADII = (118.0, 205.0)
_HEAD_DEPTH = 92.0  # From the plane of the ears to the tip of the nose.
_NECK_PIVOT = (264.0, 318.0, -42.0)  # Z toward the viewer, 0 in the plane of the ears.
_NECK_TOP, _NECK_FOOT = 322.0, 422.0  # The chin moves with the head, the tie does not.
_VIEW_DISTANCE = 1600.0
_GRID_STEP = 8  # pixels; the warp is smooth, so it is solved on a coarse grid
_SOLVER_ROUNDS = 7
_REACH_CELLS = 9  # the largest movement


class _Posture(NamedTuple):
    yaw: float
    pitch: float
    roll: float
    shrug: float


class DemoVideo:
    """The scripted sequence as a video that renders any moment.

    Attributes:
        script: Actions in their order.
        duration_s: Seconds from the start to the end at rest.

    Raises:
        MarEdgeError: the picture in the package is missing or damaged.
    """

    fps = FPS

    def __init__(self) -> None:
        photo = _load_photo()
        H, W, _ = photo.shape
        alpha = _person_mask(H, W)
        self._person = np.dstack([photo, (alpha * 255).astype(np.uint8)])
        self._background = _without_person(photo, alpha)
        self._at_rest = _composed(self._person, self._background)
        self._pixels = np.stack(np.meshgrid(np.arange(W), np.arange(H)), axis=-1).astype(np.float32)
        coarse = cv2.resize(self._pixels, (W // _GRID_STEP, H // _GRID_STEP), interpolation=cv2.INTER_AREA)
        self._grid = np.asarray(coarse, np.float32)
        reach = np.ones((2 * _REACH_CELLS + 1, 2 * _REACH_CELLS + 1), np.uint8)
        person = cv2.resize(alpha, (W // _GRID_STEP, H // _GRID_STEP), interpolation=cv2.INTER_AREA) > 0
        self._near_person = cv2.dilate(person.astype(np.uint8), reach) > 0
        segments: list[Segment] = []
        now_s = REST_S
        for motion in SCRIPT:
            segments.append(Segment(motion.label, now_s, now_s + motion.seconds))
            now_s += motion.seconds + REST_S
        self.script: tuple[Segment, ...] = tuple(segments)
        self.duration_s = now_s

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        H, W, _ = self._person.shape
        return W, H

    def frame_at(self, t_s: float) -> NDArray[np.uint8]:
        """Render the picture at ``t_s`` seconds.

        The same time always gives the same picture. The sequence begins and ends at rest, and repeats.

        Returns:
            (H, W, 3) uint8 BGR, a new array.
        """
        frame = self._at_rest.copy()
        posture = self._posture(t_s % self.duration_s)
        if not any(posture):
            return frame
        # Find the place of the photograph that each pixel shows: source = pixel - moved(source). Fixed-point iterations
        # converge, because the warp folds nowhere.
        source = self._grid
        for _ in range(_SOLVER_ROUNDS):
            source = self._grid - _moved(source, posture)
        offset = source - self._grid
        # Only the part of the person that moves is drawn again.
        rows, columns = np.nonzero(self._near_person & (np.abs(offset) > 0.05).any(axis=-1))
        if rows.size == 0:
            return frame
        y0, y1, x0, x1 = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
        part = tuple(slice(a * _GRID_STEP, b * _GRID_STEP) for a, b in ((y0, y1), (x0, x1)))
        width, height = (x1 - x0) * _GRID_STEP, (y1 - y0) * _GRID_STEP
        moved = np.asarray(cv2.resize(offset[y0:y1, x0:x1], (int(width), int(height))), np.float32)
        lookup: NDArray[np.float32] = self._pixels[part] + moved
        person = cv2.remap(
            self._person, lookup[..., 0], lookup[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        frame[part] = _composed(np.asarray(person, np.uint8), self._background[part])
        return frame

    def _posture(self, t_s: float) -> _Posture:
        for motion, segment in zip(SCRIPT, self.script, strict=True):
            if segment.start_s < t_s < segment.end_s:
                k = motion.shape((t_s - segment.start_s) / motion.seconds)
                return _Posture(k * motion.yaw, k * motion.pitch, k * motion.roll, k * motion.shrug)
        return _Posture(0.0, 0.0, 0.0, 0.0)


def _moved(points: NDArray[np.float32], posture: _Posture) -> NDArray[np.float32]:
    """Return how far each place (..., 2) of the photograph moves in ``posture``: (..., 2) px."""
    x, y = points[..., 0], points[..., 1]
    # The head is a dome that stays deep toward the chin, which is nearly as far forward as the nose.
    across = np.clip(np.abs(x - _HEAD_CENTER[0]) / _HEAD_RADII[0], 0, 1)
    along = np.clip(np.abs(y - _HEAD_CENTER[1]) / _HEAD_RADII[1], 0, 1)
    depth = _HEAD_DEPTH * (1 - across**2) * (1 - along**3)

    yaw, pitch, roll = np.deg2rad(posture[:3])
    px, py, pz = _NECK_PIVOT
    u, v, w = x - px, y - py, depth - pz
    # Yaw rotates about the axis of the neck, which is in the plane of the ears, not behind it.
    u, w = u * np.cos(yaw) + depth * np.sin(yaw), w + depth * (np.cos(yaw) - 1) - u * np.sin(yaw)
    v, w = v * np.cos(pitch) + w * np.sin(pitch), w * np.cos(pitch) - v * np.sin(pitch)
    u, v = u * np.cos(roll) - v * np.sin(roll), u * np.sin(roll) + v * np.cos(roll)
    nearer = _VIEW_DISTANCE / (_VIEW_DISTANCE - (w - (depth - pz)))
    # The head moves rigidly, the neck bends, and the shoulders stay.
    aside = np.abs(x - px)
    hair_end = 290 - 100 * _smooth_step((aside - 115) / 60)
    beside_neck = _smooth_step((aside - 60) / 70) * _smooth_step((y - hair_end) / (340 - hair_end))
    beside_head = _smooth_step((aside - 150) / 200)
    below = _smooth_step((y - _NECK_TOP) / (_NECK_FOOT - _NECK_TOP))
    with_head = (1 - below) * (1 - beside_neck) * (1 - beside_head)
    dx = with_head * (u * nearer + px - x)
    dy = with_head * (v * nearer + py - y)

    sideways = _smooth_step((aside - 45) / 95)
    shoulders = sideways * _smooth_step((y - 300) / 45) * (1 - _smooth_step((y - 430) / 170))
    dy = dy - posture.shrug * shoulders
    moved: NDArray[np.float32] = np.stack([dx, dy], axis=-1).astype(np.float32)
    return moved


def _composed(person: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw (H, W, 4) with alpha over (H, W, 3)."""
    alpha = person[..., 3].astype(np.float32) / 255
    over = cv2.blendLinear(np.ascontiguousarray(person[..., :3]), background, alpha, 1 - alpha)
    return np.asarray(over, np.uint8)


def _load_photo() -> NDArray[np.uint8]:
    path = Path(str(resources.files("mar_edge.streaming.capture").joinpath("pictures", "grace_hopper.jpg")))
    photo = cv2.imread(str(path))
    if photo is None or photo.shape != _PHOTO_SHAPE:
        raise MarEdgeError(f"the picture of the demo {path} is missing or damaged; reinstall mar-edge")
    return np.asarray(photo, np.uint8)


def _person_mask(H: int, W: int) -> NDArray[np.float32]:
    """Return (H, W) float32: 1 inside the person, with a soft edge inside the outline."""
    mask = np.zeros((H, W), np.uint8)
    cv2.fillPoly(mask, [np.array(_OUTLINE, np.int32)], (255,), lineType=cv2.LINE_AA)
    inside = cv2.erode(mask, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.GaussianBlur(inside, (0, 0), 1.2).astype(np.float32) / 255, np.float32)


def _without_person(photo: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the background without the person. Only a rim of it ever shows, so a quarter of the size is enough."""
    H, W, _ = photo.shape
    hole = cv2.dilate((alpha > 0).astype(np.uint8), np.ones((13, 13), np.uint8))
    quarter = (W // 4, H // 4)
    small = cv2.inpaint(
        cv2.resize(photo, quarter, interpolation=cv2.INTER_AREA),
        cv2.resize(hole, quarter, interpolation=cv2.INTER_NEAREST),
        3,
        cv2.INPAINT_TELEA,
    )
    painted = cv2.resize(small, (W, H), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 2)
    return np.asarray(cv2.blendLinear(painted, photo, soft, 1 - soft), np.uint8)


def _smooth_step(x: NDArray[np.floating[Any]] | float) -> NDArray[np.floating[Any]]:
    """Return 0 below 0, 1 above 1, and a smooth curve between."""
    u = np.clip(x, 0.0, 1.0)
    return np.asarray(u * u * (3 - 2 * u))
