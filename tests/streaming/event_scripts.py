"""Scripts of scores over time, and movements that end when a test says so."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mar_edge.edge.data import Window
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.events import EventChange, EventTracker
from mar_edge.streaming.recognition.motion import Motions
from mar_edge.streaming.recognition.thresholds import Thresholds

K, BACKGROUND = 4, 3


Row = tuple[float, int, float]


OUTLIVES_S = 0.1


def thresholds(background: int | None = BACKGROUND, low: float = 0.3, **own: float) -> Thresholds:
    """Events of each of the K labels begin at 0.5 and end below ``low``; ``own`` gives some another onset: one=0.8."""
    on = np.full(K, 0.5)
    off = np.full(K, low)
    for name, value in own.items():
        label = ("zero", "one", "two").index(name)
        on[label], off[label] = value, min(value, off[label])
    if background is not None:
        on[background] = off[background] = np.inf
    return Thresholds(on, off)


def prompt(**rules: Any) -> EventRules:
    """Rules by which a label that is seen twice begins at once."""
    return EventRules(**{"smoothing_s": 0.0, "min_duration_s": 0.2, **rules})


def tracker(
    rules: EventRules | None = None, background: int | None = BACKGROUND, low: float = 0.3, **own: float
) -> EventTracker:
    limits = thresholds(background, low, **own)
    return EventTracker(rules or prompt(), limits, itertools.count(1), outlives_s=OUTLIVES_S)


def probs(label: int, p: float) -> np.ndarray:
    out = np.full(K, (1 - p) / (K - 1), np.float32)
    out[label] = p
    return out


@dataclass
class Movement:
    """An ``Extent`` that goes on up to 0.1 s before the newest window, or ends at ``over_s``.

    One that ``returns`` is waited for until then. Seen from ``again_s`` on, a way back of the same name begins.
    """

    start_s: float
    end_s: float
    over_s: float = math.inf
    has_moved: bool = True
    newest_s: float = -math.inf
    returns: bool = False
    again_s: float = math.inf

    @property
    def is_over(self) -> bool:
        return self.end_s >= self.over_s

    @property
    def stays(self) -> bool:
        return self.returns and not self.is_over

    @property
    def goes_again(self) -> bool:
        return self.newest_s >= self.again_s

    def continues(self, before: Movement) -> bool:
        return self.start_s <= before.end_s

    def begin_after(self, t_s: float) -> None:
        pass  # its beginning is what the test says

    def follow(self, motions: Motions) -> None:
        self.newest_s = float(motions.window.times_s[-1])
        self.end_s = min(self.newest_s - 0.1, self.over_s)


def run(
    events: EventTracker,
    script: list[tuple[float, int, float]],
    onset: float | None = None,
    offset: float = math.inf,
) -> list[EventChange]:
    """Feed (time, label, probability) rows; movements begin half a second before they are seen, or at ``onset``."""
    changes = []
    for t_s, label, p in script:
        events.follow(Motions(Window(np.zeros((1, 1, 2), np.float32), np.array([t_s]))))
        changes += events.update(
            t_s,
            probs(label, p),
            begin=lambda _, t=t_s: Movement(t - 0.5 if onset is None else onset, min(t - 0.1, offset), offset),
        )
    return changes


def rows(label: int, p: float, start_s: float, end_s: float, step_s: float = 0.2) -> list[Row]:
    return [(float(t), label, p) for t in np.arange(start_s, end_s - 1e-9, step_s)]


def phases(changes: list[EventChange]) -> list[tuple[str, int]]:
    return [(change.phase, change.label) for change in changes]
