"""Whole-body pose of several people, top down, on any runtime (``edge.runtime.base``).

A detector finds people, and a SimCC network (RTMPose, RTMW, DWPose) their keypoints, all crops in one inference. A
tracker gives each person their id. People are detected every few frames; in between, boxes follow the keypoints.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.choices import RuntimeName
from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import Layout
from mar_edge.edge.pose import crops
from mar_edge.edge.pose.base import check_image
from mar_edge.edge.pose.detection import Family, PersonDetector
from mar_edge.edge.pose.focus import Focus
from mar_edge.edge.pose.mapping import mapping_to
from mar_edge.edge.pose.simcc import SimccNetwork
from mar_edge.edge.pose.smoothing import PeopleFilters
from mar_edge.edge.pose.tracking import PeopleTracker, Pose, distinct, pose_of
from mar_edge.edge.runtime.base import Runtime
from mar_edge.edge.runtime.choice import open_runtime

MIN_SCORE = 0.3
DETECT_EVERY = 5

Stage = Literal["resize", "detect", "crop", "network", "decode", "track", "map"]
STAGES: tuple[Stage, ...] = get_args(Stage)


class TopDownPose:
    """Finds everybody in the picture, up to the focus's number (see ``edge.pose.base.PoseEstimator``).

    A joint below ``min_score`` keeps its score and has NaN coordinates. One outside the picture is missing (NaN, score
    0). A new person is reported from the third frame on.

    ``detections``: how often the detector ran. ``stage_s``: seconds for each stage that the last frame needed.

    Args:
        pose: takes (B, 3, H, W) RGB, gives SimCC vectors (B, K, 2 W) and (B, K, 2 H).
        detector: finds people; closed with this.
        layout: the layout to fill.
        focus: which people to follow.
        min_score: joints below it count as not seen.
        detect_every: frames from one detection to the next while everybody is in sight.
        smooth: filter the joints with a one-euro filter.
        refine, full_score: see ``simcc.decode``.

    Raises:
        MarEdgeError: the model is no SimCC network, or cannot fill the layout.
    """

    def __init__(
        self,
        pose: Runtime,
        detector: PersonDetector,
        layout: Layout,
        *,
        name: str = "top-down",
        focus: Focus | None = None,
        min_score: float = MIN_SCORE,
        detect_every: int = DETECT_EVERY,
        smooth: bool = False,
        refine: bool = True,
        full_score: float = 1.0,
    ) -> None:
        if not 0 <= min_score <= 1:
            raise MarEdgeError(f"the pose's min_score must be from 0 to 1, not {min_score}")
        if detect_every < 1:
            raise MarEdgeError(f"detect_every must be at least 1 frame, not {detect_every}")
        self.layout = layout
        self.name = name
        self._network = SimccNetwork(pose, refine=refine, full_score=full_score)
        self._fill = mapping_to(layout, self._network.points)
        self._detector = detector
        self._focus = focus or Focus()
        self._min_score = min_score
        self._detect_every = detect_every
        self._filters = PeopleFilters() if smooth else None
        self._tracker = PeopleTracker(min_score)
        self._until_detection = 0
        self.detections = 0
        self.stage_s: dict[Stage, float] = {}

    @classmethod
    def open(
        cls,
        pose: Path,
        detector: Path,
        family: Family,
        layout: Layout,
        *,
        detector_size: int | None = None,
        runtime: RuntimeName = "auto",
        threads: int = 0,
        name: str | None = None,
        focus: Focus | None = None,
        min_score: float = MIN_SCORE,
        smooth: bool = False,
        full_score: float = 1.0,
    ) -> TopDownPose:
        """Open two ONNX files on a runtime by name (see ``edge.runtime.choice``)."""
        with ExitStack() as stack:
            network = stack.enter_context(open_runtime(pose, runtime, threads).runtime)
            finder = stack.enter_context(open_runtime(detector, runtime, threads).runtime)
            opened = cls(
                network,
                PersonDetector(finder, family, detector_size),
                layout,
                name=f"{name or f'{pose.stem} after {detector.stem}'} on {network.name}",
                focus=focus,
                min_score=min_score,
                smooth=smooth,
                full_score=full_score,
            )
            stack.pop_all()  # from here on ``opened`` closes them
        return opened

    def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
        """See ``PoseEstimator.estimate``."""
        check_image(image)
        H, W, _ = image.shape
        self.stage_s = {}
        followed = self._tracker.expected(t_s)
        found = np.empty((0, 4), np.float32)
        if self._until_detection <= 0 or not len(followed) or not self._tracker.all_seen:
            found = self._found(image)
            self._until_detection = self._detect_every
        self._until_detection -= 1
        boxes = self._focus.choose(followed, found, (W, H))
        poses = self._poses(image, boxes)
        with self._stage("track"):
            poses = distinct(poses, self._min_score)
            people = self._tracker.update(t_s, poses)
        known = [(person, pose) for person, pose in zip(people, poses, strict=True) if person is not None]
        with self._stage("map"):
            return self._skeletons(known, (W, H), t_s)

    def _found(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        with self._stage("resize"):
            fitted = self._detector.fit(image)
        with self._stage("detect"):
            boxes = self._detector.find(fitted).boxes
        self.detections += 1
        return boxes

    def _poses(self, image: NDArray[np.uint8], boxes: NDArray[np.float32]) -> list[Pose]:
        if not len(boxes):
            return []
        network = self._network
        with self._stage("crop"):
            places = crops.regions(boxes, network.size)
            batch = network.batch(crops.cut(image, places, network.size))
        with self._stage("network"):
            vectors = network.infer(batch)
        with self._stage("decode"):
            points, scores = network.decode(*vectors)
            keypoints = np.dstack([crops.to_picture(points, places, network.size), scores])
        poses = (pose_of(one, box, self._min_score) for one, box in zip(keypoints, boxes, strict=True))
        return [pose for pose in poses if pose is not None]

    def _skeletons(self, people: list[tuple[int, Pose]], size: tuple[int, int], t_s: float) -> list[Skeleton]:
        if not people:
            return []
        joints, scores = self._fill(np.stack([pose.keypoints for _, pose in people]))
        # Only now, so that the neck is still derived where a shoulder is just outside the picture.
        outside = ~((joints >= 0) & (joints < size)).all(axis=-1)
        scores[outside] = 0
        joints[outside | (scores < self._min_score)] = np.nan
        if self._filters is not None:
            sizes_px = [pose.size_px for _, pose in people]
            joints = self._filters.smooth([person for person, _ in people], joints, t_s, sizes_px)
        return [Skeleton(j, s, person) for j, s, (person, _) in zip(joints, scores, people, strict=True)]

    @contextmanager
    def _stage(self, name: Stage) -> Iterator[None]:
        start_s = time.perf_counter()
        yield
        self.stage_s[name] = time.perf_counter() - start_s

    def __enter__(self) -> TopDownPose:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._network.runtime.__exit__(*exc_info)
        self._detector.__exit__(*exc_info)
