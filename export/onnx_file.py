"""Writes a model file: the deploy graph as ONNX, with its metadata, checked against PyTorch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from mar_edge.edge.choices import Stream
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import draft_of
from mar_edge.edge.layout import Layout
from mar_edge.edge.model_file import METADATA_KEY, ModelMetadata
from mar_edge.edge.network.inputs import stream_input
from mar_edge.edge.network.mmn import MMN
from mar_edge.edge.preprocess import WINDOW_FRAMES
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime
from mar_edge.edge.taught import FEATURES
from mar_edge.export.graph import DeployGraph
from mar_edge.export.regions import mark_nodes

OPSET = 20  # the newest that every TensorRT from 10.0 on reads
TOLERANCE = 1e-4
_CHECK_WINDOWS = 5


def write_model(path: Path, networks: Sequence[tuple[Stream, MMN]], layout: Layout, metadata: ModelMetadata) -> float:
    """Write the model file of one network, or of a joint and a bone network whose logits are averaged.

    The file is checked under another name first, and then appears whole or not at all.

    Returns:
        The largest difference of an output between the file on ONNX Runtime and the PyTorch networks.

    Raises:
        MarEdgeError: they differ by more than ``TOLERANCE``, or the file cannot be written.
    """
    graph = DeployGraph(networks, layout, metadata.temperature, metadata.activation).eval()
    # Two windows: torch treats a dimension of size 1 as constant.
    example = (torch.zeros(2, WINDOW_FRAMES, layout.num_joints, 2), torch.zeros(2, WINDOW_FRAMES))
    model = to_onnx(graph, example, ["skeleton", "index_t"], ["logits", "probs", FEATURES])
    mark_nodes(model, graph)
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, metadata.to_json()
    onnx.checker.check_model(model, full_check=True)
    with draft_of(path) as draft:
        draft.write_bytes(model.SerializeToString())
        difference = largest_difference(draft, networks, layout, metadata)
        if not difference <= TOLERANCE:
            raise MarEdgeError(
                f"{path} not written: its answers differ from the PyTorch network by {difference:.1e}, "
                f"more than {TOLERANCE:.0e}"
            )
    return difference


def largest_difference(
    path: Path, networks: Sequence[tuple[Stream, MMN]], layout: Layout, metadata: ModelMetadata
) -> float:
    """Return the largest difference of an output between a model file and the PyTorch networks.

    Compares on random windows; the expected probabilities follow ``metadata``'s temperature and activation.
    """
    generator = torch.Generator().manual_seed(0)
    skeleton = torch.rand(_CHECK_WINDOWS, WINDOW_FRAMES, layout.num_joints, 2, generator=generator) * 2 - 1
    # From a person at rest to full noise: noise alone would not test small frame differences.
    weight = torch.linspace(0, 1, _CHECK_WINDOWS)[:, None, None, None] ** 3
    skeleton = skeleton[:, :1] * (1 - weight) + skeleton * weight
    index_t = torch.linspace(-1, 1, WINDOW_FRAMES + 1)[:-1].expand(_CHECK_WINDOWS, -1).contiguous()
    logits = reference_logits(networks, layout, skeleton, index_t)
    features = reference_features(networks, layout, skeleton, index_t)
    tempered = logits / metadata.temperature
    probs = tempered.sigmoid() if metadata.activation == "sigmoid" else tempered.softmax(dim=-1)
    expected = {"logits": logits.numpy(), "probs": probs.numpy(), FEATURES: features.numpy()}
    worst = 0.0
    with OnnxRuntime(path) as runtime:
        for rows in (slice(0, 1), slice(0, None)):  # batch 1 and a larger one: the batch axis is dynamic
            outputs = runtime.infer({"skeleton": skeleton[rows].numpy(), "index_t": index_t[rows].numpy()})
            for name, values in expected.items():
                difference = np.abs(outputs[name] - values[rows]).max()
                worst = float(np.maximum(worst, difference))  # NaN stays NaN
    return worst


@torch.no_grad()
def reference_logits(
    networks: Sequence[tuple[Stream, MMN]], layout: Layout, skeleton: Tensor, index_t: Tensor
) -> Tensor:
    """Return the PyTorch networks' mean logits (B, K) for skeleton (B, 64, V, 2) and index_t (B, 64)."""
    logits = [network(stream_input(skeleton, layout, stream), index_t) for stream, network in networks]
    return torch.stack(logits).mean(dim=0)


@torch.no_grad()
def reference_features(
    networks: Sequence[tuple[Stream, MMN]], layout: Layout, skeleton: Tensor, index_t: Tensor
) -> Tensor:
    """Return the PyTorch networks' features (B, D) for skeleton (B, 64, V, 2) and index_t (B, 64)."""
    means = torch.from_numpy(layout.region_means)[list(layout.network_order)]  # in the network's order of joints
    fused = [network.features(stream_input(skeleton, layout, s), index_t)["fusion_out"] for s, network in networks]
    return torch.cat([(each.mean(dim=2) @ means).flatten(1) for each in fused], dim=1)


def to_onnx(
    module: nn.Module, example: tuple[Tensor, ...], inputs: Sequence[str], outputs: Sequence[str]
) -> onnx.ModelProto:
    """Convert a module to ONNX with a dynamic first axis. ``example``: a tensor per input, of two samples or more."""
    batch = torch.export.Dim("batch", min=1)
    exporter_log = logging.getLogger("torch.onnx")
    level = exporter_log.level
    exporter_log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter warns about its internals
            program = torch.onnx.export(
                module,
                example,
                dynamo=True,
                opset_version=OPSET,
                input_names=inputs,
                output_names=outputs,
                dynamic_shapes=tuple({0: batch} for _ in example),
                verbose=False,
            )
    finally:
        exporter_log.setLevel(level)
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program")
    model: onnx.ModelProto = program.model_proto
    return model
