"""Frames of a video as for the golden numbers: decoded like OpenCV 4, which treats BT.709 as BT.601.

OpenCV 5 and PyAV follow the file's color space. Pictures then differ by up to 11 of 255. Joints differ by a few pixels,
because a pose network's next crop follows from its last keypoints.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def golden_frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames as (H, W, 3) BGR."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.reformat(format="bgr24", src_colorspace="ITU601", dst_colorspace="ITU601").to_ndarray()
