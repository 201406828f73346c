"""The contract of a pose backend: an image in, skeletons out. Each backend is a file or a folder next to this one."""

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
    """Finds people and their joints. A context manager that owns its model, for use from one thread.

    The arrays of the skeletons it returns are not reused.
    """

    name: str
    layout: Layout

    def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
        """Find the people in one frame.

        Args:
            image: (H, W, 3) uint8 BGR; frames of one stream come in order.
            t_s: capture time, in seconds of the capture clock.

        Returns:
            One skeleton per person, joints in pixels of ``image``; empty where there is no person.

        Raises:
            MarEdgeError: ``image`` is no picture, or a model's output is not valid. The list is not empty instead.
        """
        ...

    def __enter__(self) -> PoseEstimator: ...

    def __exit__(self, *exc_info: object) -> None: ...
