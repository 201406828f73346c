"""The stage's networks as functions: crops of all people in, arrays out, in one inference. Knows no regions.

The files' weights are those of MediaPipe's networks (see ``networks/NOTICE``); outputs in px are of the crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.choices import RuntimeName
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.runtime.base import Runtime
from mar_edge.edge.runtime.choice import open_runtime

NetworkName = Literal[
    "pose_detection", "pose_landmark", "hand_recrop", "hand_landmark_lite", "face_detection", "face_landmark"
]
NETWORKS: tuple[NetworkName, ...] = get_args(NetworkName)

# A byte as the networks take it: 0 to 1, for the two detectors -1 to 1.
_UNIT = (np.arange(256) / 255).astype(np.float32)
_SIGNED = (np.arange(256) / 127.5 - 1).astype(np.float32)
_SIGNED_NETWORKS = ("pose_detection", "face_detection")


def network_path(name: NetworkName) -> Path:
    """Return the file that comes with the package."""
    return Path(str(resources.files("mar_edge.edge.pose.holistic").joinpath("networks", f"{name}.onnx")))


@dataclass(frozen=True)
class Network:
    """One network on its runtime. size: width and height of its crops, px."""

    name: NetworkName
    runtime: Runtime
    size: int

    @classmethod
    def open(cls, name: NetworkName, runtime: RuntimeName, threads: int) -> Network:
        """Load the package's file.

        Raises:
            MarEdgeError: the runtime cannot run it here.
        """
        opened = open_runtime(network_path(name), runtime, threads).runtime
        size = opened.input_shapes["image"][2]
        assert size is not None
        network = cls(name, opened, size)
        opened.warm_up({"image": np.zeros((1, 3, size, size), np.float32)})
        return network

    def __call__(self, crops: Sequence[NDArray[np.uint8]]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs for BGR crops (size, size, 3), one row per crop.

        Raises:
            MarEdgeError: an output is not a number.
        """
        table = _SIGNED if self.name in _SIGNED_NETWORKS else _UNIT
        batch = np.empty((len(crops), 3, self.size, self.size), np.float32)
        for crop, planes in zip(crops, batch, strict=True):
            for channel, plane in enumerate(cv2.split(crop)):
                cv2.LUT(plane, table, planes[2 - channel])
        outputs = self.runtime.infer({"image": batch})
        if not all(np.isfinite(values).all() for values in outputs.values()):
            raise MarEdgeError(f"the pose network {self.name} gave NaN or infinity on {self.runtime.name}")
        return outputs


class Networks:
    """All networks; a context manager that closes their runtimes.

    Args:
        body_threads, threads: threads within one inference of the body network, and of the others.
    """

    def __init__(self, runtime: RuntimeName = "auto", body_threads: int = 0, threads: int = 1) -> None:
        self._stack = ExitStack()
        self._networks: dict[NetworkName, Network] = {}
        with self._stack:
            for name in NETWORKS:
                network = Network.open(name, runtime, body_threads if name == "pose_landmark" else threads)
                self._stack.enter_context(network.runtime)
                self._networks[name] = network
            self._stack = self._stack.pop_all()

    def __getitem__(self, name: NetworkName) -> Network:
        return self._networks[name]

    def __enter__(self) -> Networks:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute 1 / (1 + exp(-x)), with logits clipped to avoid overflow."""
    return (1 / (1 + np.exp(-np.clip(logits, -80, 80)))).astype(np.float32)
