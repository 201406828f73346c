"""From an FP32 model to typed mixed FP16: precision is written into the graph, so that every runtime computes the same.

The nodes that tolerate FP16 are marked (``export.regions``). A tensor is cast only where it enters or leaves a marked
region. Knows nothing of networks or files.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mar_edge.edge.errors import MarEdgeError
from mar_edge.export.regions import marks_of

# Weights of this many values and more are stored as FP16 in the FP32 part too, and cast when they are loaded.
_STORED_HALF = 256


def half_regions(model: onnx.ModelProto) -> list[str]:
    """Return the regions that tolerate FP16, in graph order."""
    return list(dict.fromkeys(half for node in model.graph.node if (half := marks_of(node).half) is not None))


def to_half(model: onnx.ModelProto, keep_full: Collection[str] = ()) -> onnx.ModelProto:
    """Return a copy in mixed FP16, without marks. Inputs and outputs stay FP32.

    Args:
        model: FP32, its nodes marked; it may contain QuantizeLinear and DequantizeLinear.
        keep_full: marked regions to keep in FP32.

    Raises:
        MarEdgeError: a weight is too large for FP16.
    """
    converter = _Converter(model)
    for node in model.graph.node:
        half = marks_of(node).half
        converter.add(node, half is not None and half not in keep_full)
    return converter.model()


def with_rounding(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a mixed FP16 model that computes in FP32 and rounds each FP16 result.

    ONNX Runtime has few FP16 kernels for CPUs. It computes most of such a graph in FP32, without rounding in between.
    There the file itself looks more accurate than on a GPU.
    """
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    halves = {
        value.name for value in inferred.graph.value_info if value.type.tensor_type.elem_type == TensorProto.FLOAT16
    }
    new = onnx.ModelProto()
    new.CopyFrom(model)
    del new.graph.node[:], new.graph.value_info[:]
    for tensor in new.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT16:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name))
    for source in model.graph.node:
        node = onnx.NodeProto()
        node.CopyFrom(source)
        rounds = [name for name in source.output if name in halves]
        node.output[:] = [f"{name}:exact" if name in halves else name for name in source.output]
        if source.op_type == "Cast" and rounds:
            node = helper.make_node("Identity", source.input, node.output)
        new.graph.node.append(node)
        for name in rounds:
            new.graph.node.append(helper.make_node("Cast", [f"{name}:exact"], [f"{name}:half"], to=TensorProto.FLOAT16))
            new.graph.node.append(helper.make_node("Cast", [f"{name}:half"], [name], to=TensorProto.FLOAT))
    return new


class _Converter:
    """Takes the nodes in order and keeps the types of their outputs."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._source = model
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        values = (*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output)
        self._floats = {value.name for value in values if value.type.tensor_type.elem_type == TensorProto.FLOAT}
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._floats |= {name for name, tensor in self._weights.items() if tensor.data_type == TensorProto.FLOAT}
        self._half: set[str] = set()
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}
        self._casts: dict[str, str] = {}

    def add(self, node: onnx.NodeProto, half: bool) -> None:
        """Add a node that computes in FP16, or in FP32."""
        new = onnx.NodeProto()
        new.CopyFrom(node)
        del new.metadata_props[:]
        del new.input[:]
        new.input.extend(self._input(name, half) for name in node.input)
        self._nodes.append(new)
        if half:
            self._half.update(name for name in node.output if name in self._floats)

    def model(self) -> onnx.ModelProto:
        """Return the added nodes as a model with the source's inputs, outputs and metadata."""
        graph = self._source.graph
        outputs = {value.name for value in graph.output}
        if outputs & self._half:
            raise ValueError(f"the outputs {sorted(outputs & self._half)} are in an FP16 region")
        new = onnx.ModelProto()
        new.CopyFrom(self._source)
        del new.graph.node[:], new.graph.initializer[:], new.graph.value_info[:]
        new.graph.node.extend(self._nodes)
        new.graph.initializer.extend(self._initializers.values())
        _shorten_names(new)
        return new

    def _input(self, name: str, half: bool) -> str:
        if name in self._weights:
            return self._weight(self._weights[name], half)
        if name not in self._floats or half == (name in self._half):
            return name
        return self._cast(name, TensorProto.FLOAT16 if half else TensorProto.FLOAT)

    def _weight(self, tensor: onnx.TensorProto, half: bool) -> str:
        name = str(tensor.name)
        if name not in self._floats:
            self._initializers[name] = tensor
            return name
        array = numpy_helper.to_array(tensor)
        if not half and array.size < _STORED_HALF:
            self._initializers[name] = tensor
            return name
        stored = f"{name}:half"
        with np.errstate(over="ignore"):
            narrow = array.astype(np.float16)
        if not np.isfinite(narrow).all():
            raise MarEdgeError(
                f"'{name}' holds values that FP16 cannot hold, up to {np.abs(array).max():.3g}; stay with FP32"
            )
        self._initializers[stored] = numpy_helper.from_array(narrow, stored)
        return stored if half else self._cast(stored, TensorProto.FLOAT)

    def _cast(self, name: str, to: int) -> str:
        made = f"{name}:{TensorProto.DataType.Name(to).lower()}"
        if made not in self._casts:
            self._casts[made] = name
            self._nodes.append(helper.make_node("Cast", [name], [made], name=f"{made}/Cast", to=to))
        return made


def _shorten_names(model: onnx.ModelProto) -> None:
    """Shorten tensors' names, a tenth of a small model's bytes. Inputs, outputs and nodes keep theirs for messages."""
    graph = model.graph
    short = {value.name: value.name for value in (*graph.input, *graph.output)} | {"": ""}
    for number, tensor in enumerate(graph.initializer):
        short[tensor.name] = f"w{number}"
        tensor.name = short[tensor.name]
    for node in graph.node:
        for name in node.output:
            short.setdefault(name, f"t{len(short)}")
        inputs, outputs = [short[name] for name in node.input], [short[name] for name in node.output]
        del node.input[:], node.output[:]
        node.input.extend(inputs)
        node.output.extend(outputs)
