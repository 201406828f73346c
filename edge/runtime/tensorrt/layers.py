"""What the kernels of an engine compute, and in which types, read from TensorRT's own reports. Runs nothing.

There are two: the builder of TensorRT for RTX writes one to its log, which needs no GPU; full TensorRT gives one of an
engine that it has loaded, as JSON.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

LOG_BEGINS = "Layers:"

# A product computes in the first of these that it reads: int8 beside half is a weight stored so and decoded, float
# beside either is the residual, added behind the product.
_TYPES = ("Half", "BFloat16", "Int8", "Float")
_OTHER_NAMES = {"FP16": "Half", "BF16": "BFloat16", "INT8": "Int8", "FP32": "Float"}
# How much of FP32 a type keeps; a layer that computes in more than it was meant to has fallen back.
_WIDTHS = {"Int8": 1, "Half": 2, "BFloat16": 2, "Float": 4}
# Kinds of kernels that hold matrix products and convolutions; the rest is pointwise, reduction and bookkeeping.
_PRODUCTS = re.compile(r"gemm|correlation|runtime_fusion|conv|matrixmultiply", re.IGNORECASE)


@dataclass(frozen=True)
class Kernel:
    """One kernel of an engine: its kind, the types of what it reads and writes, and the ONNX nodes it computes."""

    kind: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    nodes: tuple[str, ...]

    @property
    def is_product(self) -> bool:
        """It multiplies matrices or convolves."""
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
    """The lines of the builder's report. Kernels without nodes of ours (waits, shapes) are left out."""
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
    """The layers of an inspector's JSON; likewise. Layers that it gives by name alone are left out."""
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
    """What an ONNX product node computes in: the type of each kernel of products with that node in it.

    Empty where the builder made one of a few channels part of a pointwise kernel.
    """
    return {kernel.computes_in for kernel in kernels if kernel.is_product and node in kernel.nodes}


def fallbacks(kernels: Iterable[Kernel], intended: Mapping[str, str]) -> tuple[Fallback, ...]:
    """Products of an engine that compute in a wider type than ``intended`` says (node -> type)."""
    kernels = tuple(kernels)
    found = []
    for node, kind in intended.items():
        wider = [t for t in product_types(kernels, node) if _WIDTHS.get(t, 0) > _WIDTHS.get(kind, 0)]
        found += [Fallback(node, kind, computes_in) for computes_in in sorted(wider)]
    return tuple(found)


def counted(kernels: Iterable[Kernel]) -> str:
    """``3 in float, 40 in half``: the kernels of products, by type."""
    counts = Counter(kernel.computes_in for kernel in kernels if kernel.is_product)
    return ", ".join(f"{count} in {kind.lower()}" for kind, count in sorted(counts.items()))


def table(kernels: Iterable[Kernel], fell_back: Iterable[Fallback]) -> str:
    """A line for each kernel: kind, what it reads, what it writes, the nodes in it; then the fallbacks."""
    lines = ["kind\treads\twrites\tONNX nodes"]
    lines += ["\t".join([k.kind, ",".join(k.reads), ",".join(k.writes), " ".join(k.nodes)]) for k in kernels]
    lines += [f"fallback\t{f.intended}\t{f.computes_in}\t{f.node}" for f in fell_back]
    return "\n".join(lines) + "\n"


def _nodes(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\[ONNX Layer: ([^\]]+)\]", text))


def _types(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"Datatype: (\w+)", text))


def _formats(tensors: Iterable[Any]) -> tuple[str, ...]:
    """``Half``, or the type within ``Row major linear FP16 format``."""
    found = []
    for tensor in tensors:
        words = f"{tensor.get('Format/Datatype', '')} {tensor.get('Datatype', '')}".split() if tensor else []
        named = [_OTHER_NAMES.get(word.upper(), word) for word in words]
        found.append(next((word for word in named if word in _TYPES), " ".join(words)))
    return tuple(found)
