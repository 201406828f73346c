"""Conversions of PyTorch networks to ONNX, which take 10 to 30 s each, kept between runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import onnx
import torch
from kept import Kept, code, versions
from torch import Tensor, nn

Convert = Callable[[nn.Module, tuple[Tensor, ...], Sequence[str], Sequence[str]], onnx.ModelProto]


def keep(convert: Convert, kept: Kept) -> Convert:
    """Return ``export.onnx_file.to_onnx`` that converts a module only if that is not kept."""

    def converted(
        module: nn.Module, example: tuple[Tensor, ...], inputs: Sequence[str], outputs: Sequence[str]
    ) -> onnx.ModelProto:
        depends_on = (
            versions("torch", "onnx", "onnxscript", "onnx-ir", "numpy"),
            *code("export", "edge/network"),
            *_described(module),
            str([(tensor.shape, tensor.dtype) for tensor in example]),
            str((inputs, outputs)),
        )
        content = kept.get(
            "conversion", depends_on, lambda: convert(module, example, inputs, outputs).SerializeToString()
        )
        return onnx.ModelProto.FromString(content)

    return converted


def _described(module: nn.Module) -> Iterator[str | bytes]:
    """Yield the settings and the weights of a module and of all that is in it."""
    for name, part in module.named_modules():
        settings = {key: value for key, value in vars(part).items() if isinstance(value, str | int | float | tuple)}
        yield f"{name} {type(part)} {settings}"
    for name, tensor in module.state_dict().items():
        yield f"{name} {tensor.dtype} {tuple(tensor.shape)}"
        yield torch.as_tensor(tensor).contiguous().numpy().tobytes()
