"""Recognition frame by frame: images or skeletons in, changes of events out, through the pipeline of ``serve``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mar_edge.api.model import Model, load_model
from mar_edge.api.results import Event, LabelScores, Update
from mar_edge.api.tracks import Joints, check_layout, skeleton_track
from mar_edge.edge.choices import RuntimeName
from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import Layout
from mar_edge.edge.pose.base import PoseEstimator
from mar_edge.edge.prior import Prior, parse_prior
from mar_edge.streaming.recognition.events import EventChange, Phase
from mar_edge.streaming.recognition.pipeline import Pipeline, PipelineRules, Step
from mar_edge.streaming.recognition.probabilities import Inference
from mar_edge.streaming.recognition.thresholds import LabelChoice
from mar_edge.streaming.recognition.trigger import DEFAULT_THRESHOLD
from mar_edge.streaming.timing import Timer

PriorOption = str | Prior | Mapping[str, float]
ThresholdsOption = float | Mapping[str, float]


class Recognizer:
    """Takes frames in order and reports events as they begin, last and end. A context manager; used from one thread.

    The model is loaded at once, the pose stage with the first image.

    Args:
        model: a model file or a loaded ``Model``, which stays open; None for the package's model.
        pose: "holistic", a pose model by name or file as ``--pose`` takes it, or a pose stage of your own.
        people: most people to follow; None for the pose stage's own number.
        prior: how often each action happens: "interview", "uniform", "trained", a CSV file, or label -> times a
            minute. None for the model's default.
        thresholds: smoothed score at which an event begins: one for all labels, or by label or body group. None for
            the model's own.
        labels: labels or body groups that may be events, as "head,-nodding"; "" for all.
        stride_s: seconds between two inferences.
        motion_gate: run the network only where something moves.
        runtime: what runs the model and the pose stage.
        threads: of one inference on a CPU; 0 takes every core.

    Raises:
        MarEdgeError: a file that cannot be used, an unknown name, or a value out of range.
    """

    def __init__(
        self,
        model: str | PathLike[str] | Model | None = None,
        *,
        pose: str | PoseEstimator = "holistic",
        people: int | None = None,
        prior: PriorOption | None = None,
        thresholds: ThresholdsOption | None = None,
        labels: str = "",
        stride_s: float = 0.2,
        motion_gate: bool = True,
        runtime: RuntimeName = "auto",
        threads: int = 0,
    ) -> None:
        by_name = thresholds if isinstance(thresholds, Mapping) else None
        rules = PipelineRules(
            stride_s=stride_s,
            motion_gate=DEFAULT_THRESHOLD if motion_gate else None,
            on=None if isinstance(thresholds, Mapping) else thresholds,
            labels=LabelChoice.parse(labels, by_name),
            prior=_prior(prior),
        )
        self._pose_option, self._people, self._runtime, self._threads = pose, people, runtime, threads
        self._pose: PoseEstimator | None = None
        self._newest_s = -math.inf
        self._size: tuple[int, ...] | None = None
        with ExitStack() as stack:
            if isinstance(model, Model):
                self.model = model
            else:
                self.model = stack.enter_context(load_model(model, runtime=runtime, threads=threads))
            if self.model.recognizer.family.pictures is not None:
                raise MarEdgeError(
                    f"'{self.model.name}' is a model of pictures; the Python API recognizes by skeletons. "
                    "'mar-edge serve' and 'mar-edge analyze' run it; mar_edge.read_recording reads what they write"
                )
            self._pipeline = Pipeline(self.model.recognizer, rules, Timer())
            self._resources = stack.pop_all()

    @property
    def layout(self) -> Layout:
        """The skeleton layout of the model."""
        return self.model.recognizer.layout

    @property
    def pose(self) -> PoseEstimator:
        """The pose stage, opened when it is first used.

        Raises:
            MarEdgeError: it cannot be opened, or gives skeletons of another layout than the model's.
        """
        if self._pose is None:
            pose = self._pose_option if not isinstance(self._pose_option, str) else self._open_pose(self._pose_option)
            pose = self._resources.enter_context(pose)
            if pose.layout.name != self.layout.name:
                raise MarEdgeError(
                    f"the model '{self.model.name}' takes {self.layout.name} skeletons, the pose stage "
                    f"'{pose.name}' gives {pose.layout.name}"
                )
            self._pose = pose
        return self._pose

    def push(self, frame: NDArray[Any] | Mapping[int, Joints], t_s: float) -> Update:
        """Take one frame.

        Args:
            frame: an image, (H, W, 3) uint8 BGR; or the skeletons in it: (V, 2) pixels or (V, 3) with scores of one
                person, or person -> such an array. An empty mapping says that no person was seen.
            t_s: when it was taken, in seconds, later than the frame before.

        Raises:
            MarEdgeError: neither an image nor skeletons of the model's layout, or a time that does not increase.
        """
        if not self._newest_s < t_s < math.inf:
            raise MarEdgeError(f"frames come in order: {t_s} s after {self._newest_s} s")
        if isinstance(frame, Mapping):
            return self.push_skeletons([self._skeleton(joints, person) for person, joints in frame.items()], t_s)
        if np.ndim(frame) == 2:
            return self.push_skeletons([self._skeleton(frame, 0)], t_s)
        image = np.asarray(frame)
        # Joints of images of two sizes are not one movement.
        before = self._pipeline.break_off() if self._size not in (None, image.shape) else Step()
        self._size = image.shape
        return self._push([person.rounded() for person in self.pose.estimate(image, t_s)], t_s, before)

    def push_skeletons(self, people: Sequence[Skeleton], t_s: float) -> Update:
        """Take the people of one frame as a pose stage gives them. Neither they nor the time are checked."""
        return self._push(people, t_s, Step())

    def interrupt(self) -> Update:
        """Say that the next frame does not continue the ones before, as after a cut. Open events end."""
        return self._update(self._pipeline.break_off())

    def finish(self, *, infer: bool = True) -> Update:
        """End: run a last inference on what came since the last one, then end the open events.

        Args:
            infer: False where the source was stopped rather than ended.
        """
        return self._update(self._pipeline.finish(infer=infer))

    def close(self) -> None:
        """Close the pose stage, and the model if it was opened here."""
        self._resources.close()

    def __enter__(self) -> Recognizer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _open_pose(self, name: str) -> PoseEstimator:
        from mar_edge.edge.pose.choice import PoseConfig, pose_stage

        options = PoseConfig(name, people=self._people, runtime=self._runtime, threads=self._threads)
        return pose_stage(options)(self.layout)

    def _skeleton(self, joints: Joints, person: int) -> Skeleton:
        array = np.asarray(joints)
        if array.ndim != 2 or array.shape[1] not in (2, 3):
            raise MarEdgeError(
                "a frame is an image (H, W, 3), or joints (V, 2) or (V, 3) by person; "
                f"given was an array {array.shape} {array.dtype}"
            )
        one = skeleton_track(array[None], fps=1.0, person=person)
        check_layout(one, self.layout)
        return Skeleton(one.joints[0], one.scores[0], person)

    def _push(self, people: Sequence[Skeleton], t_s: float, before: Step) -> Update:
        """Take the people of one frame; report the changes ``before`` it with its own."""
        self._newest_s = t_s
        step = self._pipeline.push(t_s, people)
        return self._update(Step([*before.inferences, *step.inferences], [*before.events, *step.events]))

    def _update(self, step: Step) -> Update:
        def events(phase: Phase) -> tuple[Event, ...]:
            return tuple(self._event(change) for change in step.events if change.phase == phase)

        scores = tuple(self._scores(inference) for inference in step.inferences)
        return Update(self._newest_s, events("begin"), events("update"), events("end"), scores)

    def _event(self, change: EventChange) -> Event:
        label = self.model.metadata.labels[change.label]
        return Event(
            label=label.name,
            body=label.body,
            start_s=change.t_start_s,
            end_s=max(self._newest_s, change.t_start_s) if change.t_end_s is None else change.t_end_s,
            score=change.score,
            person=change.person,
            event_id=change.event_id,
            is_open=change.t_end_s is None,
        )

    def _scores(self, inference: Inference) -> LabelScores:
        times_s = inference.window.times_s
        values = () if inference.probs is None else map(float, inference.probs)
        named = dict(zip(self.model.labels, values, strict=False))
        return LabelScores(inference.window.person, float(times_s[0]), float(times_s[-1]), named)


def _prior(option: PriorOption | None) -> Prior | None:
    if option is None or isinstance(option, Prior):
        return option
    return parse_prior(option) if isinstance(option, str) else Prior("given", dict(option))
