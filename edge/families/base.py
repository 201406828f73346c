"""The contract of a model family: a person's recent past in, named arrays out. One file per family is in this folder.

Knows nothing of joints or layouts, and runs no network. ``Window`` is all that the pipeline remembers of a person. A
family that looks at something else than joints adds that to it. The joints stay, for the event rules and the motion
gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Window
from mar_edge.edge.runtime.base import InputArray


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


@dataclass(frozen=True)
class PictureNeeds:
    """Which pictures a family looks at.

    rate_hz: most pictures a second that are kept for it.
    kept: turns a frame (H, W, 3) BGR uint8 into the small picture that is kept. It copies: the frame is not held.
    """

    rate_hz: float
    kept: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


class ModelFamily(Protocol):
    """One kind of network. A model file names its family; ``edge.families.choice`` opens it."""

    @property
    def warm_up(self) -> WarmUp:
        """What its windows need."""

    @property
    def pictures(self) -> PictureNeeds | None:
        """What it needs of pictures; None for a family that looks at joints alone."""

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Name -> shape of one window's input, without the batch axis."""

    @property
    def input_dtype(self) -> type[np.float32] | type[np.uint8]:
        """Type of all its inputs."""

    def inputs(self, windows: Sequence[Window]) -> Mapping[str, InputArray]:
        """Return name -> (B, ...) the inputs of B windows, one or more.

        Raises:
            MarEdgeError: a window is not what the network was made for.
        """
