"""Class balance: rare classes weigh more in the loss, or are drawn more often."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Beyond this number of clips, further clips of a class add little.
_EFFECTIVE_CLIPS = 1000


def class_weights(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights (K,) that balance classes of ``counts`` clips: 1 for the average clip, 0 for a class without any.

    The weight is the inverse of a class's effective number of clips, (1 - b^n) / (1 - b), with b = 0.999. A class of
    10 clips weighs 63 times one of 1,000.

    Source: Cui et al., "Class-Balanced Loss Based on Effective Number of Samples", CVPR 2019.
    """
    b = 1 - 1 / _EFFECTIVE_CLIPS
    effective = (1 - b ** counts.astype(np.float64)) / (1 - b)
    weights = np.divide(1.0, effective, out=np.zeros(len(counts)), where=counts > 0)
    scaled: NDArray[np.float64] = weights * (counts.sum() / (weights * counts).sum())
    return scaled
