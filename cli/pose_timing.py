"""Latency of a pose stage by the number of people, stage by stage. Prints nothing.

The code that serves is timed. The boxes of the detector are replaced by people side by side, so that the latency does
not depend on the picture. Joints of any score count as seen. All candidates take turns within a round, so that other
load affects them equally: read the ratios first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mar_edge.cli.model_timing import Environment
from mar_edge.edge.layout import Layout
from mar_edge.edge.pose.crops import cut, regions
from mar_edge.edge.pose.detection import Detections, Family, Fitted, PersonDetector
from mar_edge.edge.pose.focus import Focus
from mar_edge.edge.pose.holistic.stage import STAGES as HOLISTIC_STAGES
from mar_edge.edge.pose.holistic.stage import HolisticPose
from mar_edge.edge.pose.holistic.stage import Stage as HolisticStage
from mar_edge.edge.pose.simcc import SimccNetwork
from mar_edge.edge.pose.topdown import DETECT_EVERY, Stage, TopDownPose
from mar_edge.edge.progress import Progress
from mar_edge.edge.runtime.base import Runtime

_WARM_UP_ROUNDS = 3
# Small people are searched for in parts of the picture, one part in every fifth frame.
_FRAMES_TO_FIND = 200
_FRAME_S = 1 / 30
_OF_DETECTION = ("resize", "detect")
# Size of a person, in fractions of the picture; with many people they are narrower.
_WIDEST, _HEIGHT = 0.2, 0.8


class PoseRow(msgspec.Struct, frozen=True, kw_only=True):
    """One number of people on one runtime, in milliseconds: medians, and one 95th percentile.

    stages_ms: by stage (``STAGES`` of ``edge.pose.topdown`` or ``edge.pose.holistic.stage``).

    frame_ms, frame_p95_ms: a whole frame, with its share of a detection, which only every ``DETECT_EVERY``-th has.

    one_by_one_ms: the network with one inference per person; None for a single person. ``stages_ms["network"]`` is one
    inference for all.
    """

    runtime: str
    people: int
    stages_ms: dict[str, float]
    frame_ms: float
    frame_p95_ms: float
    one_by_one_ms: float | None = None


class PoseReport(msgspec.Struct, frozen=True, kw_only=True):
    """Results of ``bench --pose``. picture: width and height, px."""

    environment: Environment
    pose: str
    picture: tuple[int, int]
    rounds: int
    rows: tuple[PoseRow, ...]


class _Crowd(PersonDetector):
    """Detects as usual, then returns ``boxes`` instead."""

    boxes = np.empty((0, 4), np.float32)

    def find(self, fitted: Fitted) -> Detections:
        super().find(fitted)
        return Detections(self.boxes, np.ones(len(self.boxes), np.float32))


class _Found(Focus):
    """Follows every detection at its detected place: the same boxes in each frame give the same joints."""

    def choose(
        self, followed: NDArray[np.float32], found: NDArray[np.float32], size: tuple[int, int]
    ) -> NDArray[np.float32]:
        return found


class Crowd:
    """A top-down pose stage on a picture with a fixed number of people.

    Args:
        pose, detector: the networks; the caller closes them.
        family, detector_size: of the detector.
        layout: joints to fill.
        people: number of people.
    """

    def __init__(
        self,
        pose: Runtime,
        detector: Runtime,
        *,
        family: Family,
        detector_size: int | None,
        layout: Layout,
        people: int,
    ) -> None:
        self.people, self.runtime = people, pose.name
        self._crowd = _Crowd(detector, family, detector_size)
        self._network = SimccNetwork(pose)
        self._stage = TopDownPose(pose, self._crowd, layout, focus=_Found(people), min_score=0.0, detect_every=1)
        self._frames = 0
        self.stages_s: list[dict[Stage, float]] = []
        self.one_by_one_s: list[float] = []

    def look(self, image: NDArray[np.uint8]) -> None:
        """Process one frame and note the time of each stage."""
        self._crowd.boxes = side_by_side(self.people, image.shape[1], image.shape[0])
        self._stage.estimate(image, self._frames * _FRAME_S)
        self._frames += 1
        self.stages_s.append(dict(self._stage.stage_s))

    def look_one_by_one(self, image: NDArray[np.uint8]) -> None:
        """Time the network alone, one person after another."""
        boxes = side_by_side(self.people, image.shape[1], image.shape[0])
        batch = self._network.batch(cut(image, regions(boxes, self._network.size), self._network.size))
        start_s = time.perf_counter()
        for index in range(self.people):
            self._network.infer(batch[index : index + 1])
        self.one_by_one_s.append(time.perf_counter() - start_s)

    def row(self) -> PoseRow:
        """Return the figures of all rounds but the first ones."""
        return _row(self.runtime, self.people, self.stages_s[_WARM_UP_ROUNDS:], self.one_by_one_s[_WARM_UP_ROUNDS:])


def time_crowds(
    crowds: Sequence[Crowd], image: NDArray[np.uint8], rounds: int, progress: Progress
) -> tuple[PoseRow, ...]:
    """Return a row for each crowd, in their order."""
    for turn in range(_WARM_UP_ROUNDS + rounds):
        for crowd in crowds:
            crowd.look(image)
            if crowd.people > 1:
                crowd.look_one_by_one(image)
        progress("rounds", turn + 1, _WARM_UP_ROUNDS + rounds)
    return tuple(crowd.row() for crowd in crowds)


def time_holistic(
    stages: Sequence[tuple[int, HolisticPose]], image: NDArray[np.uint8], rounds: int, progress: Progress
) -> tuple[PoseRow, ...]:
    """Time the holistic stage on ``image``, a picture of one person, repeated once per person.

    Return a row for each stage that follows everybody in every frame, after a while to find them. The detector may miss
    some of many small people; such a stage has no row.
    """
    pictures = {people: np.tile(image, (1, people, 1)) for people, _ in stages}
    taken: list[list[dict[HolisticStage, float]]] = [[] for _ in stages]
    complete = [_finds_all(pose, pictures[people], people) for people, pose in stages]
    for turn in range(_WARM_UP_ROUNDS + rounds):
        for index, ((people, pose), rows) in enumerate(zip(stages, taken, strict=True)):
            if complete[index]:
                complete[index] = len(pose.estimate(pictures[people], (_FRAMES_TO_FIND + turn) * _FRAME_S)) == people
                rows.append({stage: pose.stage_s.get(stage, 0.0) for stage in HOLISTIC_STAGES})
        progress("rounds", turn + 1, _WARM_UP_ROUNDS + rounds)
    return tuple(
        _row(pose.name, people, rows[_WARM_UP_ROUNDS:], [])
        for (people, pose), rows, all_seen in zip(stages, taken, complete, strict=True)
        if all_seen
    )


def _finds_all(pose: HolisticPose, picture: NDArray[np.uint8], people: int) -> bool:
    return any(len(pose.estimate(picture, frame * _FRAME_S)) == people for frame in range(_FRAMES_TO_FIND))


def side_by_side(people: int, width: int, height: int) -> NDArray[np.float32]:
    """Return (P, 4) boxes xyxy px of people next to each other in a picture of that size."""
    wide = width * min(_WIDEST, 1 / people)
    left = np.linspace(0, width - wide, people)
    top, bottom = (np.full(people, height * (1 + sign * _HEIGHT) / 2) for sign in (-1, 1))
    return np.column_stack([left, top, left + wide, bottom]).astype(np.float32)


def _row(runtime: str, people: int, stages_s: Sequence[Mapping[Any, float]], one_by_one_s: Sequence[float]) -> PoseRow:
    frames = [
        sum(seconds / DETECT_EVERY if name in _OF_DETECTION else seconds for name, seconds in each.items())
        for each in stages_s
    ]
    p50, p95 = (float(value) * 1e3 for value in np.percentile(frames, (50, 95)))
    return PoseRow(
        runtime=runtime,
        people=people,
        stages_ms={name: float(np.median([each[name] for each in stages_s])) * 1e3 for name in stages_s[0]},
        frame_ms=p50,
        frame_p95_ms=p95,
        one_by_one_ms=float(np.median(one_by_one_s)) * 1e3 if one_by_one_s else None,
    )
