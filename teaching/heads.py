"""A head from the features of a few examples, in closed form. numpy only; knows no skeletons, networks or files.

Linear discriminant analysis with a shared covariance (Fisher 1936). Its direction leads from the mean of everything
else to the mean of the examples, relative to how features vary. How they vary is known from hundreds of windows of
other people, and need not be learned from three examples. The covariance is shrunk toward the same variance in every
direction (Ledoit and Wolf 2004).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fitting:
    """Constants of the fit, chosen on synthetic people (docs/teach.md).

    shrink: share of equal variance in the covariance. idle: weight of the idle part in the mean of everything else.
    base: how many examples what the model knew before counts for.
    quantile: share of other people's windows below the threshold.
    margin: its least distance from those and the idle part, in standard deviations of the scores.
    between: where it is on the way from there to the examples, if there are many; with k examples, k / (k + 1) of that.
        How unlike each other they can be is less well known from a few.
    """

    shrink: float = 0.3
    idle: float = 0.5
    base: float = 10.0
    quantile: float = 0.985
    margin: float = 0.2
    between: float = 0.6


@dataclass(frozen=True)
class Fitted:
    """A head: logit = features @ weights + bias, 0 at the threshold.

    left_out: (k,) logits of the examples from heads without them, relative to the threshold. Of a single example, from
    the head itself.
    """

    weights: Floats
    bias: float
    left_out: Floats

    @property
    def sound(self) -> bool:
        """Whether at least half of the examples are found without having been learned from."""
        return 2 * int((self.left_out > 0).sum()) >= len(self.left_out)


_LEAST_SPREAD = 0.3
"""Least spread of the examples, in standard deviations of the scores of other people's windows."""
_TYPICAL = 2.2
"""Logit of a typical example: a score of 0.9."""
_STEEPEST, _FLATTEST = 6.0, 0.7
_BEST = 3
"""An example's score is the mean of that many best windows: an event needs more than one."""


def fit_head(
    examples: Sequence[Floats],
    idle: Floats,
    others: Floats,
    before: Floats | None = None,
    *,
    mirrored: Sequence[Floats] = (),
    fitting: Fitting | None = None,
) -> Fitted:
    """Return the head that tells the examples from everything else.

    Args:
        examples: features (n, D) of the views of each, one or more.
        idle: features (M, D) of windows in which the person does nothing special; M may be 0.
        others: features (N, D) of windows of other people who do anything but this.
        mirrored: features (n, D) of the mirrored views of each example, to learn from; empty for none. The threshold is
            that of the plain views, since a mirrored person sits in another posture.
        before: (N,) logits that the model had for the label in those, if it knows it. They are linear in the features.
    """
    fitting = fitting or Fitting()
    center, spread = others.mean(axis=0), others.std(axis=0) + 1e-6
    shown = [(views - center) / spread for views in examples]
    learned = [
        np.concatenate([views, (other - center) / spread])
        for views, other in zip(shown, mirrored, strict=bool(mirrored))
    ]
    still, rest = (idle - center) / spread, (others - center) / spread
    D = rest.shape[1]
    covariance = np.cov(rest.T)
    shrunk = (1 - fitting.shrink) * covariance + fitting.shrink * np.trace(covariance) / D * np.eye(D)
    elsewhere = rest.mean(axis=0)
    if len(still):
        elsewhere = fitting.idle * still.mean(axis=0) + (1 - fitting.idle) * elsewhere
    # One solve for the mean of everything else and each example: leaving one out is then a mean of the others.
    solved = np.linalg.solve(shrunk, np.stack([*(views.mean(axis=0) for views in learned or shown), elsewhere], axis=1))
    toward, away = solved[:, :-1], solved[:, -1]

    def unit(w: Floats) -> Floats:
        scaled: Floats = w / (np.std(rest @ w) + 1e-9)
        return scaled

    known = None if before is None else unit(np.linalg.lstsq(rest, before - before.mean(), rcond=None)[0])

    def direction(chosen: Sequence[int]) -> Floats:
        w = unit(toward[:, chosen].mean(axis=1) - away)
        return w if known is None else unit(len(chosen) * w + fitting.base * known)

    everyone = range(len(shown))
    w = direction(list(everyone))
    scores = []
    for i in everyone:
        others_only = [j for j in everyone if j != i] or [i]
        scores.append(np.sort(shown[i] @ direction(others_only))[-_BEST:].mean())
    left_out = np.array(scores)
    floor = float(np.quantile(rest @ w, fitting.quantile))
    if len(still):
        floor = max(floor, float(np.sort(still @ w)[-2:][0]))
    typical = float(left_out.mean())
    low = typical - max(float(left_out.std()), _LEAST_SPREAD)
    between = fitting.between * len(shown) / (len(shown) + 1)
    threshold = floor + max(fitting.margin, between * (low - floor))
    gain = float(np.clip(_TYPICAL / max(typical - threshold, 1e-3), _FLATTEST, _STEEPEST))
    weights = gain * w / spread
    return Fitted(weights, float(-gain * threshold - center @ weights), gain * (left_out - threshold))
