"""The whole holistic stage on two sets of networks: how far its joints lie apart, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.calibration.pose.frames import Shot
from mar_edge.edge.layout import Layout, load_layout
from mar_edge.edge.pose.holistic.networks import Networks
from mar_edge.edge.pose.holistic.stage import HolisticPose

_LAYOUT = "ma52"


@dataclass(frozen=True)
class PartError:
    """A region of the layout. joints: number compared. median_px, p95_px: distances, px of the picture.

    alone: share of joints that one of the two has and the other has not.
    """

    name: str
    joints: int
    median_px: float
    p95_px: float
    alone: float


def compare_stages(frames: Iterable[Shot], folder: Path, threads: int = 0) -> tuple[PartError, ...]:
    """Compare the stage on the networks in ``folder`` with the package's, one person, on the same frames.

    Each follows the person by its own keypoints, so that small differences grow as in use.
    """
    layout = load_layout(_LAYOUT)
    both: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    with (
        HolisticPose(layout, networks=Networks("onnxruntime", threads)) as full,
        HolisticPose(layout, networks=Networks("onnxruntime", threads, folder=folder)) as other,
    ):
        for shot in frames:
            if shot.first:
                full.forget()
                other.forget()
            both.append((_joints(full, shot), _joints(other, shot)))
    return _parts(layout, *(np.stack(joints) for joints in zip(*both, strict=True)))


def _joints(pose: HolisticPose, shot: Shot) -> NDArray[np.float32]:
    """Return (V, 2) px, NaN where not seen."""
    people = pose.estimate(shot.image, shot.t_s)
    return people[0].joints if people else np.full((pose.layout.num_joints, 2), np.nan, np.float32)


def _parts(layout: Layout, full: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[PartError, ...]:
    """Return a row per region for joints (T, V, 2) px."""
    rows = []
    for name, joints in layout.regions.items():
        ours, theirs = full[:, list(joints)], other[:, list(joints)]
        has, also = np.isfinite(ours[..., 0]), np.isfinite(theirs[..., 0])
        apart = np.linalg.norm(ours - theirs, axis=-1)[has & also]
        if not len(apart):
            continue
        median, p95 = np.percentile(apart, (50, 95))
        rows.append(PartError(name, len(apart), float(median), float(p95), float((has != also).mean())))
    return tuple(rows)
