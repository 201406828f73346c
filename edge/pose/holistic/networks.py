"""The stage's networks as functions: crops of all people in, arrays out, in one inference. Knows no regions.

The files' weights are those of MediaPipe's networks (see ``networks/NOTICE``); outputs in px are of the crop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from mar_edge.edge.runtime.tensorrt.store import SUFFIX as ENGINE

NetworkName = Literal[
    "pose_detection", "pose_landmark", "hand_recrop", "hand_landmark_lite", "face_detection", "face_landmark"
]
NETWORKS: tuple[NetworkName, ...] = get_args(NetworkName)


@dataclass(frozen=True)
class _Kind:
    """One network's interface. size: width and height of its crops, px. outputs: shapes, without the batch."""

    size: int
    outputs: Mapping[str, tuple[int, ...]]


_KINDS: dict[NetworkName, _Kind] = {
    "pose_detection": _Kind(224, {"boxes": (2254, 12), "scores": (2254, 1)}),
    "pose_landmark": _Kind(256, {"landmarks": (39, 5), "presence": (1,), "heatmap": (39, 64, 64)}),
    "hand_recrop": _Kind(256, {"points": (2, 2)}),
    "hand_landmark_lite": _Kind(224, {"landmarks": (21, 3), "presence": (1,), "handedness": (1,)}),
    "face_detection": _Kind(128, {"boxes": (896, 16), "scores": (896, 1)}),
    "face_landmark": _Kind(192, {"landmarks": (468, 3), "presence": (1,)}),
}

# A byte as the networks take it: 0 to 1, for the two detectors -1 to 1.
_UNIT = (np.arange(256) / 255).astype(np.float32)
_SIGNED = (np.arange(256) / 127.5 - 1).astype(np.float32)
_SIGNED_NETWORKS = ("pose_detection", "face_detection")


def network_path(name: NetworkName, folder: Path | None = None) -> Path:
    """Return the file of a network: the package's, or the model file or engine in ``folder``.

    Raises:
        MarEdgeError: the folder has neither.
    """
    if folder is None:
        return Path(str(resources.files("mar_edge.edge.pose.holistic").joinpath("networks", f"{name}.onnx")))
    for path in (folder / f"{name}{ENGINE}", folder / f"{name}.onnx"):
        if path.is_file():
            return path
    raise MarEdgeError(
        f"{folder} has no {name}.onnx; expected the {len(NETWORKS)} networks of the holistic stage, as "
        "'mar-edge calibrate --pose holistic' writes them"
    )


def network_input(name: NetworkName, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Return BGR crops (size, size, 3) as a network's input (B, 3, size, size), RGB."""
    table = _SIGNED if name in _SIGNED_NETWORKS else _UNIT
    size = _KINDS[name].size
    batch = np.empty((len(crops), 3, size, size), np.float32)
    for crop, planes in zip(crops, batch, strict=True):
        for channel, plane in enumerate(cv2.split(crop)):
            cv2.LUT(plane, table, planes[2 - channel])
    return batch


@dataclass(frozen=True)
class Network:
    """One network on its runtime."""

    name: NetworkName
    runtime: Runtime

    @classmethod
    def open(cls, name: NetworkName, path: Path, runtime: RuntimeName, threads: int) -> Network:
        """Load a network's file.

        Raises:
            MarEdgeError: it is another network, or the runtime cannot run it here.
        """
        opened = open_runtime(path, runtime, threads).runtime
        with ExitStack() as stack:
            stack.enter_context(opened)
            kind = _KINDS[name]
            shapes = {key: shape[1:] for key, shape in opened.input_shapes.items()}
            if shapes != {"image": (3, kind.size, kind.size)}:
                raise MarEdgeError(f"{path} is not the holistic stage's {name}: its inputs are {shapes}")
            blank = {"image": np.zeros((1, 3, kind.size, kind.size), np.float32)}
            opened.warm_up(blank)
            given = {key: values.shape[1:] for key, values in opened.infer(blank).items()}
            if given != kind.outputs:
                raise MarEdgeError(f"{path} is not the holistic stage's {name}: its outputs are {given}")
            stack.pop_all()  # from here on the network's owner closes it
        return cls(name, opened)

    @property
    def size(self) -> int:
        """Width and height of its crops, px."""
        return _KINDS[self.name].size

    def __call__(self, crops: Sequence[NDArray[np.uint8]]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs for BGR crops (size, size, 3), one row per crop.

        Raises:
            MarEdgeError: an output is not a number.
        """
        outputs = self.runtime.infer({"image": network_input(self.name, crops)})
        if not all(np.isfinite(values).all() for values in outputs.values()):
            raise MarEdgeError(f"the pose network {self.name} gave NaN or infinity on {self.runtime.name}")
        return outputs


class Networks:
    """All networks; a context manager that closes their runtimes.

    Args:
        runtime: of all of them.
        body_threads, threads: threads within one inference of the body network, and of the others.
        folder: folder of their files; None takes the package's.
    """

    def __init__(
        self, runtime: RuntimeName = "auto", body_threads: int = 0, threads: int = 1, folder: Path | None = None
    ) -> None:
        self._stack = ExitStack()
        self._networks: dict[NetworkName, Network] = {}
        paths = {name: network_path(name, folder) for name in NETWORKS}
        with self._stack:
            for name, path in paths.items():
                network = Network.open(name, path, runtime, body_threads if name == "pose_landmark" else threads)
                self._stack.enter_context(network.runtime)
                self._networks[name] = network
            self._stack = self._stack.pop_all()
        origin = "" if folder is None else f" ({folder.resolve().name})"
        self.name = f"holistic{origin} on {self['pose_landmark'].runtime.name}"

    def __getitem__(self, name: NetworkName) -> Network:
        return self._networks[name]

    def __enter__(self) -> Networks:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute 1 / (1 + exp(-x)), with logits clipped to avoid overflow."""
    return (1 / (1 + np.exp(-np.clip(logits, -80, 80)))).astype(np.float32)
