"""Frames of a video as the golden numbers were measured on: decoded like OpenCV 4, which takes BT.709 for BT.601.

OpenCV 5 and PyAV use the colors that the file states. Pictures then differ by up to 11 of 255. Joints differ by a few
pixels, since a pose network's next crop follows from its last points.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def golden_frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield frames (H, W, 3) BGR in order."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.reformat(format="bgr24", src_colorspace="ITU601", dst_colorspace="ITU601").to_ndarray()
