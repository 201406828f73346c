"""Puts INT8 into a graph: a QuantizeLinear and DequantizeLinear pair before each layer that tolerates INT8.

Each layer has its own pair, and none follows a layer. A pair shared by all readers of a tensor would also quantize the
motion branch, which computes differences of neighboring frames. Symmetric; weights per output channel. Knows no data.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from mar_edge.calibration.ranges import LEVELS
from mar_edge.export.regions import HALF_KEY, marks_of

# Scales are stored as FP16; below this they would lose digits.
_SMALLEST_SCALE = float(np.finfo(np.float16).smallest_normal)
# Weights of this many values and more are stored as INT8 even where their product is FP16: the file gets smaller.
_STORED_INT8 = 256
_PRODUCTS = ("MatMul", "Conv")


def quantizable_layers(model: onnx.ModelProto) -> dict[str, str]:
    """Return the layers that tolerate INT8, in graph order, with the tensor each reads."""
    return {layer: node.input[0] for node in model.graph.node if (layer := marks_of(node).int8) is not None}


def quantize(model: onnx.ModelProto, limits: Mapping[str, float], *, store_int8: bool = False) -> onnx.ModelProto:
    """Return a copy with INT8 products.

    Args:
        model: FP32, its nodes marked (``export.regions``); the copy has the same marks.
        limits: for each layer to quantize, the magnitude at which its input saturates.
        store_int8: also store the weights of other products inside half regions as INT8; they compute in FP16.
    """
    new = onnx.ModelProto()
    new.CopyFrom(model)
    del new.graph.node[:]
    weights = {tensor.name: tensor for tensor in new.graph.initializer}
    added: dict[str, onnx.TensorProto] = {}
    for source in model.graph.node:
        node = onnx.NodeProto()
        node.CopyFrom(source)
        marks = marks_of(source)
        if marks.int8 is not None and marks.int8 in limits:
            scale = np.float16(max(limits[marks.int8] / LEVELS, _SMALLEST_SCALE)).astype(np.float32)
            new.graph.node.extend(_activation_pair(node, scale, added))
            new.graph.node.append(_weight_pair(node, weights, added))
        elif store_int8 and marks.half is not None and _is_large_product(node, weights):
            new.graph.node.append(_weight_pair(node, weights, added))
        new.graph.node.append(node)
    read = {name for node in new.graph.node for name in node.input}
    kept = [tensor for tensor in (*new.graph.initializer, *added.values()) if tensor.name in read]
    del new.graph.initializer[:]
    new.graph.initializer.extend(kept)
    return new


def _is_large_product(node: onnx.NodeProto, weights: Mapping[str, onnx.TensorProto]) -> bool:
    if node.op_type not in _PRODUCTS or node.input[1] not in weights:
        return False
    return int(np.prod(weights[node.input[1]].dims)) >= _STORED_INT8


def _activation_pair(
    node: onnx.NodeProto, scale: np.float32, added: dict[str, onnx.TensorProto]
) -> list[onnx.NodeProto]:
    """Return Q and DQ for the node's first input, and connect the node to them."""
    name = node.name
    parameters = [
        _constant(f"{name}:scale", np.array(scale, np.float32), added),
        _constant("int8:zero", np.array(0, np.int8), added),
    ]
    codes, decoded = f"{name}:codes", f"{name}:input"
    pair = [
        helper.make_node("QuantizeLinear", [node.input[0], *parameters], [codes], f"{name}:QuantizeLinear"),
        helper.make_node("DequantizeLinear", [codes, *parameters], [decoded], f"{name}:DequantizeLinear"),
    ]
    node.input[0] = decoded
    for one in pair:
        _mark_like(one, node)
    return pair


def _weight_pair(
    node: onnx.NodeProto, weights: Mapping[str, onnx.TensorProto], added: dict[str, onnx.TensorProto]
) -> onnx.NodeProto:
    """Return DQ for the node's weight, which becomes INT8, and connect the node to it."""
    weight = numpy_helper.to_array(weights[node.input[1]])
    axis = 0 if node.op_type == "Conv" else weight.ndim - 1
    codes, scale = quantize_weight(weight, axis)
    name, decoded = node.name, f"{node.name}:weight"
    inputs = [
        _constant(f"{name}:weight_codes", codes, added),
        _constant(f"{name}:weight_scale", scale, added),
        _constant(f"int8:zeros_{len(scale)}", np.zeros(len(scale), np.int8), added),
    ]
    made = helper.make_node("DequantizeLinear", inputs, [decoded], f"{name}:weight_DequantizeLinear", axis=axis)
    _mark_like(made, node)
    node.input[1] = decoded
    return made


def quantize_weight(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantize a weight. Return it as INT8, and the scale (C',) of each index of ``axis``, exact in FP16."""
    others = tuple(i for i in range(weight.ndim) if i != axis)
    scale = np.maximum(np.abs(weight).max(axis=others) / LEVELS, _SMALLEST_SCALE).astype(np.float16).astype(np.float32)
    shape = [1] * weight.ndim
    shape[axis] = -1
    codes = np.clip(np.round(weight / scale.reshape(shape)), -LEVELS, LEVELS).astype(np.int8)
    return codes, scale


def _constant(name: str, array: NDArray[np.generic], added: dict[str, onnx.TensorProto]) -> str:
    added.setdefault(name, numpy_helper.from_array(array, name))
    return name


def _mark_like(node: onnx.NodeProto, like: onnx.NodeProto) -> None:
    half = marks_of(like).half
    if half is not None:
        entry = node.metadata_props.add()
        entry.key, entry.value = HALF_KEY, half
