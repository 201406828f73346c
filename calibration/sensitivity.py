"""What each layer costs in fewer bits, alone, and which of them had better stay as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from mar_edge.calibration.comparison import ask_model, compare, error
from mar_edge.calibration.windows import Windows
from mar_edge.edge.model_file import Fidelity, ModelMetadata
from mar_edge.edge.progress import Progress

_ROUNDING = 1e-9  # of a difference of two shares

Build = Callable[[Sequence[str]], onnx.ModelProto]
"""The model in which these layers, and no others, are in fewer bits."""


@dataclass(frozen=True)
class Allowed:
    """How far a model in fewer bits may be from its original.

    agreement: the least share of windows of which both say the same (``comparison.compare``). class_drop: the most that
    the accuracy of a label may drop, in [0, 1], among labels with windows enough to tell.
    """

    agreement: float
    class_drop: float

    def by(self, fidelity: Fidelity) -> bool:
        """Whether a model is within both."""
        drop = fidelity.worst_drop or 0.0
        return fidelity.agreement >= self.agreement and drop <= self.class_drop + _ROUNDING


@dataclass(frozen=True)
class Trial:
    """Windows to try choices of layers on. reference: (N, K) probabilities of the original for them."""

    build: Build
    metadata: ModelMetadata
    windows: Windows
    reference: NDArray[np.float32]
    progress: Progress
    threads: int = 0

    def costs(self, layers: Sequence[str]) -> dict[str, float]:
        """For each layer the mean probability error (``comparison.error``) of it alone in fewer bits."""
        found = {}
        for done, layer in enumerate(layers):
            self.progress("layers", done, len(layers))
            found[layer] = error(self.reference, ask_model(self.build([layer]), self.windows, threads=self.threads))
        self.progress("layers", len(layers), len(layers))
        return found

    def choose(self, costs: Mapping[str, float], allowed: Allowed) -> list[str]:
        """As many layers as still do what is ``allowed`` on the windows.

        The dearest are left out first. Where no choice does, the one that agrees most.
        """
        cheapest_first = sorted(costs, key=lambda layer: costs[layer])
        tried: dict[int, Fidelity] = {}

        def does(left_out: int) -> bool:
            tried[left_out] = self._fidelity(cheapest_first[: len(costs) - left_out], len(costs))
            return allowed.by(tried[left_out])

        too_few, left_out, most = 0, 0, len(costs) - 1
        while not does(left_out):
            if left_out == most:
                left_out = max(tried, key=lambda left: tried[left].agreement)
                return cheapest_first[: len(costs) - left_out]
            too_few, left_out = left_out, min(max(1, left_out * 2), most)
        while left_out - too_few > 1:
            middle = (left_out + too_few) // 2
            if does(middle):
                left_out = middle
            else:
                too_few = middle
        return cheapest_first[: len(costs) - left_out]

    def _fidelity(self, chosen: Sequence[str], of: int) -> Fidelity:
        what = f"{len(chosen)} of {of} layers"
        probs = ask_model(self.build(chosen), self.windows, self.progress, what, self.threads)
        return compare(self.reference, probs, self.windows, self.metadata).fidelity
