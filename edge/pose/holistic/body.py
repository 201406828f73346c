"""The body's 33 keypoints: detection, landmarks, refinement, smoothing over time. Knows no hands and no face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.pose.holistic.anchors import anchor_centers, detections
from mar_edge.edge.pose.holistic.networks import Networks, sigmoid
from mar_edge.edge.pose.holistic.regions import Points, Region, cut, from_two_points

POINTS = 33
MIN_PRESENCE = 0.5

_UP_DEG = 90.0
_SCALE = 1.25
# Of the network's keypoints: the body's, and two that give its middle, size and direction.
_MIDDLE, _TOWARD = 33, 34
KEYPOINTS = 35
ANCHORS = anchor_centers(((28, 2), (14, 2), (7, 6)))
_FACE = slice(0, 11)
_HEAD_PER_FACE = 1.5
_HEATMAP_PX = 4  # of the crop, for a cell
# The graph's data says 7, but the library behaves like 9.
_REFINE_CELLS = 9
_REFINE_FROM = 0.5
_VISIBILITY_NEW = 0.1


@dataclass(frozen=True)
class Body:
    """A body in one frame.

    points: (33, 2) px of the picture. visibility: (33,) in [0, 1]. presence: the network's score for a person.
    middle: (2,) px of the body. toward: (2,) px, at the body's size and direction from ``middle``.
    """

    points: Points
    visibility: NDArray[np.float32]
    presence: float
    middle: NDArray[np.float32]
    toward: NDArray[np.float32]

    @property
    def size_px(self) -> float:
        """Twice the distance from ``middle`` to ``toward``: the scale of speeds for the filter."""
        return 2 * math.hypot(*(self.toward - self.middle).tolist())

    @property
    def head(self) -> NDArray[np.float32]:
        """(4,) xyxy px, like the detector's: a square around the keypoints of the face."""
        low, high = self.points[_FACE].min(axis=0), self.points[_FACE].max(axis=0)
        half = np.float32(_HEAD_PER_FACE / 2) * (high - low).max()
        middle = (low + high) / 2
        return np.concatenate([middle - half, middle + half])

    @property
    def region(self) -> Region:
        """Where to look for this person in the next frame."""
        return from_two_points(self.middle, self.toward, target_deg=_UP_DEG, scale=_SCALE)


@dataclass(frozen=True)
class Found:
    """A person that the detector found. head: (4,) xyxy px. region: where to look for the body."""

    head: NDArray[np.float32]
    region: Region


def find_people(networks: Networks, image: NDArray[np.uint8], where: Region) -> list[Found]:
    """Find people in a region of ``image`` (H, W, 3), best first."""
    network = networks["pose_detection"]
    outputs = network([cut(image, where, network.size, repeat_edge=False)])
    people = []
    for found in detections(outputs["boxes"][0], outputs["scores"][0, :, 0], ANCHORS, network.size):
        middle, toward, *_ = where.to_picture(found.points * network.size, network.size)
        region = from_two_points(middle, toward, target_deg=_UP_DEG, scale=_SCALE)
        if region.is_usable:
            head = where.to_picture(found.box.reshape(2, 2) * network.size, network.size)
            people.append(Found(head.reshape(4), region))
    return people


def look(networks: Networks, image: NDArray[np.uint8], regions: Sequence[Region]) -> list[Body | None]:
    """Find the person in each region, without smoothing; None where there is none."""
    network = networks["pose_landmark"]
    outputs = network([cut(image, region, network.size) for region in regions])
    found: list[Body | None] = []
    for region, rows, presence, heatmap in zip(
        regions, outputs["landmarks"], outputs["presence"][:, 0], outputs["heatmap"], strict=True
    ):
        if not presence > MIN_PRESENCE:
            found.append(None)
            continue
        points = region.to_picture(refined(rows[:KEYPOINTS, :2], heatmap[:KEYPOINTS]), network.size)
        found.append(
            Body(points[:POINTS], sigmoid(rows[:POINTS, 3]), float(presence), points[_MIDDLE], points[_TOWARD])
        )
    return found


def refined(points: NDArray[np.float32], heatmap: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move keypoints (K, 2) px of the crop to the center of the heat map (K, H, W) of logits around each.

    A keypoint outside the map, or without a probability of ``_REFINE_FROM`` around it, stays.
    """
    K, H, W = heatmap.shape
    cells = np.floor(points / _HEATMAP_PX).astype(int)
    inside = ((cells >= 0) & (cells < (W, H))).all(axis=1)
    around = cells[:, :, None] + np.arange(_REFINE_CELLS) - _REFINE_CELLS // 2  # (K, 2, 9)
    columns, rows = around[:, 0], around[:, 1]
    within = ((rows >= 0) & (rows < H))[:, :, None] & ((columns >= 0) & (columns < W))[:, None, :]  # (K, 9, 9)
    picked = np.arange(K)[:, None, None], rows.clip(0, H - 1)[:, :, None], columns.clip(0, W - 1)[:, None, :]
    weights = np.where(within, sigmoid(heatmap[picked]), 0)
    moves = inside & (weights.max(axis=(1, 2)) >= _REFINE_FROM)
    weights, columns, rows = weights[moves], columns[moves], rows[moves]
    out = points.copy()
    sums = np.stack([(weights.sum(axis=1) * columns).sum(axis=1), (weights.sum(axis=2) * rows).sum(axis=1)], axis=1)
    out[moves] = _HEATMAP_PX * sums / weights.sum(axis=(1, 2))[:, None]
    return out


@dataclass
class Steady:
    """One person's body over time: keypoints by one-euro filters, visibilities by a running mean.

    smooth: whether to smooth the keypoints. The next region is smoothed in any case, because the network's keypoints
    move with its crop.
    """

    smooth: bool = True
    _points: OneEuro = field(default_factory=lambda: OneEuro(min_cutoff_hz=0.05, beta=80.0))
    _frame: OneEuro = field(default_factory=lambda: OneEuro(min_cutoff_hz=0.01, beta=10.0))
    _visibility: NDArray[np.float32] | None = None

    def take(self, body: Body, t_s: float) -> Body:
        """Return the smoothed body at ``t_s`` s of the capture clock, later than the last."""
        size = body.size_px
        frame = self._frame.smooth(np.stack([body.middle, body.toward]), t_s, size)
        points = self._points.smooth(body.points, t_s, size)
        if self._visibility is None:
            self._visibility = body.visibility
        else:
            kept = 1 - _VISIBILITY_NEW
            self._visibility = (_VISIBILITY_NEW * body.visibility + kept * self._visibility).astype(np.float32)
        shown = points if self.smooth else body.points
        return Body(shown, self._visibility, body.presence, frame[0], frame[1])

    def lose(self) -> None:
        """Note that the person was not seen: filters start over. Visibilities stay, as measured in MediaPipe."""
        self._points.forget()
        self._frame.forget()


class OneEuro:
    """The one-euro filter (Casiez, Roussel and Vogel, CHI 2012) of MediaPipe's graph.

    Each coordinate has its own speed, between raw values.

    Args:
        min_cutoff_hz: cutoff at rest. beta: increase of the cutoff, in Hz per body size a second.
    """

    _SPEED_CUTOFF_HZ = 1.0

    def __init__(self, min_cutoff_hz: float, beta: float) -> None:
        self._min_cutoff_hz = min_cutoff_hz
        self._beta = beta
        self.forget()

    def forget(self) -> None:
        """Start over with the next value."""
        self._raw: NDArray[np.float32] | None = None
        self._value = self._speed = np.zeros(0, np.float64)
        self._t_s = -math.inf

    def smooth(self, points: NDArray[np.float32], t_s: float, size_px: float) -> NDArray[np.float32]:
        """Smooth points (K, 2) px at ``t_s`` s. Without a later time it starts over. ``size_px``: scale of speeds."""
        past_s = t_s - self._t_s
        if self._raw is None or past_s <= 0:
            self._value, self._speed = points.astype(np.float64), np.zeros(points.shape)
        else:
            moved = (points.astype(np.float64) - self._raw) / (past_s * max(size_px, 1e-6))
            self._speed += _new_share(self._SPEED_CUTOFF_HZ, past_s) * (moved - self._speed)
            cutoff = self._min_cutoff_hz + self._beta * np.abs(self._speed)
            self._value = self._value + _new_share(cutoff, past_s) * (points - self._value)
        self._raw, self._t_s = points, t_s
        return self._value.astype(np.float32)


def _new_share(cutoff_hz: float | NDArray[np.float64], past_s: float) -> float | NDArray[np.float64]:
    turned = 2 * math.pi * cutoff_hz * past_s
    return turned / (1 + turned)
