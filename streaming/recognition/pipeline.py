"""Skeletons over time -> predictions and events: windows, trigger, recogniser and event trackers, for everybody seen.

Knows nothing of cameras, sockets or clocks: the same skeletons at the same times give the same results, live or not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton, Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.movements import movements_of
from mar_edge.edge.prior import Prior, default_prior, shift_of
from mar_edge.edge.recognizer import Recognizer
from mar_edge.edge.scores import adjusted
from mar_edge.edge.visibility import sayable, visible_regions
from mar_edge.streaming.recognition.channels import channels_of, opposites_of
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.events import EventChange, EventTracker
from mar_edge.streaming.recognition.extent import Extent, Motions, region_joints
from mar_edge.streaming.recognition.thresholds import LabelChoice, resolve
from mar_edge.streaming.recognition.trigger import DEFAULT_THRESHOLD, MotionGate, Stride
from mar_edge.streaming.recognition.window import SkeletonWindow
from mar_edge.streaming.timing import Timer


@dataclass(frozen=True)
class PipelineRules:
    """How skeletons become events: the same in service and in evaluation.

    stride_s: capture time between inferences. motion_gate: movement in body sizes below which nothing is inferred;
    None switches it off. on, off: smoothed scores at which an event begins and below which it ends (hysteresis); None
    for the model's own (``streaming.recognition.thresholds``). labels: which may be events, with thresholds of their
    own. events: constants of the event rules. prior: how often each label happens here; None for what suits the model
    (``edge.prior.default_prior``).

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
class Inference:
    """What came of one window.

    probs: (K,) float32 in label order, prior and visibility applied; None where the motion gate was closed.
    visible: regions of the body that it shows (``edge.visibility``).
    """

    window: Window
    probs: NDArray[np.float32] | None
    visible: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """What one frame led to."""

    inferences: list[Inference] = field(default_factory=list)
    events: list[EventChange] = field(default_factory=list)


@dataclass
class _Person:
    window: SkeletonWindow
    events: EventTracker
    inferred_s: float = -1.0


class Pipeline:
    """The stages between pose and wire.

    Args:
        recognizer: used from the calling thread; everybody's windows go through it in one call.
        rules: their thresholds are resolved for the model's labels in ``thresholds``.
        timer: gets the sections ``window`` and ``infer``.

    Raises:
        MarEdgeError: the rules name labels that the model does not have, or their prior lacks one of the model's.
    """

    def __init__(self, recognizer: Recognizer, rules: PipelineRules, timer: Timer) -> None:
        self._recognizer = recognizer
        self._set(rules)
        self._timer = timer
        self._ids = itertools.count(1)
        self._people: dict[int, _Person] = {}
        self._bodies = [region_joints(label.body, recognizer.layout) for label in recognizer.metadata.labels]
        self._channels = channels_of(recognizer.metadata)
        movements = movements_of(recognizer.metadata.labels, recognizer.metadata.movements)
        self._opposites = opposites_of(recognizer.metadata.labels, movements)
        self._ways = [movement.way for movement in movements]
        self.inferences = 0
        self.gated = 0
        self.invalid = 0
        self.resets = 0
        self.events = 0

    def _set(self, rules: PipelineRules) -> None:
        gate = rules.motion_gate
        metadata = self._recognizer.metadata
        prior = default_prior(metadata) if rules.prior is None else rules.prior
        shift = shift_of(prior, metadata)
        self.thresholds = resolve(metadata, rules.on, rules.off, rules.labels, rules.events.off_share)
        self.prior, self._shift = prior, shift
        self._rules = rules
        self._stride = Stride(rules.stride_s)
        self._gate = None if gate is None else MotionGate(self._recognizer.layout, gate)

    def change(self, rules: PipelineRules) -> Step:
        """Go on by other rules, from windows that begin empty; counts and event ids go on.

        Raises:
            MarEdgeError: as the class; nothing has changed then.
        """
        self._set(rules)
        return self.break_off()

    @property
    def people(self) -> int:
        """How many are followed now."""
        return len(self._people)

    def push(self, t_s: float, skeletons: Sequence[Skeleton]) -> Step:
        """Take the people of one frame.

        Args:
            t_s: capture clock in seconds, later than the last.
            skeletons: everybody in it, each with their own ``person`` id; may be empty.
        """
        step = Step()
        with self._timer.section("window"):
            seen = {skeleton.person: skeleton for skeleton in skeletons}
            for person in seen.keys() - self._people.keys():
                self._people[person] = self._new_person(person)
            for person, state in list(self._people.items()):
                last_s = state.window.newest_s
                if state.window.push(t_s, seen.get(person)):
                    self.resets += 1
                    step.events.extend(state.events.close(t_s if last_s is None else last_s))
                if not len(state.window):
                    del self._people[person]
        if self._stride.due(t_s):
            self._infer(step, newest_s=t_s)
        self.events += sum(change.phase == "begin" for change in step.events)
        return step

    def finish(self, *, infer: bool) -> Step:
        """The stream is over: ``infer`` from what came since the last stride, then end every open event."""
        step = Step()
        if infer:
            self._infer(step, newest_s=None)
        for state in self._people.values():
            newest_s = state.window.newest_s
            if newest_s is not None:
                step.events.extend(state.events.close(newest_s))
        self.events += sum(change.phase == "begin" for change in step.events)
        return step

    def break_off(self) -> Step:
        """What comes next does not go on from what came before (a lost camera, another size): end and forget it all."""
        step = self.finish(infer=False)
        self.resets += len(self._people)
        self._people.clear()
        return step

    def _infer(self, step: Step, newest_s: float | None) -> None:
        """Predict for everybody with a window that holds something new (and reaches up to ``newest_s``, if given)."""
        with self._timer.section("window"):
            windows = [
                window
                for state in self._people.values()
                if (window := state.window.window()) is not None
                and window.times_s[-1] > state.inferred_s
                and (newest_s is None or window.times_s[-1] == newest_s)
            ]
            moving = [window for window in windows if self._gate is None or self._gate.moves(window)]
        probs: dict[int, NDArray[np.float32]] = {}
        if moving:
            with self._timer.section("infer"):
                predictions = self._recognizer.predict(moving)
            probs = {prediction.person: prediction.probs for prediction in predictions}
        self.inferences += len(moving)
        self.gated += len(windows) - len(moving)
        for window in windows:
            self._conclude(step, window, probs.get(window.person))

    def _conclude(self, step: Step, window: Window, probs: NDArray[np.float32] | None) -> None:
        if probs is not None and not np.isfinite(probs).all():
            self.invalid += 1
            probs = None
        else:
            visible = visible_regions(window, self._recognizer.layout)
            if probs is not None:
                metadata = self._recognizer.metadata
                (probs,) = adjusted(probs[None], self._shift, sayable(metadata.labels, visible)[None], metadata)
            step.inferences.append(Inference(window, probs, visible))
        state = self._people[window.person]
        state.inferred_s = float(window.times_s[-1])
        nothing = np.zeros(len(self._bodies), np.float32)
        rules = self._rules.events
        fallback_s = max(state.inferred_s - rules.reaction_s, float(window.times_s[0]))
        motions = Motions(window, rules)
        state.events.follow(motions)
        step.events.extend(
            state.events.update(
                state.inferred_s,
                nothing if probs is None else probs,
                begin=lambda label: Extent(motions, self._bodies[label], fallback_s, self._ways[label]),
            )
        )

    def _new_person(self, person: int) -> _Person:
        window_s = self._recognizer.metadata.window_s
        events = EventTracker(
            self._rules.events,
            self.thresholds,
            self._ids,
            person,
            outlives_s=self._rules.events.lag_windows * window_s,
            channels=self._channels,
            opposites=self._opposites,
        )
        return _Person(SkeletonWindow(window_s, self._recognizer.family.warm_up, person), events)
