"""A network's outputs as keypoints, and how far those of two versions of it lie apart. Decides nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from mar_edge.calibration.pose.crops import Crop
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.pose.holistic.anchors import detections
from mar_edge.edge.pose.holistic.body import ANCHORS as PERSON_ANCHORS
from mar_edge.edge.pose.holistic.body import KEYPOINTS, refined
from mar_edge.edge.pose.holistic.networks import NetworkName, network_input, sigmoid
from mar_edge.edge.pose.holistic.parts import FACE_ANCHORS
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime

Outputs = Mapping[str, NDArray[np.float32]]

_BATCH = 8
_THERE = 0.5
# A score this near the threshold in the original changes by about as much from one frame to the next.
_NEAR = 0.1


@dataclass(frozen=True)
class Keypoints:
    """Keypoints of B crops. points: (B, K, 2) px of the crop. scores: (B,) in [0, 1], above 0.5 where there is one."""

    points: NDArray[np.float32]
    scores: NDArray[np.float32]


def input_batches(name: NetworkName, crops: Sequence[Crop]) -> list[dict[str, NDArray[np.float32]]]:
    """Return the crops as inputs of a network, a few at a time."""
    starts = range(0, len(crops), _BATCH)
    return [{"image": network_input(name, crops[start : start + _BATCH])} for start in starts]


def predict(name: NetworkName, model: onnx.ModelProto, crops: Sequence[Crop], threads: int = 0) -> Keypoints:
    """Return a network's keypoints for crops, on ONNX Runtime as in ``serve``."""
    with tempfile.TemporaryDirectory(prefix="mar-edge-") as folder:
        path = Path(folder) / "network.onnx"
        write_whole(path, model.SerializeToString())
        with OnnxRuntime(path, threads) as runtime:
            parts = [keypoints(name, runtime.infer(batch), len(crops[0])) for batch in input_batches(name, crops)]
    return Keypoints(np.concatenate([part.points for part in parts]), np.concatenate([part.scores for part in parts]))


def keypoints(name: NetworkName, outputs: Outputs, size: int) -> Keypoints:
    """Return the keypoints that the stage reads from a network's outputs for crops of ``size`` px."""
    match name:
        case "pose_detection":
            return _detected(outputs, PERSON_ANCHORS, size)
        case "face_detection":
            return _detected(outputs, FACE_ANCHORS, size)
        case "pose_landmark":
            rows = outputs["landmarks"][:, :KEYPOINTS, :2]
            points = [refined(row, heat[:KEYPOINTS]) for row, heat in zip(rows, outputs["heatmap"], strict=True)]
            return Keypoints(np.stack(points), outputs["presence"][:, 0])
        case "hand_recrop":
            return Keypoints(outputs["points"], np.ones(len(outputs["points"]), np.float32))
        case "hand_landmark_lite":
            return Keypoints(outputs["landmarks"][..., :2], outputs["presence"][:, 0])
        case "face_landmark":
            return Keypoints(outputs["landmarks"][..., :2], sigmoid(outputs["presence"][:, 0]))


def error_px(reference: Keypoints, other: Keypoints, size: int) -> float:
    """Return the mean distance of keypoints, in px of crops of ``size`` px, over crops in which the reference has some.

    A crop in which only one of the two has keypoints, or in which the other's are no numbers, counts with ``size``. It
    does not count where the reference's score is within 0.1 of the threshold.
    """
    there, also = reference.scores > _THERE, other.scores > _THERE
    sure = np.abs(reference.scores - _THERE) > _NEAR
    apart = np.linalg.norm(reference.points - other.points, axis=-1).mean(axis=-1)  # (B,)
    apart = np.where(there & also, np.nan_to_num(apart, nan=size, posinf=size), size)
    counted = (there & also) | ((there != also) & sure) | ~np.isfinite(other.scores)
    return float(apart[counted].mean()) if counted.any() else 0.0


def _detected(outputs: Outputs, anchors: NDArray[np.float32], size: int) -> Keypoints:
    """Return the box and the points of each crop's best detection."""
    points, scores = [], []
    K = outputs["boxes"].shape[-1] // 2
    for rows, logits in zip(outputs["boxes"], outputs["scores"][..., 0], strict=True):
        found = detections(rows, logits, anchors, size)
        points.append(
            size * np.concatenate([found[0].box.reshape(2, 2), found[0].points]) if found else np.zeros((K, 2))
        )
        scores.append(sigmoid(logits).max())
    return Keypoints(np.array(points, np.float32), np.array(scores, np.float32))
