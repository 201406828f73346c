"""The graphs of the holistic stage's networks, prepared for fewer bits: plain weights, named and marked nodes.

All products but the last before each output tolerate FP16: keypoints are pixels up to 256, which FP16 would round to
an eighth of a pixel. All convolutions among them but the first may be INT8. Knows no data.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.version_converter import convert_version

from mar_edge.edge.pose.holistic.networks import NetworkName, network_path
from mar_edge.export.regions import HALF_KEY, INT8_KEY, write_mark

# The first version with FP16 in QuantizeLinear and DequantizeLinear is 19; the package's models have 20.
_OPSET = 20
_PRODUCTS = {"Conv", "Gemm"}
# Its scales must be FP32, so all of it stays so.
_FULL = {"Resize"}


def prepared(name: NetworkName) -> onnx.ModelProto:
    """Return a network of the package in FP32, with the marks that ``export.half`` and ``quantize`` read."""
    model = convert_version(_widened(onnx.load(str(network_path(name)))), _OPSET)
    del model.graph.value_info[:]
    weights = {tensor.name for tensor in model.graph.initializer}
    pictures = {value.name for value in model.graph.input}
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{number}"
    last = _last_parts(model)
    for node in model.graph.node:
        if node.name in last or node.op_type in _FULL:
            continue
        write_mark(node, HALF_KEY, node.name)
        if node.op_type == "Conv" and node.input[1] in weights and node.input[0] not in pictures:
            write_mark(node, INT8_KEY, node.name)
    return model


def _widened(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy with FP32 weights in place of FP16 weights behind a Cast. The values are the same."""
    new = onnx.ModelProto()
    new.CopyFrom(model)
    del new.graph.node[:], new.graph.initializer[:]
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in weights:
            wide = numpy_helper.to_array(weights[node.input[0]]).astype(np.float32)
            weights[node.output[0]] = numpy_helper.from_array(wide, node.output[0])
        else:
            new.graph.node.append(node)
    read = {name for node in new.graph.node for name in node.input}
    new.graph.initializer.extend(tensor for name, tensor in weights.items() if name in read)
    assert all(tensor.data_type != TensorProto.FLOAT16 for tensor in new.graph.initializer)
    return new


def _last_parts(model: onnx.ModelProto) -> set[str]:
    """Return the names of the nodes from each output back to the products before it, these included."""
    makers = {name: node for node in model.graph.node for name in node.output}
    names: set[str] = set()
    open_tensors = [value.name for value in model.graph.output]
    while open_tensors:
        node = makers.get(open_tensors.pop())
        if node is None or node.name in names:
            continue
        names.add(node.name)
        if node.op_type not in _PRODUCTS:
            open_tensors += node.input
    return names
