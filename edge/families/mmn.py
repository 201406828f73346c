"""MMN: 64 moments of a skeleton, evenly spaced over the window, each with its place in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Window
from mar_edge.edge.families.base import WarmUp
from mar_edge.edge.layout import Layout
from mar_edge.edge.preprocess import WINDOW_FRAMES, window_to_input


class MmnFamily:
    """Skeletons of one layout (see ``ModelFamily``). Its inputs are those of ``edge.preprocess``."""

    # Training windows are of this length and longer.
    warm_up = WarmUp(min_span_s=0.7, min_frames=5, max_gap_s=0.5)
    pictures = None
    input_dtype = np.float32

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """``skeleton`` (64, V, 2) and ``index_t`` (64,)."""
        return {"skeleton": (WINDOW_FRAMES, self._layout.num_joints, 2), "index_t": (WINDOW_FRAMES,)}

    def inputs(self, windows: Sequence[Window]) -> dict[str, NDArray[np.float32]]:
        """Return ``skeleton`` (B, 64, V, 2) in [-1, 1] and ``index_t`` (B, 64) in [-1, 1)."""
        skeletons, indices = zip(*(window_to_input(window, self._layout) for window in windows), strict=True)
        return {"skeleton": np.stack(skeletons), "index_t": np.stack(indices)}
