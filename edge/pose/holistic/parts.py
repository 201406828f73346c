"""Hands and face, each followed from frame to frame and checked against its place on the body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.pose.holistic.anchors import anchor_centers, detections
from mar_edge.edge.pose.holistic.body import Body
from mar_edge.edge.pose.holistic.networks import Network, Networks, sigmoid
from mar_edge.edge.pose.holistic.regions import (
    Coordinates,
    Likeness,
    Points,
    Region,
    cut,
    from_box,
    from_two_points,
    from_upright_box,
    level,
)

MIN_PRESENCE = 0.5


@dataclass(frozen=True)
class Side:
    """Indices of body keypoints of a hand: wrist, little finger and index finger."""

    wrist: int
    little: int
    index: int


LEFT, RIGHT = Side(15, 17, 19), Side(16, 18, 20)

# How near the last frame's hand must be to the recrop network's region to be used instead.
_HAND_KEPT = Likeness(angle_deg=40, offset=0.2, sides=(0.6, 1.4))
_HAND_INNER = 0.9  # its keypoints lie within this fraction of the region's side
# MediaPipe detects the face in each frame. Here a followed face is checked against its place on the body.
_FACE_STAYS = Likeness(angle_deg=20, offset=0.15, sides=(0.5, 1.1))
_FACE_BODY = slice(0, 11)
_LEFT_EYE, _RIGHT_EYE = 2, 5
_MESH_EYES = (33, 263)
FACE_ANCHORS = anchor_centers(((16, 2), (8, 6)))
# Keypoints of a hand that bound the next region.
_PALM = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)


@dataclass(frozen=True)
class Part:
    """A hand or a face: keypoints (N, 2) px of the picture, and the network's score for it."""

    points: Points
    presence: float

    @property
    def is_there(self) -> bool:
        """Whether it counts as found."""
        return self.presence > MIN_PRESENCE


NOTHING = Part(np.empty((0, 2), np.float32), 0.0)


def hand_region_of_body(body: Body, side: Side) -> Region:
    """Return a hand's region from the body's keypoints."""
    wrist, little, index = (body.points[i].astype(np.float64) for i in (side.wrist, side.little, side.index))
    return from_two_points((2 * index + little) / 3, wrist, target_deg=-90.0, scale=2.7, shift=-0.1)


def hand_region_of_recrop(points: Coordinates) -> Region:
    """Return a hand's region from the recrop network's two points (2, 2) px of the picture."""
    return from_two_points(points[0], points[1], target_deg=-90.0, scale=1.0, shift=-0.1)


def hand_region_of_hand(points: Points) -> Region:
    """Return a hand's region from its keypoints in the last frame, (21, 2) px."""
    toward = ((points[5] + points[13]) / 2 + points[9]) / 2
    angle = from_two_points(points[0], toward, target_deg=90.0, scale=1.0).angle
    return from_box(points[list(_PALM)], angle=angle, scale=2.0, shift=-0.1)


def face_region_of_body(body: Body) -> Region:
    """Return the face's region from the body's keypoints."""
    angle = level(body.points[_RIGHT_EYE], body.points[_LEFT_EYE])
    return from_upright_box(body.points[_FACE_BODY], angle=angle, scale=3.0)


def face_region_of_detection(points: Points) -> Region:
    """Return the face's region from the detector's points (6, 2) px of the picture, the eyes first."""
    return from_upright_box(points, angle=level(points[0], points[1]), scale=2.0, shift=-0.1)


def face_region_of_face(points: Points) -> Region:
    """Return the face's region from its keypoints in the last frame, (468, 2) px."""
    first, second = _MESH_EYES
    return from_upright_box(points, angle=level(points[first], points[second]), scale=1.5)


@dataclass(frozen=True)
class Wanted:
    """A part to search for. body: of the person. previous: the part in the last frame, if it was found there."""

    body: Body
    previous: Part | None


def find_hands(networks: Networks, image: NDArray[np.uint8], wanted: Sequence[Wanted], side: Side) -> list[Part]:
    """Find the hands of one side, in one inference of each network. Their wrists must be visible.

    A part with a ``presence`` of ``MIN_PRESENCE`` or less was not found.
    """
    recrop, network = networks["hand_recrop"], networks["hand_landmark_lite"]
    rough = {i: region for i, one in enumerate(wanted) if (region := hand_region_of_body(one.body, side)).is_usable}
    if not rough:
        return [NOTHING] * len(wanted)
    placed = recrop([cut(image, region, recrop.size) for region in rough.values()])["points"]
    regions: dict[int, Region] = {}
    for (i, region), points in zip(rough.items(), placed, strict=True):
        fresh = hand_region_of_recrop(region.to_picture(points, recrop.size))
        previous = wanted[i].previous
        if previous is not None:
            fresh = _followed(hand_region_of_hand(previous.points), previous, fresh)
        if fresh.is_usable:
            regions[i] = fresh
    return _marked(network, image, regions, len(wanted), "presence")


def find_faces(networks: Networks, image: NDArray[np.uint8], wanted: Sequence[Wanted]) -> list[Part]:
    """Find the faces, in one inference of each network. The detector runs only where no face was followed.

    A part with a ``presence`` of ``MIN_PRESENCE`` or less was not found.
    """
    detector, network = networks["face_detection"], networks["face_landmark"]
    regions: dict[int, Region] = {}
    unknown: dict[int, Region] = {}
    for i, one in enumerate(wanted):
        rough = face_region_of_body(one.body)
        if one.previous is not None:
            kept = face_region_of_face(one.previous.points)
            if kept.is_usable and _FACE_STAYS.allows(kept, rough):
                regions[i] = kept
                continue
        if rough.is_usable:
            unknown[i] = rough
    if unknown:
        outputs = detector([cut(image, rough, detector.size, repeat_edge=False) for rough in unknown.values()])
        for (i, rough), boxes, scores in zip(unknown.items(), outputs["boxes"], outputs["scores"], strict=True):
            found = detections(boxes, scores[:, 0], FACE_ANCHORS, detector.size)
            if found:
                fresh = face_region_of_detection(rough.to_picture(found[0].points * detector.size, detector.size))
                if fresh.is_usable:
                    regions[i] = fresh
    return _marked(network, image, regions, len(wanted), "logit")


def _followed(kept: Region, previous: Part, fresh: Region) -> Region:
    """Return the region from the last frame if it is near enough to the fresh one, else the fresh one."""
    inside = np.abs(fresh.own_axes(previous.points)).max() <= _HAND_INNER * fresh.side / 2
    return kept if kept.is_usable and inside and _HAND_KEPT.allows(kept, fresh) else fresh


def _marked(
    network: Network,
    image: NDArray[np.uint8],
    regions: Mapping[int, Region],
    count: int,
    presence: Literal["presence", "logit"],
) -> list[Part]:
    """Find the keypoints in each region, in px of the picture, for ``count`` parts; some have no region."""
    parts = [NOTHING] * count
    if not regions:
        return parts
    outputs = network([cut(image, region, network.size) for region in regions.values()])
    sure = outputs["presence"][:, 0] if presence == "presence" else sigmoid(outputs["presence"][:, 0])
    for (i, region), points, score in zip(regions.items(), outputs["landmarks"], sure, strict=True):
        parts[i] = Part(region.to_picture(points, network.size), float(score))
    return parts
