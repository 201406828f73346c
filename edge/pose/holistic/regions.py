"""Regions that networks look at: rotated squares in the picture, how they follow from points, and the mapping back.

Pixels of the picture, x right, y down; a positive angle turns clockwise on the screen. The formulas are those of the
calculators in MediaPipe's graphs, and were checked against the running library. Knows no networks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
"""(N, 2) px."""
Coordinates = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class Region:
    """A square: center and side in px, and the angle of its own x axis in radians, in [-pi, pi)."""

    cx: float
    cy: float
    side: float
    angle: float

    @property
    def is_usable(self) -> bool:
        """Whether a picture can be cut from it: it is finite and larger than a point."""
        return math.isfinite(self.cx + self.cy + self.side + self.angle) and self.side >= 1.0

    def matrix(self, size: int) -> NDArray[np.float64]:
        """Return the (2, 3) matrix from pixels of a crop of ``size`` px to pixels of the picture."""
        along, across = (self.side / size * part(self.angle) for part in (math.cos, math.sin))
        x, y = self.cx - (along - across) * size / 2, self.cy - (across + along) * size / 2
        return np.array([[along, -across, x], [across, along, y]])

    def to_picture(self, points: NDArray[np.float32], size: int) -> Points:
        """Map points (N, 2) from pixels of the crop of ``size`` px to pixels of the picture."""
        matrix = self.matrix(size)
        moved: Points = (points[:, :2] @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
        return moved

    def own_axes(self, points: Coordinates) -> NDArray[np.float64]:
        """Return points (N, 2) of the picture relative to the center, along the region's own axes, in px."""
        return _turned(np.asarray(points, np.float64) - (self.cx, self.cy), -self.angle)


@dataclass(frozen=True)
class Likeness:
    """How near one region must be to another to replace it.

    angle_deg: largest difference. offset: largest distance of the centers along the other's axes, in its sides.
    sides: smallest and largest ratio of the sides.
    """

    angle_deg: float
    offset: float
    sides: tuple[float, float]

    def allows(self, one: Region, other: Region) -> bool:
        """Return whether ``one`` may replace ``other``."""
        center = np.abs(other.own_axes(np.array([[one.cx, one.cy]]))).max()
        smallest, largest = self.sides
        return bool(
            abs(wrap(one.angle - other.angle)) <= math.radians(self.angle_deg)
            and center <= self.offset * other.side
            and smallest * other.side <= one.side <= largest * other.side
        )


def from_two_points(
    first: Coordinates, second: Coordinates, *, target_deg: float, scale: float, shift: float = 0.0
) -> Region:
    """Return the square around ``first`` (2,) that reaches to ``second`` (2,).

    It is rotated so that ``second`` lies in the direction ``target_deg`` (90: up). It is then moved along its own y
    axis by ``shift`` of its side, and scaled.
    """
    dx, dy = float(second[0] - first[0]), float(second[1] - first[1])
    side = 2 * math.hypot(dx, dy)
    angle = wrap(math.radians(target_deg) - math.atan2(-dy, dx))
    return Region(
        float(first[0]) - shift * side * math.sin(angle),
        float(first[1]) + shift * side * math.cos(angle),
        scale * side,
        angle,
    )


def from_box(points: Coordinates, *, angle: float, scale: float, shift: float = 0.0) -> Region:
    """Return the square around the bounding box of ``points`` (N, 2) with sides along ``angle``.

    It is moved along its own y axis by ``shift`` of the box's height, then scaled.
    """
    own = _turned(np.asarray(points, np.float64), -angle)
    low, high = own.min(axis=0), own.max(axis=0)
    width, height = high - low
    cx, cy = _turned(((low + high) / 2 + (0.0, shift * height))[None], angle)[0]
    return Region(float(cx), float(cy), scale * float(max(width, height)), angle)


def from_upright_box(points: Coordinates, *, angle: float, scale: float, shift: float = 0.0) -> Region:
    """Return as ``from_box``, but with a box along the picture's axes; only the square is rotated by ``angle``."""
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    width, height = high - low
    cx, cy = (low + high) / 2 + _turned(np.array([[0.0, shift * height]]), angle)[0]
    return Region(float(cx), float(cy), scale * float(max(width, height)), angle)


def level(first: Coordinates, second: Coordinates) -> float:
    """Return the angle of a region in which ``first`` (2,) and ``second`` (2,) are level."""
    return wrap(-math.atan2(-float(second[1] - first[1]), float(second[0] - first[0])))


def wrap(angle: float) -> float:
    """Return the same angle in [-pi, pi)."""
    return angle - 2 * math.pi * math.floor((angle + math.pi) / (2 * math.pi))


def cut(image: NDArray[np.uint8], region: Region, size: int, *, repeat_edge: bool = True) -> NDArray[np.uint8]:
    """Cut a region of ``image`` (H, W, 3) to (size, size, 3), bilinear. Outside the edge is repeated, or black."""
    return np.asarray(
        cv2.warpAffine(
            image,
            region.matrix(size),
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE if repeat_edge else cv2.BORDER_CONSTANT,
        ),
        np.uint8,
    )


def _turned(points: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    cos, sin = math.cos(angle), math.sin(angle)
    turned: NDArray[np.float64] = points @ np.array([[cos, sin], [-sin, cos]])
    return turned
