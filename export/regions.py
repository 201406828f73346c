"""Which parts of a deploy graph tolerate less than FP32: chosen by class of module, marked on the ONNX nodes.

A graph is FP32 except inside a ``HalfRegion``; within one, a ``FullRegion`` is FP32 again. The layers that tolerate
INT8 are ``QuantizableLinear`` and ``QuantizableConv``. Knows no network.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import onnx
from torch import nn

HALF_KEY, INT8_KEY = "half", "int8"
_SCOPES_KEY = "pkg.torch.onnx.name_scopes"


class HalfRegion(nn.Module):
    """A module that may run in FP16."""


class FullRegion(nn.Module):
    """A module inside a ``HalfRegion`` that runs in FP32."""


class QuantizableLinear(nn.Linear):
    """A linear map whose product may run in INT8."""


class QuantizableConv(nn.Conv2d):
    """A convolution whose product may run in INT8."""


@dataclass(frozen=True)
class Marks:
    """Marks of a node. half: the region in which it may be FP16. int8: the layer that it is, if that may be INT8."""

    half: str | None
    int8: str | None


def marks_of(node: onnx.NodeProto) -> Marks:
    """Return the marks that ``mark_nodes`` wrote, both None on any other node."""
    props = {entry.key: entry.value for entry in node.metadata_props}
    return Marks(props.get(HALF_KEY), props.get(INT8_KEY))


def mark_nodes(model: onnx.ModelProto, module: nn.Module) -> None:
    """Mark every node with its region of ``module``, and remove all other notes of the exporter.

    Nodes are named after their submodule. A node of unknown origin stays unmarked, which is FP32.
    """
    names: dict[str, int] = {}
    for node in model.graph.node:
        path = _path(node)
        inside = _inside(module, path)
        half = next((name for name, part in reversed(inside) if isinstance(part, HalfRegion | FullRegion)), None)
        del node.metadata_props[:]
        if half is not None and isinstance(module.get_submodule(half), HalfRegion):
            write_mark(node, HALF_KEY, half)
            is_quantizable = isinstance(inside[-1][1], QuantizableLinear | QuantizableConv)
            if is_quantizable and node.op_type in {"MatMul", "Conv"}:
                write_mark(node, INT8_KEY, path)
        name = f"{path}/{node.op_type}"
        names[name] = names.get(name, 0) + 1
        node.name = name if names[name] == 1 else f"{name}_{names[name]}"
    for described in (model.graph, *model.graph.input, *model.graph.output, *model.graph.initializer):
        del described.metadata_props[:]
    del model.graph.value_info[:]


def _path(node: onnx.NodeProto) -> str:
    """Return the path of a node's module; '' is the whole."""
    for entry in node.metadata_props:
        if entry.key == _SCOPES_KEY:
            scopes = json.loads(entry.value.replace("'", '"'))
            # The last is the operation's own name.
            return str(scopes[-2]) if len(scopes) > 1 else ""
    return ""


def _inside(module: nn.Module, path: str) -> list[tuple[str, nn.Module]]:
    """Return the modules along ``path``, outermost first."""
    parts = path.split(".") if path else []
    names = [".".join(parts[: i + 1]) for i in range(len(parts))]
    return [(name, module.get_submodule(name)) for name in names]


def write_mark(node: onnx.NodeProto, key: str, value: str) -> None:
    """Mark a node with a region (``HALF_KEY``) or a layer (``INT8_KEY``)."""
    entry = node.metadata_props.add()
    entry.key, entry.value = key, value
