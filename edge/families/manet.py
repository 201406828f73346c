"""MANet: eight pictures of the last seconds, the middle of each whole picture. Looks at no joint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.families.base import PictureNeeds, WarmUp
from mar_edge.edge.pictures import SEGMENTS, SIDE, chosen, small
from mar_edge.edge.runtime.base import InputArray

# Eight of the pictures of two seconds are looked at: 4 a second. Three times as many leave a choice of even moments.
_RATE_HZ = 12.0
# Ratio of the sides beyond which a picture is cut before it is resized.
_LONGEST = 4


class ManetFamily:
    """Pictures (see ``ModelFamily``). The graph normalizes; everything before it is that of ``edge.pictures``."""

    # As for skeletons: what is shorter holds no action. Pauses empty the skeletons of the window, too.
    warm_up = WarmUp(min_span_s=0.7, min_frames=5, max_gap_s=0.5)
    input_dtype = np.uint8
    input_shapes: Mapping[str, tuple[int, ...]] = {"frames": (SEGMENTS, SIDE, SIDE, 3)}

    @property
    def pictures(self) -> PictureNeeds:
        """At most 12 pictures a second, (224, 224, 3) RGB: 151 kB each."""
        return PictureNeeds(_RATE_HZ, _kept)

    def inputs(self, windows: Sequence[Window]) -> Mapping[str, InputArray]:
        """Return ``frames`` (B, 8, 224, 224, 3) uint8, RGB.

        Raises:
            MarEdgeError: a window has no pictures.
        """
        if not all(window.pictures for window in windows):
            raise MarEdgeError(
                "a model of pictures (manet) was given skeletons alone; 'serve' and 'analyze' run it on video. For "
                "skeletons, give a model of the family mmn"
            )
        return {"frames": np.stack([chosen(window.pictures) for window in windows])}


def _kept(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # Of a very long picture only the middle: resized as a whole, it could take gigabytes.
    H, W, _ = frame.shape
    longest = _LONGEST * min(H, W)
    top, left = max(H - longest, 0) // 2, max(W - longest, 0) // 2
    middle = frame[top : top + longest, left : left + longest]
    return np.ascontiguousarray(small(middle)[:, :, ::-1])
