"""A model file that is small and quick, for tests of all that surrounds a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mar_edge.edge.labels import background_label, ma52_labels
from mar_edge.edge.model_file import METADATA_KEY, ModelMetadata

BACKGROUND = 11


def write(path: Path) -> Path:
    """Write a model whose answer depends on every coordinate of every frame, the frames' order and index_t.

    It leans toward label 5 (bowing head), by more or less as the joints move.
    """
    labels = (*ma52_labels()[:BACKGROUND], background_label())
    K = len(labels)
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(64, 44 * 2, K)).astype(np.float32) * 0.4
    weights = (weights - weights.mean(axis=0)).reshape(64 * 44 * 2, K)
    when = rng.normal(size=(64, K)).astype(np.float32) * 0.01
    bias = np.zeros(K, np.float32)
    bias[5] = 2.0
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["skeleton", "shape"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
            helper.make_node("Gemm", ["index_t", "when", "bias"], ["timing"]),
            helper.make_node("Add", ["scores", "timing"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probs"], axis=1),
            helper.make_node("Identity", ["logits"], ["features"]),
        ],
        "tiny",
        [
            helper.make_tensor_value_info("skeleton", TensorProto.FLOAT, ["B", 64, 44, 2]),
            helper.make_tensor_value_info("index_t", TensorProto.FLOAT, ["B", 64]),
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", K]),
            helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["B", K]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["B", K]),
        ],
        [
            numpy_helper.from_array(np.array([0, weights.shape[0]], np.int64), "shape"),
            numpy_helper.from_array(when, "when"),
            numpy_helper.from_array(bias, "bias"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    entry = model.metadata_props.add()
    entry.key = METADATA_KEY
    entry.value = ModelMetadata(
        name="tiny", layout="ma52", streams=("joint",), encoding="raw", labels=labels, background=BACKGROUND
    ).to_json()
    onnx.save(model, str(path))
    return path
