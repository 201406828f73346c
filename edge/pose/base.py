"""The contract of a pose backend: an image in, skeletons out. One file per backend stands beside this one."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.data import Skeleton
from edge.layout import Layout


class PoseEstimator(Protocol):
    """Finds people and their joints. Owns its model: a context manager, to be used from one thread.

    The arrays of the skeletons it returns are the caller's to keep.
    """

    name: str
    layout: Layout

    def estimate(self, image: NDArray[np.uint8]) -> list[Skeleton]:
        """The people in one frame.

        Args:
            image: (H, W, 3) uint8 BGR; frames of one stream come in order.

        Returns:
            A skeleton a person, joints in pixels of ``image``; empty where there is nobody.
        """
        ...

    def __enter__(self) -> PoseEstimator: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...
