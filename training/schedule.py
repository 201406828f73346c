"""Learning rate as a function of the step alone, so a resumed run needs no other state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mar_edge.training.recipe import Recipe

_ADAM_BETA1 = 0.9
# As in Smith and Topin, "Super-convergence", and torch's OneCycleLR: first and last rate as shares of the peak, and the
# range of momentum.
_FIRST_PART = 1 / 25
_LAST_PART = _FIRST_PART / 1e4
_HIGH_BETA1, _LOW_BETA1 = 0.95, 0.85


@dataclass(frozen=True)
class Pace:
    """Settings of one optimizer step: learning rate, and AdamW's first momentum."""

    lr: float
    beta1: float = _ADAM_BETA1


def pace(recipe: Recipe, step: int, steps: int) -> Pace:
    """Return the settings of step ``step`` of ``steps``, counted from 0.

    ``cosine``: a straight line from ``first_lr`` to ``lr`` during the warm-up, then half a cosine down to ``last_lr``.

    ``one-cycle``: half cosines from lr / 25 up to ``lr`` and down to lr / 250,000. Momentum falls while it rises.
    """
    if recipe.schedule == "cosine":
        warm_up = recipe.warm_up * steps
        if step < warm_up:
            return Pace(recipe.first_lr + (recipe.lr - recipe.first_lr) * step / warm_up)
        done = (step - warm_up) / max(steps - 1 - warm_up, 1)
        return Pace(_cosine(recipe.lr, recipe.last_lr, min(done, 1.0)))
    peak_step = max(recipe.warm_up * steps - 1, 0.0)
    if step < peak_step:
        done = step / peak_step
        return Pace(_cosine(recipe.lr * _FIRST_PART, recipe.lr, done), _cosine(_HIGH_BETA1, _LOW_BETA1, done))
    done = (step - peak_step) / max(steps - 1 - peak_step, 1e-9)
    return Pace(_cosine(recipe.lr, recipe.lr * _LAST_PART, done), _cosine(_LOW_BETA1, _HIGH_BETA1, done))


def step_pace(lr: float, drops: Sequence[float], done: float) -> Pace:
    """Return the settings when the share ``done`` of a run is done.

    The learning rate is ``lr``, divided by 10 after each share in ``drops``.
    """
    return Pace(lr / 10 ** sum(done >= drop for drop in drops))


def _cosine(start: float, end: float, done: float) -> float:
    """Return the value on half a cosine from ``start`` to ``end``; ``done`` in [0, 1]."""
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2
