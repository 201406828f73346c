"""True events of recordings: label, start and end."""

from __future__ import annotations

from dataclasses import dataclass

from mar_edge.edge.labels import Label
from mar_edge.training.synth.generator import CLASSES

SEEN_MOVING = 0.03  # fraction of the way out above which a movement is visible
LABEL_OF = {label.id: label for label in CLASSES}


@dataclass(frozen=True)
class TrueEvent:
    """A performed action, from the visible onset of its motion to its end, in seconds."""

    label: Label
    t_start: float
    t_end: float
