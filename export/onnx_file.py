"""Writes a model file: the deploy graph as ONNX, with its metadata, checked against PyTorch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import draft_of
from mar_edge.edge.model_file import METADATA_KEY, ModelMetadata
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime
from mar_edge.edge.taught import FEATURES
from mar_edge.export.regions import mark_nodes

OPSET = 20  # the newest that every TensorRT from 10.0 on reads
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Deployed:
    """A deploy graph, and what it must compute.

    inputs: name -> (B, ...), in the order that the graph takes them; B is two or more.
    outputs: name -> (B, ...), in the order that the graph gives them, from the network's definition.
    """

    graph: nn.Module
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


def outputs_of(logits: Tensor, features: Tensor, metadata: ModelMetadata) -> dict[str, Tensor]:
    """Return the outputs of a model file by name. Probabilities follow the metadata's temperature and activation.

    Args:
        logits: (B, K) of the definition.
        features: (B, D), the same.
    """
    tempered = logits / metadata.temperature
    probs = tempered.sigmoid() if metadata.activation == "sigmoid" else tempered.softmax(dim=-1)
    return {"logits": logits, "probs": probs, FEATURES: features}


def write_model(path: Path, deployed: Deployed, metadata: ModelMetadata) -> float:
    """Write a model file.

    The file is checked under another name first, and then appears whole or not at all.

    Returns:
        The largest difference of an output between the file on ONNX Runtime and the definition in PyTorch.

    Raises:
        MarEdgeError: they differ by more than ``TOLERANCE``, or the file cannot be written.
    """
    graph = deployed.graph.eval()
    # Two windows: torch treats a dimension of size 1 as constant.
    example = tuple(torch.zeros_like(values[:2]) for values in deployed.inputs.values())
    model = to_onnx(graph, example, list(deployed.inputs), list(deployed.outputs))
    mark_nodes(model, graph)
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, metadata.to_json()
    onnx.checker.check_model(model, full_check=True)
    with draft_of(path) as draft:
        draft.write_bytes(model.SerializeToString())
        difference = largest_difference(draft, deployed)
        if not difference <= TOLERANCE:
            raise MarEdgeError(
                f"{path} not written: its answers differ from the PyTorch network by {difference:.1e}, "
                f"more than {TOLERANCE:.0e}"
            )
    return difference


def largest_difference(path: Path, deployed: Deployed) -> float:
    """Return the largest difference of an output between a model file and the definition, on ``deployed.inputs``."""
    worst = 0.0
    with OnnxRuntime(path) as runtime:
        for rows in (slice(0, 1), slice(0, None)):  # batch 1 and a larger one: the batch axis is dynamic
            found = runtime.infer({name: values[rows].numpy() for name, values in deployed.inputs.items()})
            for name, values in deployed.outputs.items():
                difference = np.abs(found[name] - values[rows].numpy()).max()
                worst = float(np.maximum(worst, difference))  # NaN stays NaN
    return worst


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
