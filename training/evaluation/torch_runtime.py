"""Checkpoints as a runtime (``edge.runtime.base``): PyTorch networks whose logits are averaged. For evaluation only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from mar_edge.edge.choices import Stream
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, default_labels
from mar_edge.edge.layout import Layout
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.network.checkpoint import Checkpoint, load_mmn
from mar_edge.edge.network.inputs import stream_input
from mar_edge.edge.network.mmn import MMN
from mar_edge.edge.preprocess import WINDOW_FRAMES
from mar_edge.edge.runtime.base import InputArray

_UNKNOWN = "unknown: a published checkpoint"
_PAIR: tuple[Stream, ...] = ("joint", "bone")


class TorchRuntime:
    """Runs one checkpoint, or averages several, as their model file would (see ``edge.runtime.base.Runtime``).

    Args:
        paths: of checkpoints with the same classes.
        layout: of the input skeletons.
        stream: of a single published checkpoint; checkpoints of ``mar-edge train`` state theirs. Two published ones
            are the joint and the bone stream, in this order, as in ``mar-edge export``.
        device: ``cpu`` or ``cuda``.
        threads: threads within one inference, process-wide; 0 takes PyTorch's default.

    Raises:
        MarEdgeError: a file is not a checkpoint or of another layout, they cannot be averaged, or the device is
            missing.
    """

    def __init__(
        self, paths: Sequence[Path], layout: Layout, stream: Stream = "joint", device: str = "cpu", threads: int = 0
    ) -> None:
        self._device = torch_device(device, threads)
        loaded = [load_mmn(path) for path in paths]
        for path, one in zip(paths, loaded, strict=True):
            _check_skeletons(path, one, layout)
        streams = _PAIR if len(loaded) == len(_PAIR) else (stream,) * len(loaded)
        self._layout = layout
        self._networks = [
            (_stream(path, one, default), one.network.to(self._device))
            for path, one, default in zip(paths, loaded, streams, strict=True)
        ]
        labels = [_labels(one, layout) for one in loaded]
        activations = {one.info.activation if one.info else "softmax" for one in loaded}
        if len(activations) > 1:
            raise MarEdgeError(
                f"{' and '.join(map(str, paths))} cannot be averaged: one predicts a single label (softmax), the other "
                "several (sigmoid)"
            )
        for path, other in zip(paths[1:], labels[1:], strict=True):
            if other != labels[0]:
                raise MarEdgeError(
                    f"{paths[0]} and {path} cannot be averaged: {_difference(labels[0], other)}; "
                    "checkpoints of a pair have the same classes in the same order"
                )
        names = [f"published MMN {stream}" for stream, _ in self._networks]
        metadata = msgspec.structs.replace(
            described(loaded, names, labels[0], layout.name),
            streams=tuple(stream for stream, _ in self._networks),
            encoding=loaded[0].network.config.encoding,
        )
        self._activation = metadata.activation
        self.name = f"PyTorch {torch.__version__} ({device.upper()})"
        self.metadata_json: str | None = metadata.to_json()
        self.input_shapes: Mapping[str, tuple[int | None, ...]] = {
            "skeleton": (None, WINDOW_FRAMES, layout.num_joints, 2),
            "index_t": (None, WINDOW_FRAMES),
        }

    @torch.no_grad()
    def infer(self, inputs: Mapping[str, InputArray]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs for ``inputs`` (see the contract)."""
        skeleton = torch.from_numpy(inputs["skeleton"]).to(self._device)
        index_t = torch.from_numpy(inputs["index_t"]).to(self._device)
        outputs = [network(stream_input(skeleton, self._layout, stream), index_t) for stream, network in self._networks]
        logits = torch.stack(outputs).mean(dim=0)
        probs = logits.sigmoid() if self._activation == "sigmoid" else logits.softmax(dim=1)
        return {"logits": logits.cpu().numpy(), "probs": probs.cpu().numpy()}

    def warm_up(self, inputs: Mapping[str, InputArray]) -> None:
        """Run once (see the contract)."""
        self.infer(inputs)

    def __enter__(self) -> TorchRuntime:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._networks.clear()


def _check_skeletons(path: Path, checkpoint: Checkpoint[MMN], layout: Layout) -> None:
    V, info = checkpoint.network.config.num_joints, checkpoint.info
    if layout.num_joints != V or (info is not None and info.layout != layout.name):
        takes = info.layout if info is not None else f"{V}-joint"
        raise MarEdgeError(f"{path} takes {takes} skeletons, the data holds {layout.name} ones")


def _stream(path: Path, checkpoint: Checkpoint[MMN], default: Stream) -> Stream:
    info = checkpoint.info
    if info is None:
        return default
    if info.stream not in _PAIR:
        raise MarEdgeError(f"{path} is of the stream '{info.stream}'; known streams: {', '.join(_PAIR)}")
    return info.stream


def _labels(checkpoint: Checkpoint[MMN], layout: Layout) -> tuple[Label, ...]:
    if checkpoint.info is not None:
        return checkpoint.info.labels
    return default_labels(layout.name, checkpoint.network.config.num_classes)


def _difference(first: tuple[Label, ...], second: tuple[Label, ...]) -> str:
    if len(first) != len(second):
        return f"they have {len(first)} and {len(second)} classes"
    index, (a, b) = next((i, pair) for i, pair in enumerate(zip(first, second, strict=True)) if pair[0] != pair[1])
    return f"their class {index} is '{a.name}' and '{b.name}'"


def torch_device(name: str, threads: int) -> torch.device:
    """Return the torch device of that name, and set the threads of this process; 0 takes PyTorch's default.

    Raises:
        MarEdgeError: there is no such device.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise MarEdgeError("no CUDA device that this torch can use; choose --device cpu, or install torch for CUDA")
    if threads:
        torch.set_num_threads(threads)
    return torch.device(name)


def described(
    loaded: Sequence[Checkpoint[Any]], published: Sequence[str], labels: tuple[Label, ...], layout: str
) -> ModelMetadata:
    """Return the description of checkpoints whose logits are averaged, as a model file has it.

    Args:
        published: a name for each, if it has no description.
    """
    info = loaded[0].info
    names = [one.info.name if one.info else name for one, name in zip(loaded, published, strict=True)]
    return ModelMetadata(
        name=" + ".join(names),
        layout=layout,
        labels=labels,
        background=info.background if info else None,
        activation=info.activation if info else "softmax",
        rates=info.rates if info else (),
        movements=info.movements if info else (),
        thresholds=info.thresholds if info else (),
        window_s=info.window_s if info else 2.0,
        views_s=info.views_s if info else (),
        sources_sha256=tuple(one.sha256 for one in loaded),
        trained_on=tuple(sorted({one for each in loaded if each.info for one in each.info.trained_on})),
        training_data=info.training_data if info else ", ".join(filter(None, [_UNKNOWN, loaded[0].read_as])),
        licence=info.licence if info else "that of the checkpoint",
    )
