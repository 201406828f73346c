"""Targets of a window over events that may overlap, and the label that is shown most. numpy only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.labels import BACKGROUND_NAME, Label
from mar_edge.training.synth.live import most_shown, shown_part

MIN_FRAMES = 8  # of a window: fewer do not show a movement

__all__ = ["MIN_FRAMES", "Span", "most_shown", "targets_of_window"]


@dataclass(frozen=True)
class Span:
    """A label and its times, in seconds."""

    label: Label
    start_s: float
    end_s: float


def targets_of_window(
    spans: Iterable[Span], start_s: float, end_s: float, labels: Sequence[Label]
) -> NDArray[np.float32]:
    """Return the share (K,) of each label's event that a window shows, from 0 to 1; 0 for the background."""
    targets = np.zeros(len(labels), np.float32)
    for span in spans:
        if span.label.name == BACKGROUND_NAME:
            continue
        overlap = min(end_s, span.end_s) - max(start_s, span.start_s)
        lasts = min(max(span.end_s - span.start_s, 1e-3), end_s - start_s)
        place = labels.index(span.label)
        targets[place] = max(targets[place], float(shown_part(np.array(overlap / lasts))))
    return targets
