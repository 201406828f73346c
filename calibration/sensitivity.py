"""What each layer costs in fewer bits, alone, and which of them had better stay as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from calibration.comparison import ask_model, error
from calibration.windows import Windows
from edge.progress import Progress

Build = Callable[[Sequence[str]], onnx.ModelProto]
"""The model in which these layers, and no others, are in fewer bits."""


@dataclass(frozen=True)
class Trial:
    """Windows to try choices of layers on. reference: (N, K) probabilities of the original for them."""

    build: Build
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

    def choose(self, costs: Mapping[str, float], target: float) -> list[str]:
        """As many layers as still agree with the original on a share ``target`` of the windows.

        The dearest are left out first. Where no choice agrees so far, the one that agrees most.
        """
        cheapest_first = sorted(costs, key=lambda layer: costs[layer])
        best: tuple[float, list[str]] = (-1.0, [])
        left_out = 0
        while left_out < len(cheapest_first):
            chosen = cheapest_first[: len(cheapest_first) - left_out]
            what = f"{len(chosen)} of {len(costs)} layers"
            probs = ask_model(self.build(chosen), self.windows, self.progress, what, self.threads)
            agreement = float((probs.argmax(axis=1) == self.reference.argmax(axis=1)).mean())
            if agreement >= target:
                return chosen
            best = max(best, (agreement, chosen))
            left_out = max(1, left_out * 2)
        return best[1]
