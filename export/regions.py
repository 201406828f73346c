"""Where a deploy graph may be less precise than FP32. Decided by the modules it is built of, carried by its ONNX nodes.

A graph is FP32 but for what stands inside a ``HalfRegion``; inside one, a ``FullRegion`` is FP32 again. The layers that
bear int8 are the ``Quantizable`` ones. Knows no network.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import onnx
from torch import nn

HALF_KEY, INT8_KEY = "half", "int8"
_SCOPES_KEY = "pkg.torch.onnx.name_scopes"


class HalfRegion(nn.Module):
    """What is inside may run in FP16."""


class FullRegion(nn.Module):
    """Inside a ``HalfRegion``: what is inside this runs in FP32 all the same."""


class QuantizableLinear(nn.Linear):
    """A linear map whose product may run in int8."""


class QuantizableConv(nn.Conv2d):
    """A convolution whose product may run in int8."""


@dataclass(frozen=True)
class Marks:
    """What a node says of itself: the region in which it may be FP16, the layer that it is if int8 is borne."""

    half: str | None
    int8: str | None


def marks_of(node: onnx.NodeProto) -> Marks:
    """What ``mark_nodes`` wrote; nothing on any other node."""
    props = {entry.key: entry.value for entry in node.metadata_props}
    return Marks(props.get(HALF_KEY), props.get(INT8_KEY))


def mark_nodes(model: onnx.ModelProto, module: nn.Module) -> None:
    """Write on every node which region of ``module`` it came from, and take off all else the exporter wrote there.

    Nodes are named after the part of the module that they are. A node that does not say where it came from stays
    unmarked, which is FP32.
    """
    names: dict[str, int] = {}
    for node in model.graph.node:
        path = _path(node)
        inside = _inside(module, path)
        half = next((name for name, part in reversed(inside) if isinstance(part, HalfRegion | FullRegion)), None)
        del node.metadata_props[:]
        if half is not None and isinstance(module.get_submodule(half), HalfRegion):
            _write(node, HALF_KEY, half)
            is_quantizable = isinstance(inside[-1][1], QuantizableLinear | QuantizableConv)
            if is_quantizable and node.op_type in {"MatMul", "Conv"}:
                _write(node, INT8_KEY, path)
        name = f"{path}/{node.op_type}"
        names[name] = names.get(name, 0) + 1
        node.name = name if names[name] == 1 else f"{name}_{names[name]}"
    for described in (model.graph, *model.graph.input, *model.graph.output, *model.graph.initializer):
        del described.metadata_props[:]
    del model.graph.value_info[:]


def _path(node: onnx.NodeProto) -> str:
    """The module that a node came from, by its path; '' is the whole."""
    for entry in node.metadata_props:
        if entry.key == _SCOPES_KEY:
            scopes = json.loads(entry.value.replace("'", '"'))
            # The last is the operation's own name.
            return str(scopes[-2]) if len(scopes) > 1 else ""
    return ""


def _inside(module: nn.Module, path: str) -> list[tuple[str, nn.Module]]:
    """The modules on the way to ``path``, outermost first."""
    parts = path.split(".") if path else []
    names = [".".join(parts[: i + 1]) for i in range(len(parts))]
    return [(name, module.get_submodule(name)) for name in names]


def _write(node: onnx.NodeProto, key: str, value: str) -> None:
    entry = node.metadata_props.add()
    entry.key, entry.value = key, value
