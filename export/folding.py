"""Layers computed from others: BatchNorm folded into the convolution before it, groups made dense. Knows no network."""

from __future__ import annotations

from typing import TypeVar, cast

import torch
from torch import Tensor, nn

Layer = TypeVar("Layer", bound=nn.Module)
Linear = TypeVar("Linear", bound=nn.Linear)
Conv = TypeVar("Conv", bound=nn.Conv2d)


def part(layers: nn.Sequential, index: int, kind: type[Layer]) -> Layer:
    """Return the layer at that index, of that class.

    Raises:
        TypeError: it is of another class.
    """
    layer = layers[index]
    if not isinstance(layer, kind):
        raise TypeError(f"layer {index} is a {type(layer).__name__}, expected {kind.__name__}")
    return layer


def linear_of(kind: type[Linear], weight: Tensor, bias: Tensor | None) -> Linear:
    """Return a linear map with that weight (C', C) and bias (C',)."""
    linear = kind(weight.shape[1], weight.shape[0], bias=bias is not None)
    linear.weight.data.copy_(weight)
    if bias is not None:
        linear.bias.data.copy_(bias)
    return linear


def conv_of(
    kind: type[Conv],
    weight: Tensor,
    bias: Tensor,
    *,
    stride: tuple[int, ...] = (1, 1),
    padding: tuple[int, ...] = (0, 0),
    groups: int = 1,
) -> Conv:
    """Return a convolution with that weight (C', C / groups, kernel) and bias (C',)."""
    out_channels, per_group, *kernel = weight.shape
    conv = kind(
        per_group * groups,
        out_channels,
        (kernel[0], kernel[1]),
        stride=(stride[0], stride[1]),
        padding=(padding[0], padding[1]),
        groups=groups,
    )
    conv.weight.data.copy_(weight)
    cast(Tensor, conv.bias).data.copy_(bias)
    return conv


def bias_of(conv: nn.Conv2d) -> Tensor:
    """Return the bias (C',), zeros where the convolution has none."""
    return conv.weight.new_zeros(conv.out_channels) if conv.bias is None else conv.bias.detach()


def scale_shift(bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return BatchNorm in eval mode as scale and shift of x, each (C,)."""
    buffers = dict(bn.named_buffers())
    scale = bn.weight.detach() / torch.sqrt(buffers["running_var"] + bn.eps)
    return scale, bn.bias.detach() - buffers["running_mean"] * scale


def folded(conv: nn.Conv2d, bn: nn.BatchNorm2d, kind: type[nn.Conv2d] = nn.Conv2d) -> nn.Conv2d:
    """Fold a convolution and the BatchNorm after it into one convolution, of that class."""
    scale, shift = scale_shift(bn)
    if isinstance(conv.padding, str):
        raise TypeError(f"padding must be numbers, got '{conv.padding}'")
    return conv_of(
        kind,
        conv.weight.detach() * scale[:, None, None, None],
        bias_of(conv) * scale + shift,
        stride=conv.stride,
        padding=conv.padding,
        groups=conv.groups,
    )


def dense(conv: nn.Conv2d) -> Tensor:
    """Return a grouped convolution's weight (C', C, k, 1) for the same convolution without groups."""
    weight = conv.weight.detach()
    taps = [torch.block_diag(*weight[:, :, k, 0].chunk(conv.groups)) for k in range(weight.shape[2])]
    return torch.stack(taps, dim=-1)[..., None]
