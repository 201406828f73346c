"""The kernels of an engine and the types they compute in, read from TensorRT's own reports. Runs nothing.

There are two reports. The builder of TensorRT for RTX writes one to its log, which needs no GPU. Full TensorRT gives
one of a loaded engine, as JSON.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

LOG_BEGINS = "Layers:"

# A product computes in the first of these types among its inputs. INT8 with half is a weight that is stored as INT8 and
# decoded. Float with either is the residual, which is added after the product.
_TYPES = ("Half", "BFloat16", "Int8", "Float")
_OTHER_NAMES = {"FP16": "Half", "BF16": "BFloat16", "INT8": "Int8", "FP32": "Float"}
# Bytes per value. A layer that computes in a wider type than intended has fallen back.
_WIDTHS = {"Int8": 1, "Half": 2, "BFloat16": 2, "Float": 4}
# Kinds of kernels with matrix products and convolutions. The rest is pointwise, reductions and bookkeeping.
_PRODUCTS = re.compile(r"gemm|correlation|runtime_fusion|conv|matrixmultiply", re.IGNORECASE)


@dataclass(frozen=True)
class Kernel:
    """One kernel of an engine: its kind, the types of its inputs and outputs, and the ONNX nodes it computes."""

    kind: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    nodes: tuple[str, ...]

    @property
    def is_product(self) -> bool:
        """Whether it multiplies matrices or convolves."""
        return _PRODUCTS.search(self.kind) is not None

    @property
    def computes_in(self) -> str:
        """The type of its arithmetic."""
        known = [kind for kind in _TYPES if kind in self.reads]
        return known[0] if known else ", ".join(self.reads)


@dataclass(frozen=True)
class Fallback:
    """A product that computes in a wider type than the file says."""

    node: str
    intended: str
    computes_in: str


def kernels_of_log(text: str) -> tuple[Kernel, ...]:
    """Read the builder's report. Kernels without ONNX nodes (waits, shapes) are left out."""
    kernels = []
    for line in text.splitlines():
        kind = re.search(r"LayerType: ([^,]+),", line)
        nodes = _nodes(line)
        if kind is None or not nodes:
            continue
        reads, _, rest = line.partition("Outputs: [")
        writes = rest.partition("TacticName:")[0]
        reads = reads.partition("Constants: [")[0]
        kernels.append(Kernel(kind[1], _types(reads), _types(writes), nodes))
    return tuple(kernels)


def kernels_of_inspector(document: str) -> tuple[Kernel, ...]:
    """Read an inspector's JSON. Layers without ONNX nodes, or given by name only, are left out."""
    layers = msgspec.json.decode(document, type=dict[str, Any]).get("Layers", [])
    kernels = []
    for layer in layers:
        if not isinstance(layer, dict):
            continue
        nodes = _nodes(layer.get("Metadata", ""))
        if nodes:
            reads, writes = (_formats(layer.get(key, [])) for key in ("Inputs", "Outputs"))
            kernels.append(Kernel(layer.get("LayerType", ""), reads, writes, nodes))
    return tuple(kernels)


def product_types(kernels: Iterable[Kernel], node: str) -> set[str]:
    """Return the types in which an ONNX product node computes: of each product kernel that has the node.

    Empty where the builder made a product of a few channels part of a pointwise kernel.
    """
    return {kernel.computes_in for kernel in kernels if kernel.is_product and node in kernel.nodes}


def fallbacks(kernels: Iterable[Kernel], intended: Mapping[str, str]) -> tuple[Fallback, ...]:
    """Return the products of an engine that compute in a wider type than ``intended`` (node -> type)."""
    kernels = tuple(kernels)
    found = []
    for node, kind in intended.items():
        wider = [t for t in product_types(kernels, node) if _WIDTHS.get(t, 0) > _WIDTHS.get(kind, 0)]
        found += [Fallback(node, kind, computes_in) for computes_in in sorted(wider)]
    return tuple(found)


def counted(kernels: Iterable[Kernel]) -> str:
    """Return the number of product kernels by type, as ``3 in float, 40 in half``."""
    counts = Counter(kernel.computes_in for kernel in kernels if kernel.is_product)
    return ", ".join(f"{count} in {kind.lower()}" for kind, count in sorted(counts.items()))


def table(kernels: Iterable[Kernel], fell_back: Iterable[Fallback]) -> str:
    """Return a tab-separated line per kernel (kind, inputs, outputs, nodes), then one per fallback."""
    lines = ["kind\treads\twrites\tONNX nodes"]
    lines += ["\t".join([k.kind, ",".join(k.reads), ",".join(k.writes), " ".join(k.nodes)]) for k in kernels]
    lines += [f"fallback\t{f.intended}\t{f.computes_in}\t{f.node}" for f in fell_back]
    return "\n".join(lines) + "\n"


def _nodes(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\[ONNX Layer: ([^\]]+)\]", text))


def _types(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"Datatype: (\w+)", text))


def _formats(tensors: Iterable[Any]) -> tuple[str, ...]:
    """Return the type of each tensor: ``Half``, or as in ``Row major linear FP16 format``."""
    found = []
    for tensor in tensors:
        words = f"{tensor.get('Format/Datatype', '')} {tensor.get('Datatype', '')}".split() if tensor else []
        named = [_OTHER_NAMES.get(word.upper(), word) for word in words]
        found.append(next((word for word in named if word in _TYPES), " ".join(words)))
    return tuple(found)
