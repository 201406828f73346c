"""How a model of pictures works with a model of skeletons: constants, with their reasons. Data alone."""

from __future__ import annotations

from dataclasses import dataclass

from mar_edge.edge.errors import MarEdgeError

_LIMITS = {"weight": (0.0, 1.0), "every_s": (0.1, 3600.0), "holds_s": (0.1, 60.0)}


@dataclass(frozen=True)
class FusionRules:
    """How a model of pictures works with a model of skeletons. A config file may set them (``[fusion]``).

    Raises:
        MarEdgeError: a value outside its range.
    """

    weight: float = 0.5
    """Share of the model of pictures in the mean of log-probabilities. At 0 skeletons decide, at 1 pictures alone say
    which action it is. Not tuned: both count the same."""
    every_s: float = 1.0
    """Seconds between two inferences from pictures, at least. On a CPU, one costs about 25 of a full-size MMN."""
    holds_s: float = 1.0
    """Seconds that an answer counts: until the next one is there. It never counts longer than its pictures overlap
    with the window."""

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise MarEdgeError(f"[fusion]: {name} is {low:g} to {high:g}, not {value}")
