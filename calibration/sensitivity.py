"""Per-layer sensitivity: the error of each layer alone in fewer bits, and the choice of layers to quantize."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from mar_edge.calibration.comparison import compare, error, predict
from mar_edge.calibration.windows import Windows
from mar_edge.edge.model_file import Fidelity, ModelMetadata
from mar_edge.edge.progress import Progress

_ROUNDING = 1e-9  # of a difference of two fractions

Build = Callable[[Sequence[str]], onnx.ModelProto]
"""Returns the model in which only these layers are in fewer bits."""


@dataclass(frozen=True)
class Allowed:
    """How far a model in fewer bits may differ from its original.

    agreement: smallest share of windows with equal predictions (``comparison.compare``). class_drop: largest drop of a
    label's accuracy, in [0, 1], among labels with enough windows.
    """

    agreement: float
    class_drop: float

    def by(self, fidelity: Fidelity) -> bool:
        """Return whether a model is within both limits."""
        drop = fidelity.worst_drop or 0.0
        return fidelity.agreement >= self.agreement and drop <= self.class_drop + _ROUNDING


@dataclass(frozen=True)
class Attempt:
    """A choice of layers. allowed: whether it is near enough to the original. merit: more is nearer."""

    allowed: bool
    merit: float


def choose_layers(costs: Mapping[str, float], attempt: Callable[[Sequence[str]], Attempt]) -> list[str]:
    """Return as many layers as are allowed.

    The most sensitive layers are left out first. Where no choice is allowed, the one with the most merit.

    Args:
        costs: error of each layer alone in fewer bits.
        attempt: tries a choice of layers.
    """
    by_sensitivity = sorted(costs, key=lambda layer: costs[layer])
    tried: dict[int, Attempt] = {}

    def is_allowed(left_out: int) -> bool:
        tried[left_out] = attempt(by_sensitivity[: len(costs) - left_out])
        return tried[left_out].allowed

    too_few, left_out, most = 0, 0, len(costs) - 1
    while not is_allowed(left_out):
        if left_out == most:
            left_out = max(tried, key=lambda left: tried[left].merit)
            return by_sensitivity[: len(costs) - left_out]
        too_few, left_out = left_out, min(max(1, left_out * 2), most)
    while left_out - too_few > 1:
        middle = (left_out + too_few) // 2
        if is_allowed(middle):
            left_out = middle
        else:
            too_few = middle
    return by_sensitivity[: len(costs) - left_out]


@dataclass(frozen=True)
class Trial:
    """Windows for trying choices of layers. reference: the original's probabilities (N, K) for them."""

    build: Build
    metadata: ModelMetadata
    windows: Windows
    reference: NDArray[np.float32]
    progress: Progress
    threads: int = 0

    def costs(self, layers: Sequence[str]) -> dict[str, float]:
        """Return each layer's mean probability error (``comparison.error``) with only that layer in fewer bits."""
        found = {}
        for done, layer in enumerate(layers):
            self.progress("layers", done, len(layers))
            found[layer] = error(self.reference, predict(self.build([layer]), self.windows, threads=self.threads))
        self.progress("layers", len(layers), len(layers))
        return found

    def choose(self, costs: Mapping[str, float], allowed: Allowed) -> list[str]:
        """Return as many layers as are ``allowed`` on the windows (see ``choose_layers``)."""

        def attempt(chosen: Sequence[str]) -> Attempt:
            fidelity = self._fidelity(chosen, len(costs))
            return Attempt(allowed.by(fidelity), fidelity.agreement)

        return choose_layers(costs, attempt)

    def _fidelity(self, chosen: Sequence[str], of: int) -> Fidelity:
        what = f"{len(chosen)} of {of} layers"
        probs = predict(self.build(chosen), self.windows, self.progress, what, self.threads)
        return compare(self.reference, probs, self.windows, self.metadata).fidelity
