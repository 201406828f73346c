"""What is done about classes with few clips: they weigh more in the loss, or are drawn more often."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Past this many clips, more of the same class hardly say anything new.
_EFFECTIVE_CLIPS = 1000


def class_weights(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) weights that even out classes of ``counts`` clips: 1 for the average clip, 0 for a class without any.

    The inverse of a class's effective number of clips, (1 - b^n) / (1 - b) (Cui et al., "Class-Balanced Loss Based on
    Effective Number of Samples", CVPR 2019), with b = 0.999: a class of 10 clips weighs 63 times one of 1,000.
    """
    b = 1 - 1 / _EFFECTIVE_CLIPS
    effective = (1 - b ** counts.astype(np.float64)) / (1 - b)
    weights = np.divide(1.0, effective, out=np.zeros(len(counts)), where=counts > 0)
    scaled: NDArray[np.float64] = weights * (counts.sum() / (weights * counts).sum())
    return scaled
