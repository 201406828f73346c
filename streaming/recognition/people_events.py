"""Probabilities over time -> events, for everybody: one tracker for each person, and movements of their windows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mar_edge.edge.layout import Layout
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.movements import movements_of
from mar_edge.streaming.recognition.channels import channels_of, opposites_of
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.events import EventChange, EventTracker
from mar_edge.streaming.recognition.extent import Extent
from mar_edge.streaming.recognition.motion import Motions, region_joints
from mar_edge.streaming.recognition.people import PastEnd
from mar_edge.streaming.recognition.probabilities import Inference
from mar_edge.streaming.recognition.thresholds import Thresholds


class PeopleEvents:
    """The events of everybody in a stream.

    Args:
        metadata, layout: of the model.
        rules: of events.
        thresholds: (K,) resolved for the model.
        ids: where event ids come from.
    """

    def __init__(
        self, metadata: ModelMetadata, layout: Layout, rules: EventRules, thresholds: Thresholds, ids: Iterator[int]
    ) -> None:
        self._rules, self._thresholds, self._ids = rules, thresholds, ids
        self._lag_s = rules.lag_windows * metadata.window_s
        self._joints = [region_joints(label.body, layout) for label in metadata.labels]
        self._channels = channels_of(metadata)
        movements = movements_of(metadata.labels, metadata.movements)
        self._opposites = opposites_of(metadata.labels, movements)
        self._ways = [movement.way for movement in movements]
        self._trackers: dict[int, EventTracker] = {}

    def update(self, inference: Inference) -> list[EventChange]:
        """Take what came of a person's newest window; without probabilities, no label is seen."""
        window, rules = inference.window, self._rules
        if window.person not in self._trackers:
            self._trackers[window.person] = self._new_tracker(window.person)
        tracker = self._trackers[window.person]
        now_s = float(window.times_s[-1])
        fallback_s = max(now_s - rules.reaction_s, float(window.times_s[0]))
        motions = Motions(window, rules)
        tracker.follow(motions)
        return tracker.update(
            now_s,
            np.zeros(len(self._joints), np.float32) if inference.probs is None else inference.probs,
            begin=lambda label: Extent(motions, self._joints[label], fallback_s, self._ways[label]),
        )

    def close(self, end: PastEnd) -> list[EventChange]:
        """End what is open of a person, and forget them."""
        tracker = self._trackers.pop(end.person, None)
        return [] if tracker is None else tracker.close(end.last_s)

    def _new_tracker(self, person: int) -> EventTracker:
        return EventTracker(
            self._rules,
            self._thresholds,
            self._ids,
            person,
            outlives_s=self._lag_s,
            channels=self._channels,
            opposites=self._opposites,
        )
