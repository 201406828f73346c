"""The range of a tensor's values: a histogram that grows with the data, and three ways to choose its limit.

numpy only; knows nothing of models.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mar_edge.calibration.choices import Method

LEVELS = 127  # of INT8 on either side of zero; symmetric
_BINS = 2048
_PERCENTILE = 99.99
_ENTROPY_STEP = 8


class Histogram:
    """Counts of |x| in bins of one width. The first batch sets the width; larger values add bins."""

    def __init__(self) -> None:
        self.largest = 0.0
        self._width = 0.0
        self._counts: NDArray[np.int64] = np.zeros(_BINS, np.int64)

    def add(self, values: NDArray[np.float32]) -> None:
        """Count values of any shape.

        Raises:
            ValueError: a value is not finite.
        """
        sizes = np.abs(values.astype(np.float64).ravel())
        if not sizes.size:
            return
        largest = float(sizes.max())
        if not np.isfinite(largest):
            raise ValueError("values that are not finite have no range")
        self.largest = max(self.largest, largest)
        if self._width == 0.0:
            self._width = largest / _BINS
        if self._width == 0.0:  # nothing but zeros so far
            return
        places = (sizes / self._width).astype(np.int64)
        # The largest value of the first batch lies on the upper edge of the last bin.
        places[places == _BINS] -= 1
        counts = np.bincount(places, minlength=len(self._counts)).astype(np.int64)
        counts[: len(self._counts)] += self._counts
        self._counts = counts

    def limit(self, method: Method) -> float:
        """Return the magnitude at which INT8 should saturate; above 0 unless all values are 0."""
        if self.largest == 0.0 or method == "minmax":
            return self.largest
        cut = self._percentile_bins() if method == "percentile" else self._entropy_bins()
        return min(cut * self._width, self.largest)

    def _percentile_bins(self) -> int:
        covered = np.cumsum(self._counts)
        return int(np.searchsorted(covered, covered[-1] * _PERCENTILE / 100)) + 1

    def _entropy_bins(self) -> int:
        """Return the cut whose INT8 version has the smallest Kullback-Leibler divergence from the histogram.

        TensorRT's entropy calibration (8-bit Inference with TensorRT, GTC 2017): values beyond the cut count in the
        last bin.
        """
        counts = self._counts.astype(np.float64)
        # Zeros stay zero for every cut; the many zeros of a ReLU or a gate would outweigh everything else.
        counts[0] = counts[1]
        levels = LEVELS + 1
        best, best_divergence = len(counts), np.inf
        for cut in range(levels, len(counts) + 1, _ENTROPY_STEP):
            truth = counts[:cut].copy()
            truth[-1] += counts[cut:].sum()
            group = np.arange(cut) * levels // cut
            sums = np.bincount(group, counts[:cut], levels)
            filled = np.bincount(group, counts[:cut] > 0, levels)
            spread = np.divide(sums, filled, out=np.zeros(levels), where=filled > 0)
            coarse = np.where(counts[:cut] > 0, spread[group], 0.0)
            divergence = _divergence(truth, coarse)
            if divergence < best_divergence:
                best, best_divergence = cut, divergence
        return best


def _divergence(truth: NDArray[np.float64], coarse: NDArray[np.float64]) -> float:
    p, q = truth / truth.sum(), coarse / max(coarse.sum(), 1e-30)
    held = p > 0
    return float((p[held] * np.log(p[held] / np.maximum(q[held], 1e-12))).sum())
