"""Detection of people: RTMDet and YOLOX, with or without NMS in the graph. Knows no joints and no time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.pose.crops import BYTES_BGR, IMAGENET_BGR, Colors, normalized
from mar_edge.edge.runtime.base import Runtime

Family = Literal["rtmdet", "yolox"]
FAMILIES: tuple[Family, ...] = get_args(Family)

MIN_SCORE = 0.4
_NMS_IOU = 0.45
_PERSON = 0  # the class, for COCO and for networks that detect only people
_GRAY = 114
_STRIDES = (8, 16, 32)
# For a graph with a dynamic input size: the size that the family's published files were trained with.
_OPEN_SIZE: dict[Family, int] = {"rtmdet": 320, "yolox": 640}
_COLORS: dict[Family, Colors] = {"rtmdet": IMAGENET_BGR, "yolox": BYTES_BGR}


@dataclass(frozen=True)
class Fitted:
    """A picture as a detector takes it.

    batch: (1, 3, S, S) float32, normalized. ratio: scale from the picture to the batch. size: width and height of the
    picture, px.
    """

    batch: NDArray[np.float32]
    ratio: float
    size: tuple[int, int]


@dataclass(frozen=True)
class Detections:
    """People in one picture. boxes: (P, 4) float32 xyxy px. scores: (P,) float32 in [0, 1], best first."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]


class PersonDetector:
    """A detection network on its runtime. A context manager that closes the runtime.

    The outputs show which form the graph has:

    * ``dets`` (B, N, 5) xyxy and score, ``labels`` (B, N): NMS is in the graph;
    * boxes (B, A, 4) xyxy and scores (B, A, C): decoded, NMS follows here;
    * (B, A, 5 + C): YOLOX as its authors export it; decoding and NMS follow here.

    Args:
        runtime: takes (1, 3, S, S).
        family: determines the color normalization.
        size: S, where the graph's input size is dynamic.
        min_score: boxes below it are dropped.

    Raises:
        MarEdgeError: the graph takes another kind of input.
    """

    def __init__(self, runtime: Runtime, family: Family, size: int | None = None, min_score: float = MIN_SCORE) -> None:
        shapes = list(runtime.input_shapes.items())
        if len(shapes) != 1 or len(shapes[0][1]) != 4 or shapes[0][1][1] not in (3, None):
            raise MarEdgeError(f"a detector takes one input (B, 3, H, W); this model takes {dict(shapes)}")
        self._input, (_, _, H, W) = shapes[0]
        self.size = (W or size or _OPEN_SIZE[family], H or size or _OPEN_SIZE[family])
        self.runtime = runtime
        self.family = family
        self._min_score = min_score
        self._colors = _COLORS[family]
        self._tables = self._colors.tables()
        self._canvas = np.full((self.size[1], self.size[0], 3), _GRAY, np.uint8)
        runtime.warm_up({self._input: np.zeros((1, 3, self.size[1], self.size[0]), np.float32)})

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Find the people in ``image`` (H, W, 3) BGR. Raises as ``find``."""
        return self.find(self.fit(image))

    def fit(self, image: NDArray[np.uint8]) -> Fitted:
        """Fit ``image`` (H, W, 3) BGR to the network's input."""
        H, W, _ = image.shape
        width, height = self.size
        ratio = min(width / W, height / H)
        inner = int(W * ratio), int(H * ratio)
        # The border stays gray from frame to frame, unless their sizes differ.
        self._canvas[inner[1] :], self._canvas[:, inner[0] :] = _GRAY, _GRAY
        self._canvas[: inner[1], : inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
        return Fitted(normalized([self._canvas], self._tables, rgb=self._colors.rgb), ratio, (W, H))

    def find(self, fitted: Fitted) -> Detections:
        """Find the people in a picture.

        Raises:
            MarEdgeError: the network's output is not valid: NaN, infinite or of another form.
        """
        W, H = fitted.size
        boxes, scores = self._read(self.runtime.infer({self._input: fitted.batch}))
        if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
            raise MarEdgeError(
                f"the {self.family} detector's output is NaN or infinite: the file is no {self.family}, or it "
                "overflows in FP16"
            )
        likely = scores >= self._min_score
        boxes, scores = boxes[likely], scores[likely]
        order = np.argsort(-scores, kind="stable")
        boxes = np.clip(boxes[order] / fitted.ratio, 0, (W, H, W, H)).astype(np.float32)
        real = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        return Detections(boxes[real], scores[order][real].astype(np.float32))

    def _read(self, outputs: Mapping[str, NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return people's boxes (N, 4) in pixels of the input and scores (N,), after NMS."""
        first = [array[0] for array in outputs.values()]
        if len(first) == 1 and first[0].ndim == 2 and first[0].shape[1] > 5:
            return self._suppressed(*_decode_yolox(first[0], self.size))
        if len(first) == 2:
            boxes = next((a for a in first if a.ndim == 2 and a.shape[1] in (4, 5)), None)
            other = next((a for a in first if a is not boxes), None)
            if boxes is not None and other is not None and len(other) == len(boxes):
                if boxes.shape[1] == 5 and other.ndim == 1:
                    people = boxes[other == _PERSON]
                    return people[:, :4], people[:, 4]
                if boxes.shape[1] == 4 and other.ndim == 2:
                    return self._suppressed(boxes, other[:, _PERSON])
        found = {name: array.shape for name, array in outputs.items()}
        raise MarEdgeError(
            "a detector's outputs are dets (B, N, 5) and labels (B, N), boxes (B, A, 4) and scores (B, A, C), or "
            f"(B, A, 5 + C) of YOLOX. This model's are {found}"
        )

    def _suppressed(
        self, boxes: NDArray[np.float32], scores: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        likely = ~(scores < self._min_score)  # keeps NaN, which ``find`` refuses
        boxes, scores = boxes[likely], scores[likely]
        if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
            return boxes, scores
        xywh = np.column_stack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
        kept = np.asarray(cv2.dnn.NMSBoxes(xywh.tolist(), scores.tolist(), self._min_score, _NMS_IOU), np.intp)
        return boxes[kept.reshape(-1)], scores[kept.reshape(-1)]

    def __enter__(self) -> PersonDetector:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.runtime.__exit__(*exc_info)


def _decode_yolox(rows: NDArray[np.float32], size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Decode rows (A, 5 + C) to boxes xyxy and person scores.

    A row is center in cells, logarithm of the size in cells, objectness, classes. It belongs to a cell of one of three
    grids, of 8, 16 and 32 px (Ge et al., *YOLOX*, 2021).
    """
    cells, strides = [], []
    for stride in _STRIDES:
        columns, lines = size[0] // stride, size[1] // stride
        x, y = np.meshgrid(np.arange(columns), np.arange(lines))
        cells.append(np.stack([x, y], axis=-1).reshape(-1, 2))
        strides.append(np.full((columns * lines, 1), stride))
    grid, stride_px = np.concatenate(cells), np.concatenate(strides)
    if len(grid) != len(rows):
        raise MarEdgeError(
            f"a YOLOX of {size[0]}x{size[1]} px has {len(grid)} cells, this model gives {len(rows)} rows; "
            "give the size that it was exported for"
        )
    center = (rows[:, :2] + grid) * stride_px
    with np.errstate(over="ignore"):  # ``find`` refuses infinite boxes
        half = np.exp(rows[:, 2:4]) * stride_px / 2
    boxes = np.concatenate([center - half, center + half], axis=1)
    return boxes.astype(np.float32), (rows[:, 4] * rows[:, 5 + _PERSON]).astype(np.float32)
