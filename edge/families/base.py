"""The contract of a model family: a person's recent past in, named arrays out. One file per family is in this folder.

Knows nothing of runtimes, joints or layouts. ``Window`` is all that the pipeline remembers of a person. A family that
looks at something else than joints adds that to it. The joints stay, for the event rules and the motion gate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Window


@dataclass(frozen=True)
class WarmUp:
    """What a window needs before its network is asked.

    min_span_s: seconds from its first frame to the last, or the whole window of a model with shorter ones.
    min_frames: frames in it.
    max_gap_s: the longest pause between two frames. Frames before and after a longer one are not one movement.
    """

    min_span_s: float
    min_frames: int
    max_gap_s: float


class ModelFamily(Protocol):
    """One kind of network. A model file names its family; ``edge.families.choice`` opens it."""

    @property
    def warm_up(self) -> WarmUp:
        """What its windows need."""

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Name -> shape of one window's input, without the batch axis."""

    def inputs(self, windows: Sequence[Window]) -> dict[str, NDArray[np.float32]]:
        """Return name -> (B, ...) the inputs of B windows, one or more.

        Raises:
            MarEdgeError: a window is not what the network was made for.
        """
