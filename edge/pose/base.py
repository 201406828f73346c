"""The contract of a pose backend: an image in, skeletons out. One file per backend stands beside this one."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import Layout


def check_image(image: NDArray[np.uint8]) -> None:
    """Raise MarEdgeError unless ``image`` is (H, W, 3) uint8 and not empty."""
    if (
        not isinstance(image, np.ndarray)
        or image.dtype != np.uint8
        or image.ndim != 3
        or image.shape[2] != 3
        or image.size == 0
    ):
        got = f"{image.shape} {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
        raise MarEdgeError(f"the pose stage takes BGR images of shape (H, W, 3) and uint8; got {got}")


class PoseEstimator(Protocol):
    """Finds people and their joints. Owns its model: a context manager, to be used from one thread.

    The arrays of the skeletons it returns are the caller's to keep.
    """

    name: str
    layout: Layout

    def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
        """The people in one frame.

        Args:
            image: (H, W, 3) uint8 BGR; frames of one stream come in order.
            t_s: when it was taken, capture clock in seconds.

        Returns:
            A skeleton a person, joints in pixels of ``image``; empty where there is nobody.

        Raises:
            MarEdgeError: ``image`` is no picture, or a model gave what is no answer. Never an empty list instead.
        """
        ...

    def __enter__(self) -> PoseEstimator: ...

    def __exit__(self, *exc_info: object) -> None: ...
