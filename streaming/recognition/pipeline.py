"""Skeletons over time -> windows -> probabilities -> events, for everybody seen, stage by stage or all at once.

Knows nothing of cameras, sockets or clocks: the same skeletons at the same times give the same results, live or not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Answer, Skeleton, Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.prior import Prior, default_prior, shift_of
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.answers import Heard, open_scorer
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.events import EventChange
from mar_edge.streaming.recognition.fusion_rules import FusionRules
from mar_edge.streaming.recognition.people import PastEnd, PeopleWindows
from mar_edge.streaming.recognition.people_events import PeopleEvents
from mar_edge.streaming.recognition.probabilities import Inference, Scorer
from mar_edge.streaming.recognition.thresholds import LabelChoice, Thresholds, resolve
from mar_edge.streaming.recognition.trigger import DEFAULT_THRESHOLD, MotionGate, Stride
from mar_edge.streaming.timing import Timer


@dataclass(frozen=True)
class PipelineRules:
    """How skeletons become events: the same in service and in evaluation.

    stride_s: capture time between inferences. motion_gate: movement in body sizes below which nothing is inferred;
    None switches it off.
    on, off: smoothed scores at which an event begins and below which it ends (hysteresis); None for the model's own.
    labels: which labels may be events, with thresholds of their own (``streaming.recognition.thresholds``).
    events: constants of the event rules. prior: how often each label happens here; None for the model's default
    (``edge.prior.default_prior``). fusion: how a model of pictures works with one of skeletons.

    Raises:
        MarEdgeError: a value that makes no sense.
    """

    stride_s: float = 0.2
    motion_gate: float | None = DEFAULT_THRESHOLD
    on: float | None = None
    off: float | None = None
    labels: LabelChoice = field(default_factory=LabelChoice)
    events: EventRules = field(default_factory=EventRules)
    prior: Prior | None = None
    fusion: FusionRules = field(default_factory=FusionRules)

    def __post_init__(self) -> None:
        if not 0.01 <= self.stride_s <= 60.0:
            raise MarEdgeError(f"--stride-s is 0.01 to 60, not {self.stride_s}")
        if self.motion_gate is not None and not 0.0 <= self.motion_gate < math.inf:
            raise MarEdgeError(f"the motion gate is a threshold of 0 or more body sizes, not {self.motion_gate}")
        on = 1.0 if self.on is None else self.on
        off = on if self.off is None else self.off
        if not 0.0 < off <= on <= 1.0:
            raise MarEdgeError(f"thresholds are 0 < --off <= --on <= 1; given were on {self.on}, off {self.off}")


@dataclass(frozen=True)
class DueWindows:
    """What one frame brings. windows: those that are due. moving: those of them to ask the network about.

    ended: people whose past nothing continues.
    """

    windows: Sequence[Window] = ()
    moving: Sequence[Window] = ()
    ended: Sequence[PastEnd] = ()


@dataclass(frozen=True)
class Step:
    """What one frame led to. inferences: those with an answer, or with no movement to ask about."""

    inferences: list[Inference] = field(default_factory=list)
    events: list[EventChange] = field(default_factory=list)


@dataclass
class PipelineCounts:
    """Counts since the beginning.

    inferences, gated: windows inferred from, and not for want of motion. invalid: answers that were not numbers.
    resets: windows emptied by gaps. events: those that began. model_changes: changes of the taught labels.
    """

    inferences: int = 0
    gated: int = 0
    invalid: int = 0
    resets: int = 0
    events: int = 0
    model_changes: int = 0


class Pipeline:
    """The stages between pose and wire.

    ``push`` takes a frame through all of them; ``streaming.stream`` shows them one by one.

    Args:
        recognizer: used from the calling thread; everybody's windows go through it in one call.
        rules: their thresholds are resolved for the model's labels in ``thresholds``, their prior is ``prior``.
        timer: gets the sections ``window``, ``infer`` and ``pictures``.
        pictures: model of pictures whose answers are heard; that of ``recognizer`` where it is alone, None for none.

    Raises:
        MarEdgeError: the rules name labels that the model does not have, or their prior lacks one of the model's. Or
            two models share no label.
    """

    def __init__(
        self, recognizer: WindowRecognizer, rules: PipelineRules, timer: Timer, pictures: ModelMetadata | None = None
    ) -> None:
        self.counts = PipelineCounts()
        self.pictures = pictures
        self._alone = pictures is not None and recognizer.family.pictures is not None
        self._timer = timer
        self._ids = itertools.count(1)
        self._people = PeopleWindows(recognizer.metadata.window_s, recognizer.family.warm_up)
        self._set(rules, recognizer)
        self._stride = Stride(rules.stride_s)

    def change(self, rules: PipelineRules) -> Step:
        """Continue with other rules, from windows that begin empty; counts and event ids go on.

        Raises:
            MarEdgeError: as the class; nothing has changed then.
        """
        before = self._events
        self._set(rules, self._recognizer)
        self._stride = Stride(rules.stride_s)
        return self._forget(before)

    def check_model(self, recognizer: WindowRecognizer) -> None:
        """Raise MarEdgeError as the class does, if the rules do not fit this model; nothing changes."""
        _resolved(self._rules, recognizer, self.pictures, self._timer)

    def change_model(self, recognizer: WindowRecognizer) -> None:
        """Continue with other labels of the same network, after ``break_off``; counts and event ids go on.

        The stride goes on as well. So from here on, a replay with that model that breaks off here gives the same.

        Raises:
            MarEdgeError: as the class; nothing has changed then.
        """
        self._set(self._rules, recognizer)
        self.counts.model_changes += 1

    @property
    def labels(self) -> tuple[Label, ...]:
        """(K,) of the model."""
        return self._recognizer.metadata.labels

    @property
    def shown(self) -> NDArray[np.bool_]:
        """(K,) labels that are worth showing: those that may be events, and "no action", which never is one."""
        shown = self.thresholds.wanted
        if self._recognizer.metadata.background is not None:
            shown[self._recognizer.metadata.background] = True
        return shown

    @property
    def picture_weight(self) -> float | None:
        """Share of the model of pictures in the scores of labels that both models have; None where there is none."""
        if self.pictures is None:
            return None
        return 1.0 if self._alone else self._rules.fusion.weight

    @property
    def stride_s(self) -> float:
        """Capture time between inferences."""
        return self._stride.stride_s

    @property
    def people(self) -> int:
        """How many people are followed now."""
        return len(self._people)

    def hear(self, answer: Answer, t_s: float) -> None:
        """Take an answer about pictures, which counts from the frame at ``t_s`` on."""
        if self._heard is not None:
            self._timer.record("pictures", answer.infer_s)
            self._heard.hear(answer, t_s)
            self.counts.inferences += self._alone

    def push(self, t_s: float, skeletons: Sequence[Skeleton]) -> Step:
        """Take the people of one frame through all stages (see ``windows``)."""
        due = self.windows(t_s, skeletons)
        return self.events(due, self.probabilities(due))

    def windows(self, t_s: float, skeletons: Sequence[Skeleton]) -> DueWindows:
        """Add the people of one frame to their windows, and return those that are due: once per stride.

        Args:
            t_s: capture clock in seconds, later than the last.
            skeletons: everybody in the frame, each with their own ``person`` id; may be empty.
        """
        with self._timer.section("window"):
            ended = self._people.push(t_s, skeletons)
        return self._due(t_s, ended) if self._stride.due(t_s) else DueWindows(ended=ended)

    def probabilities(self, due: DueWindows) -> list[Inference]:
        """Return what came of each window that is due, from one inference."""
        inferences = self._scorer.score(due.windows, due.moving)
        self.counts.invalid += sum(one.invalid for one in inferences)
        if not self._alone:
            self.counts.inferences += len(due.moving)
        self.counts.gated += len(due.windows) - len(due.moving)
        return inferences

    def events(self, due: DueWindows, inferences: Sequence[Inference]) -> Step:
        """Return what the inferences mean for events: first those of people whose past has ended, then the others."""
        changes = [change for end in due.ended for change in self._events.close(end)]
        changes += [change for inference in inferences for change in self._events.update(inference)]
        return self._step(inferences, changes)

    def to_look_at(self, due: DueWindows, inferences: Sequence[Inference]) -> list[Window]:
        """Return the windows whose pictures are worth an inference: where something moves.

        Without the motion gate, all count as moving. Then skeletons must be unsure: a label is above the threshold at
        which its event ends, and none above that at which it begins.
        """
        if self._gate is not None or self._alone:
            return list(due.moving)
        return [one.window for one in inferences if one.probs is not None and self._is_unsure(one.probs)]

    def finish(self, *, infer: bool) -> Step:
        """End the stream: ``infer`` from what came since the last stride, then end every open event."""
        inferences = self.probabilities(self._due(None)) if infer else []
        changes = [change for inference in inferences for change in self._events.update(inference)]
        changes += [change for end in self._people.ends() for change in self._events.close(end)]
        return self._step(inferences, changes)

    def break_off(self) -> Step:
        """End and forget everything: what comes next does not continue it (a lost camera, another size)."""
        return self._forget(self._events)

    def _set(self, rules: PipelineRules, recognizer: WindowRecognizer) -> None:
        """Go by ``rules`` from now on; where they do not fit the model, nothing changes."""
        metadata, layout = recognizer.metadata, recognizer.layout
        scorer, self._heard, self.thresholds = _resolved(rules, recognizer, self.pictures, self._timer)
        self._rules, self._recognizer = rules, recognizer
        self.prior, self._scorer = scorer.prior, scorer
        self._events = PeopleEvents(metadata, layout, rules.events, self.thresholds, self._ids)
        self._gate = None if rules.motion_gate is None else MotionGate(layout, rules.motion_gate)

    def _is_unsure(self, probs: NDArray[np.float32]) -> bool:
        return bool((probs >= self.thresholds.off).any() and not (probs >= self.thresholds.on).any())

    def _due(self, t_s: float | None, ended: Sequence[PastEnd] = ()) -> DueWindows:
        with self._timer.section("window"):
            windows = self._people.due(t_s)
            moving = [window for window in windows if self._gate is None or self._gate.moves(window)]
        return DueWindows(windows, moving, ended)

    def _forget(self, events: PeopleEvents) -> Step:
        changes = [change for end in self._people.ends() for change in events.close(end)]
        self._people.clear()
        if self._heard is not None:
            self._heard.clear()
        return self._step((), changes)

    def _step(self, inferences: Sequence[Inference], changes: list[EventChange]) -> Step:
        self.counts.events += sum(change.phase == "begin" for change in changes)
        self.counts.resets = self._people.resets
        return Step([one for one in inferences if not one.invalid], changes)


def check_rules(rules: PipelineRules, metadata: ModelMetadata) -> Thresholds:
    """Return the thresholds that the rules mean for a model.

    Raises:
        MarEdgeError: they name labels that it does not have, or their prior lacks one of its own.
    """
    shift_of(default_prior(metadata) if rules.prior is None else rules.prior, metadata)
    return resolve(metadata, rules.on, rules.off, rules.labels, rules.events.off_share)


def _resolved(
    rules: PipelineRules, recognizer: WindowRecognizer, pictures: ModelMetadata | None, timer: Timer
) -> tuple[Scorer, Heard | None, Thresholds]:
    """Return what the rules mean for the models.

    Raises:
        MarEdgeError: they do not fit them.
    """
    thresholds = check_rules(rules, recognizer.metadata)
    return *open_scorer(recognizer, pictures, rules.prior, rules.fusion, timer), thresholds
