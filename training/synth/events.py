"""Events of recordings: what was done, from when to when."""

from __future__ import annotations

from dataclasses import dataclass

from mar_edge.edge.labels import Label
from mar_edge.training.synth.generator import CLASSES

SEEN_MOVING = 0.03  # of the way out: from where on a movement shows
LABEL_OF = {label.id: label for label in CLASSES}


@dataclass(frozen=True)
class TrueEvent:
    """An action that was done, from where its motion visibly begins to where it ends, in seconds."""

    label: Label
    t_start: float
    t_end: float
