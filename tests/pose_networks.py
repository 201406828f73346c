"""ONNX networks like those of the pose stage: with random weights, and some that find people drawn as dots (``draw``).

Each keypoint is a dot with its own color, so a test knows the right answer to a fraction of a pixel.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MEAN = np.array((123.675, 116.28, 103.53), np.float32)
STD = np.array((58.395, 57.12, 57.375), np.float32)
# 136 colors, RGB, far from each other and from the gray background of pictures.
COLORS = np.array(list(itertools.islice(itertools.product((255, 204, 153, 102, 51, 0), repeat=3), 140)), np.float32)
COLORS = COLORS[np.ptp(COLORS, axis=1) > 0][:136]
BACKGROUND = 128
# Colors of the frames around people, BGR: halfway between the colors of dots.
CLOTHES = ((26, 26, 230), (230, 26, 26), (26, 230, 26))
_NEAR = 10


class _Graph:
    """Builds a graph node by node."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, array: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def add(self, op: str, *inputs: str, to: str | None = None, to_type: int | None = None, **attributes: Any) -> str:
        name = to or f"n{len(self.nodes)}"
        if to_type is not None:
            attributes["to"] = to_type
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def save(
        self, path: Path, inputs: dict[str, tuple[Any, ...]], outputs: dict[str, Any], dtype: int = TensorProto.FLOAT
    ) -> Path:
        graph = helper.make_graph(
            self.nodes,
            "test",
            [helper.make_tensor_value_info(name, dtype, shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs.items()],
            self.constants,
        )
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
        return path


def random_simcc(
    path: Path,
    points: int = 133,
    size: tuple[int, int] = (192, 256),
    batch: int | str = "B",
    *,
    half: bool = False,
    names: tuple[str, str] = ("simcc_x", "simcc_y"),
    depth: int = 0,
    seed: int = 0,
) -> Path:
    """Write a SimCC network with random weights: (B, 3, H, W) -> (B, K, 2 W), (B, K, 2 H).

    ``depth``: number of additional convolutions, each of 0.11 G multiplications in a crop of 192x256; RTMPose-m has
    1.9 G.
    """
    rng = np.random.default_rng(seed)
    W, H = size
    kind = np.float16 if half else np.float32
    graph = _Graph()
    channels = 256 if depth else points
    kernel = graph.constant(rng.normal(0, 0.06, (channels, 3, 16, 16)).astype(kind))
    features = graph.add("Tanh", graph.add("Conv", "input", kernel, strides=[16, 16]))
    for layer in range(depth):
        kernel = rng.normal(0, 0.03, (points if layer == depth - 1 else channels, channels, 3, 3)).astype(kind)
        features = graph.add("Relu", graph.add("Conv", features, graph.constant(kernel), pads=[1, 1, 1, 1]))
    for name, axis, bins in ((names[0], 2, 2 * W), (names[1], 3, 2 * H)):
        cells = bins // 32
        spread = graph.constant(rng.normal(0, 1, (cells, bins)).astype(kind))
        profile = graph.add("ReduceMean", features, axes=[axis], keepdims=0)
        graph.add("MatMul", profile, spread, to=name)
    dtype = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    return graph.save(path, {"input": (batch, 3, H, W)}, dict.fromkeys(names, dtype), dtype)


def seeing_simcc(path: Path, points: int = 26, size: tuple[int, int] = (96, 128), *, gain: float = 1.0) -> Path:
    """Write a SimCC network that finds the dots of ``draw`` by their colors, smoothed, with two bins a pixel."""
    W, H = size
    graph = _Graph()
    rgb = graph.add("Mul", "input", graph.constant((STD / 255).reshape(1, 3, 1, 1)))
    rgb = graph.add("Add", rgb, graph.constant((MEAN / 255).reshape(1, 3, 1, 1)))
    # exp(-80 |rgb - c|²), of which |rgb - c|² = |rgb|² - 2 c.rgb + |c|² is a convolution of one pixel.
    colors = COLORS[:points] / 255
    weights = np.concatenate([-2 * colors, np.ones_like(colors)], axis=1)[..., None, None]
    squares = graph.add("Mul", rgb, rgb)
    both = graph.add("Concat", rgb, squares, axis=1)
    distance2 = graph.add(
        "Conv",
        both,
        graph.constant(weights.astype(np.float32)),
        graph.constant((colors**2).sum(axis=1).astype(np.float32)),
    )
    alike = graph.add("Exp", graph.add("Mul", distance2, graph.constant(np.float32(-80.0))))
    offsets = np.arange(-4, 5)
    bell = np.exp(-(offsets**2) / 8.0)
    kernel = np.tile((bell / bell.sum()).astype(np.float32), (points, 1, 1, 1))  # (K, 1, 1, 9)
    smooth = graph.add("Conv", alike, graph.constant(kernel), group=points, pads=[0, 4, 0, 4])
    upright = graph.constant(kernel.transpose(0, 1, 3, 2).copy())
    smooth = graph.add("Conv", smooth, upright, group=points, pads=[4, 0, 4, 0])
    # Of two people in one crop it finds the one in the middle, like real networks.
    y, x = np.meshgrid(np.abs(np.linspace(-1, 1, H)), np.abs(np.linspace(-1, 1, W)), indexing="ij")
    smooth = graph.add("Mul", smooth, graph.constant((1 - 0.2 * (x + y)).astype(np.float32)))
    for name, axis in (("simcc_x", 2), ("simcc_y", 3)):
        profile = graph.add("ReduceMax", smooth, axes=[axis], keepdims=0)
        bins = graph.constant(np.array([1.0, 1.0, 2.0], np.float32))
        wide = graph.add(
            "Resize",
            profile,
            "",
            bins,
            mode="linear",
            coordinate_transformation_mode="asymmetric",
        )
        graph.add("Mul", wide, graph.constant(np.float32(4 * gain)), to=name)
    return graph.save(path, {"input": ("B", 3, H, W)}, dict.fromkeys(("simcc_x", "simcc_y"), TensorProto.FLOAT))


def seeing_detector(path: Path, clothes: list[tuple[int, int, int]], size: int = 320) -> Path:
    """Write an RTMDet-like graph with NMS: one box around each frame of one of the colors ``clothes`` (BGR)."""
    mean, std = MEAN[::-1].reshape(1, 3, 1, 1).copy(), STD[::-1].reshape(1, 3, 1, 1).copy()
    graph = _Graph()
    bgr = graph.add("Add", graph.add("Mul", "input", graph.constant(std)), graph.constant(mean))
    zero, one = graph.constant(np.float32(0)), graph.constant(np.float32(1))
    rows = []
    for color in clothes:
        away = graph.add("Sub", bgr, graph.constant(np.array(color, np.float32).reshape(1, 3, 1, 1)))
        near = graph.add("ReduceMax", graph.add("Abs", away), axes=[1], keepdims=0)
        mask = graph.add("Clip", graph.add("Sub", graph.constant(np.float32(_NEAR)), near), zero, one)
        sides = {}
        for name, axis in (("x", 1), ("y", 2)):  # rows are reduced along x, columns along y
            line = graph.add("ReduceMax", mask, axes=[axis], keepdims=0)
            for end, last in (("0", 0), ("1", 1)):
                side = graph.add("ArgMax", line, axis=1, keepdims=1, select_last_index=last)
                sides[name + end] = graph.add("Cast", side, to_type=TensorProto.FLOAT)
        floats = [sides[name] for name in ("x0", "y0", "x1", "y1")]
        score = graph.add("ReduceMax", mask, axes=[1, 2], keepdims=0)
        score = graph.add("Unsqueeze", score, graph.constant(np.array([1], np.int64)))
        row = graph.add("Concat", *floats, score, axis=1)
        rows.append(graph.add("Unsqueeze", row, graph.constant(np.array([1], np.int64))))
    graph.add("Concat", *rows, axis=1, to="dets")
    graph.add("Identity", graph.constant(np.zeros((1, len(clothes)), np.int64)), to="labels")
    return graph.save(path, {"input": (1, 3, size, size)}, {"dets": TensorProto.FLOAT, "labels": TensorProto.INT64})


def seeing_files(folder: Path) -> tuple[Path, Path]:
    """Write a SimCC network and a detector that find two people of ``draw``; return pose and detector."""
    return seeing_simcc(folder / "pose.onnx"), seeing_detector(folder / "detector.onnx", list(CLOTHES[:2]))


def constant_detector(path: Path, outputs: dict[str, NDArray[Any]], size: int = 320) -> Path:
    """Write a graph that ignores its input and gives ``outputs``, each (1, ...)."""
    graph = _Graph()
    # The picture must be used, so it is added times 0.
    nothing = graph.add("Mul", graph.add("ReduceMean", "input", keepdims=0), graph.constant(np.float32(0)))
    for name, array in outputs.items():
        if array.dtype == np.float32:
            graph.add("Add", graph.constant(array), nothing, to=name)
        else:
            graph.add("Identity", graph.constant(array), to=name)
    kinds = {n: TensorProto.FLOAT if a.dtype == np.float32 else TensorProto.INT64 for n, a in outputs.items()}
    return graph.save(path, {"input": (1, 3, size, size)}, kinds)


def yolox_rows(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], size: int, classes: int = 80
) -> NDArray[np.float32]:
    """Return YOLOX's output for ``boxes``: each at the cell of its middle, in the grid of 16 px."""
    counts = [(size // stride) ** 2 for stride in (8, 16, 32)]
    rows = np.zeros((sum(counts), 5 + classes), np.float32)
    for (x0, y0, x1, y1), score in zip(boxes, scores, strict=True):
        x, y = (x0 + x1) / 2 / 16, (y0 + y1) / 2 / 16
        row = counts[0] + int(y) * (size // 16) + int(x)
        rows[row, :6] = x - int(x), y - int(y), np.log((x1 - x0) / 16), np.log((y1 - y0) / 16), 1, score
    return rows


def draw(
    image: NDArray[np.uint8], keypoints: NDArray[np.float32], clothes: tuple[int, int, int] | None = None
) -> NDArray[np.uint8]:
    """Draw a person: a dot of 6 px radius for each of (K, 2) keypoints, to 1/16 px, in a frame of ``clothes``."""
    if clothes is not None:
        x0, y0 = (keypoints.min(axis=0) - 18).astype(int).tolist()
        x1, y1 = (keypoints.max(axis=0) + 18).astype(int).tolist()
        cv2.rectangle(image, (x0, y0), (x1, y1), clothes, 5)
    for (x, y), color in zip(keypoints.tolist(), COLORS[:, ::-1].tolist(), strict=False):
        cv2.circle(image, (round(x * 16), round(y * 16)), 6 * 16, color, -1, cv2.LINE_AA, 4)
    return image
