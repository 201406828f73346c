"""SimCC: a network with a probability for each column and each row, for each joint (Li et al., ECCV 2022).

The network (RTMPose, RTMW, DWPose) on its runtime, and the decoding of its two vectors to a position and a score. Knows
no people and no layout.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.pose.crops import IMAGENET_RGB, normalized
from mar_edge.edge.runtime.base import Runtime


class SimccNetwork:
    """A pose network on its runtime, for batches of any number of people.

    size: width and height of a crop, px. points: K, the number of keypoints.

    Raises:
        MarEdgeError: the graph is no SimCC network of one picture size.
    """

    def __init__(self, runtime: Runtime, *, refine: bool = True, full_score: float = 1.0) -> None:
        shapes = list(runtime.input_shapes.items())
        if len(shapes) != 1 or len(shapes[0][1]) != 4 or None in shapes[0][1][2:] or shapes[0][1][1] not in (3, None):
            raise MarEdgeError(
                f"a pose model takes one input (B, 3, H, W) of fixed height and width; this one takes {dict(shapes)}"
            )
        self._input, (self._at_once, _, H, W) = shapes[0]
        assert H is not None
        assert W is not None
        self.size = (W, H)
        self.runtime = runtime
        self._refine, self._full_score = refine, full_score
        self._tables = IMAGENET_RGB.tables()
        self._x, self._y, self.points = self._look_at_outputs()

    def batch(self, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Convert (P, H, W, 3) BGR to (P, 3, H, W), the network's input."""
        return normalized(pictures, self._tables, rgb=IMAGENET_RGB.rgb)

    def infer(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return vectors of columns (P, K, .) and rows (P, K, .), in one inference if the graph's batch is dynamic."""
        P = len(batch)
        at_once = self._at_once or P
        padded = np.concatenate([batch, np.zeros((-P % at_once, *batch.shape[1:]), np.float32)])
        parts = [self.runtime.infer({self._input: padded[i : i + at_once]}) for i in range(0, P, at_once)]
        simcc_x, simcc_y = (np.concatenate([part[name] for part in parts])[:P] for name in (self._x, self._y))
        return simcc_x, simcc_y

    def decode(
        self, simcc_x: NDArray[np.float32], simcc_y: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Decode vectors (see ``decode``)."""
        return decode(simcc_x, simcc_y, self.size, refine=self._refine, full_score=self._full_score)

    def _look_at_outputs(self) -> tuple[str, str, int]:
        """Return the names of the columns' and the rows' output, and K. Runs once, which also warms up the runtime."""
        W, H = self.size
        empty = {self._input: np.zeros((self._at_once or 1, 3, H, W), np.float32)}
        self.runtime.warm_up(empty)
        shapes = {name: array.shape for name, array in self.runtime.infer(empty).items()}
        vectors = {name: shape for name, shape in shapes.items() if len(shape) == 3}
        for x, of_x in vectors.items():
            for y, of_y in vectors.items():
                named = (x, y) != ("simcc_y", "simcc_x") and x != y
                if named and of_x[1] == of_y[1] and of_x[2] * H == of_y[2] * W and of_x[2] >= W:
                    return x, y, of_x[1]
        raise MarEdgeError(
            f"a pose model of {W}x{H} px gives SimCC vectors (B, K, {2 * W}) and (B, K, {2 * H}). This one gives "
            f"{shapes}, so it is no RTMPose, RTMW or DWPose"
        )


def decode(
    simcc_x: NDArray[np.float32],
    simcc_y: NDArray[np.float32],
    size: tuple[int, int],
    *,
    refine: bool = True,
    full_score: float = 1.0,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the most probable position of each joint.

    Args:
        simcc_x, simcc_y: (P, K, bins) how probable each column and row of the crop is, not normalized.
        size: width and height of the crop, px; usually there are two bins a pixel.
        refine: find the position between the bins, by the parabola through the peak and its neighbors. These networks
            are trained to give Gaussians five bins wide, whose tops are parabolas. Without it positions are whole
            bins, which are 2 px wide in a person 880 px tall: half a small nod.
        full_score: the peak of a clearly visible joint; 10 for RTMW, 1 for the others, from their training.

    Returns:
        Keypoints (P, K, 2) in pixels of the crop and scores (P, K) in [0, 1]: the lower of the two peaks.

    Raises:
        MarEdgeError: an output is NaN or infinite.
    """
    best_x, best_y = simcc_x.argmax(axis=-1), simcc_y.argmax(axis=-1)
    scores = np.minimum(_at(simcc_x, best_x), _at(simcc_y, best_y))
    if not np.isfinite(scores).all():
        raise MarEdgeError(
            "the pose model's output is NaN or infinite; if it is an FP16 file, it overflows: take the FP32 file"
        )
    bins_per_pixel = np.array([simcc_x.shape[-1] / size[0], simcc_y.shape[-1] / size[1]], np.float32)
    x = best_x + _offset(simcc_x, best_x) if refine else best_x
    y = best_y + _offset(simcc_y, best_y) if refine else best_y
    points = np.stack([x, y], axis=-1) / bins_per_pixel
    return points.astype(np.float32), np.clip(scores / full_score, 0.0, 1.0).astype(np.float32)


def _offset(bins: NDArray[np.float32], best: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return (P, K) the offset of the peak from the highest of N bins (P, K, N), in [-0.5, 0.5]; 0 at the ends."""
    N = bins.shape[-1]
    before, peak, after = (_at(bins, index) for index in (np.maximum(best - 1, 0), best, np.minimum(best + 1, N - 1)))
    curvature = before - 2 * peak + after
    inside = (best > 0) & (best < N - 1) & (curvature < 0)
    offset = np.where(inside, 0.5 * (before - after) / np.where(inside, curvature, 1.0), 0.0)
    return np.clip(offset, -0.5, 0.5).astype(np.float32)


def _at(bins: NDArray[np.float32], index: NDArray[np.intp]) -> NDArray[np.float32]:
    taken: NDArray[np.float32] = np.take_along_axis(bins, index[..., None], axis=-1)[..., 0]
    return taken
