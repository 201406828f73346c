"""A MANet's checkpoint as a runtime (``edge.runtime.base``). For evaluation only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import default_labels
from mar_edge.edge.network.checkpoint import load_manet
from mar_edge.edge.network.inputs import picture_input
from mar_edge.edge.pictures import SEGMENTS, SIDE
from mar_edge.edge.runtime.base import InputArray
from mar_edge.training.evaluation.torch_runtime import described, torch_device

_LAYOUT = "ma52"  # of a published checkpoint


class PictureRuntime:
    """Runs one checkpoint (see ``edge.runtime.base.Runtime``).

    Args:
        paths: of the checkpoint; more than one are refused.
        device: ``cpu`` or ``cuda``.
        threads: threads within one inference, process-wide; 0 takes PyTorch's default.

    Raises:
        MarEdgeError: the file is not a checkpoint of a MANet, or the device is missing.
    """

    def __init__(self, paths: Sequence[Path], device: str = "cpu", threads: int = 0) -> None:
        self._device = torch_device(device, threads)
        if len(paths) > 1:
            raise MarEdgeError(
                f"checkpoints of networks on pictures are not averaged; name one of {paths[0]}, {paths[1]}"
            )
        loaded = load_manet(paths[0])
        self._network = loaded.network.to(self._device)
        info = loaded.info
        labels = info.labels if info else default_labels(_LAYOUT, loaded.network.config.num_classes)
        metadata = described([loaded], ["published MANet"], labels, info.layout if info else _LAYOUT)
        self.name = f"PyTorch {torch.__version__} ({device.upper()})"
        self.metadata_json: str | None = msgspec.structs.replace(metadata, family="manet").to_json()
        self.input_shapes: Mapping[str, tuple[int | None, ...]] = {"frames": (None, SEGMENTS, SIDE, SIDE, 3)}

    @torch.no_grad()
    def infer(self, inputs: Mapping[str, InputArray]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs for ``inputs`` (see the contract)."""
        frames = torch.from_numpy(inputs["frames"]).to(self._device)
        logits, _ = self._network(picture_input(frames))
        return {"logits": logits.cpu().numpy(), "probs": logits.softmax(dim=1).cpu().numpy()}

    def warm_up(self, inputs: Mapping[str, InputArray]) -> None:
        """Run once (see the contract)."""
        self.infer(inputs)

    def __enter__(self) -> PictureRuntime:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass
