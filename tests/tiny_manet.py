"""A small model file of the family ``manet``, for tests of all that surrounds a model of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mar_edge.edge.labels import Label, ma52_labels
from mar_edge.edge.model_file import METADATA_KEY, ModelMetadata

LABELS = (*ma52_labels()[3:9], Label(900, "only pictures know it", "head"))
"""The first six are labels of ``tiny_model``, too."""


def write(path: Path, labels: tuple[Label, ...] = LABELS, *, leans_to: str = "", numbers: bool = True) -> Path:
    """Write a model whose answer depends on the brightness of each picture and on their order.

    Args:
        leans_to: label that wins whatever the pictures are.
        numbers: give numbers; if not, NaN.
    """
    L = len(labels)
    weights = np.random.default_rng(4).normal(size=(8, L)).astype(np.float32) * (0.02 if numbers else np.nan)
    bias = np.array([1000.0 * (label.name == leans_to) for label in labels], np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["frames"], ["numbers"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["numbers"], ["brightness"], axes=[2, 3, 4], keepdims=0),
            helper.make_node("Gemm", ["brightness", "weights", "bias"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probs"], axis=1),
        ],
        "tiny",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["B", 8, 224, 224, 3])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", L]),
            helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["B", L]),
        ],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    entry = model.metadata_props.add()
    entry.key = METADATA_KEY
    entry.value = ModelMetadata(name="tiny pictures", family="manet", layout="ma52", labels=labels).to_json()
    onnx.save(model, str(path))
    return path
