"""One block of the deploy graph. PyTorch; knows no files.

Differences from ``edge.network.mmn.Block``, all of them exact:

- The residual stream is tokens, (B, T V, C): layers that mix only channels (LayerNorm, the linear maps, the MLP) are
  one matrix product each. Layers that look along time or joints take (B, C, T, V), where convolutions and the product
  with the adjacency read memory in order. A block converts once each way.
- The frame difference is taken before the linear map, diff(W x + b) = W diff(x). After it, the differences of block 0
  would be as small as half-precision rounding.
- The BatchNorm after a tanh, and the modulation with it, are folded into the gate's convolution that follows
  (``_Modulation``).
- The heads are one batched product; ``adj`` is its column sum; grouped convolutions over time are dense ones (their
  groups are too narrow for vector instructions).

The branches, their mixing and the MLP tolerate FP16 (``export.regions``). These stay FP32: the residual stream,
LayerNorm, the frame difference, and the normalization of a branch, which divides by numbers that may be near 0.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mar_edge.edge.network.mmn import HEADS, Block
from mar_edge.export.folding import bias_of, conv_of, dense, folded, linear_of, part, scale_shift
from mar_edge.export.regions import FullRegion, HalfRegion, QuantizableConv, QuantizableLinear


class DeployBlock(nn.Module):
    """``edge.network.mmn.Block`` on tokens (B, T V, C) of T ``frames``."""

    def __init__(self, block: Block, place: Tensor, frames: int) -> None:
        super().__init__()
        self.joints = len(place)
        self.norm_1, self.norm_2 = block.norm_1, block.norm_2
        self.mix = _Mix(block, place, frames)
        self.mlp = _Mlp(block)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        normed = self.norm_1(x)
        x = x + self.mix(normed, normed[:, self.joints :] - normed[:, : -self.joints])
        out: Tensor = x + self.mlp(self.norm_2(x))
        return out


class _Mlp(HalfRegion):
    """Tokens (B, T V, C) -> the same shape."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        fc1, fc2 = block.mlp.fc1, block.mlp.fc2
        self.fc1 = linear_of(QuantizableLinear, fc1.weight.detach(), fc1.bias.detach())
        self.fc2 = linear_of(QuantizableLinear, fc2.weight.detach(), fc2.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class _Mix(HalfRegion):
    """The three branches and their aggregation: tokens (B, T V, C) and their differences (B, (T-1) V, C) -> tokens."""

    adjacency: Tensor
    joint_scale: Tensor

    def __init__(self, block: Block, place: Tensor, frames: int) -> None:
        super().__init__()
        self.frames, self.joints = frames, len(place)
        self.quarter = quarter = block.mapping.in_features // 4
        weight, bias = block.mapping.weight.detach(), block.mapping.bias.detach()
        self.map_su = linear_of(QuantizableLinear, weight[: 2 * quarter], bias[: 2 * quarter])
        self.map_motion = linear_of(nn.Linear, weight[2 * quarter :], None)
        # (H, V, V), transposed: the product is (.., V) @ adjacency.
        self.register_buffer("adjacency", block.gconv.detach()[:, place][:, :, place].transpose(1, 2).contiguous())
        self.temporal = conv_of(nn.Conv2d, dense(block.tconv), bias_of(block.tconv), padding=(1, 0))
        self.motion = folded(part(block.Motion, 0, nn.Conv2d), part(block.Motion, 1, nn.BatchNorm2d))
        self.register_buffer("joint_scale", block.MSM.adj.detach().sum(dim=0)[place].contiguous())
        temporal, skeletal = part(block.MTM, 0, nn.Conv2d), block.MSM.fc
        self.temporal_modulation = _Modulation(temporal.weight.detach(), bias_of(temporal))
        self.skeletal_modulation = _Modulation(skeletal.weight.detach()[..., None, None], skeletal.bias.detach())
        self.gate_in = _gate(block)
        self.gate_out = part(block.aggregation_gate, 3, nn.Conv2d)
        self.aggregation = folded(part(block.aggregation, 0, nn.Conv2d), part(block.aggregation, 1, nn.BatchNorm2d))
        self.proj = block.proj

    def forward(self, x: Tensor, step: Tensor) -> Tensor:
        """See the class."""
        T, V, quarter = self.frames, self.joints, self.quarter
        su = maps_of(self.map_su(x), T)
        s, u = su[:, :quarter], su[:, quarter:]
        # All heads at once: G_h = A_h s_h.
        G = (s.reshape(-1, HEADS, quarter // HEADS * T, V) @ self.adjacency).reshape(-1, quarter, T, V)
        U = self.temporal(u)
        d = maps_of(self.map_motion(step), T - 1)
        M = F.gelu(self.motion(torch.cat([d, d[:, :, -1:]], dim=2)))

        modulated = [*self.temporal_modulation(U, M), *self.skeletal_modulation(G, M * self.joint_scale)]
        gate = torch.sigmoid(self.gate_out(F.relu(self.gate_in(torch.cat([*modulated, M], dim=1)))))  # (B, 3, T, V)
        gated = torch.cat([U * gate[:, 0:1], G * gate[:, 1:2], M * gate[:, 2:3]], dim=1)
        out: Tensor = self.proj(tokens_of(F.gelu(self.aggregation(gated))))
        return out


class _Modulation(nn.Module):
    """The parts of a modulated branch N(x) (1 + gamma) + beta, for a layer that weighs and adds them.

    The BatchNorm after tanh is a scale and a shift: ``gamma = a g + h`` and ``beta = b t + k``, where g and t are
    tanh's outputs. The branch is then ``(1 + h) N(x) + a N(x) g + b t + k``. ``_gate`` has 1 + h, a, b and k in its
    weights.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        half = len(bias) // 2
        padding = (weight.shape[2] // 2, 0)
        self.gamma = conv_of(QuantizableConv, weight[:half], bias[:half], padding=padding)
        self.beta = conv_of(QuantizableConv, weight[half:], bias[half:], padding=padding)
        self.normal = _Normal()

    def forward(self, x: Tensor, motion: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map x (B, C/4, T, V), motion (B, C/2, T, V) to N(x), N(x) g and t, (B, C/4, T, V) each."""
        normal = self.normal(x)
        return normal, normal * torch.tanh(self.gamma(motion)), torch.tanh(self.beta(motion))


class _Normal(FullRegion):
    """N(x): (B, C, T, V) less its mean over (T, V), divided by its unbiased standard deviation."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        N = x.shape[2] * x.shape[3]
        centered = x - x.mean(dim=(2, 3), keepdim=True)
        std = (centered * centered).mean(dim=(2, 3), keepdim=True).sqrt() * math.sqrt(N / (N - 1))
        return centered * (1 / (std + 1e-6))


def tokens_of(x: Tensor) -> Tensor:
    """Convert (B, C, T, V) to (B, T V, C)."""
    B, C, T, V = x.shape
    return x.reshape(B, C, T * V).transpose(1, 2)


def maps_of(x: Tensor, T: int) -> Tensor:
    """Convert (B, T V, C) to (B, C, T, V)."""
    B, N, C = x.shape
    return x.transpose(1, 2).reshape(B, C, T, N // T)


def _gate(block: Block) -> nn.Conv2d:
    """Fold the gate's first convolution and its BatchNorm, over the parts of U and of G, and over M.

    The published order is [U modulated, G modulated, M]. ``_Modulation`` says which factors are in the weights.
    """
    layers = block.aggregation_gate
    scale, bias = scale_shift(part(layers, 1, nn.BatchNorm2d))
    weight = part(layers, 0, nn.Conv2d).weight.detach()[:, :, 0, 0] * scale[:, None]  # (C/4, C)
    quarter = len(bias)
    columns = []
    for of_branch, bn in (
        (weight[:, :quarter], part(block.MTM, 2, nn.BatchNorm2d)),
        (weight[:, quarter : 2 * quarter], block.MSM.bn),
    ):
        tanh_scale, tanh_shift = scale_shift(bn)
        (a, b), (h, k) = tanh_scale.chunk(2), tanh_shift.chunk(2)
        columns += [of_branch * (1 + h), of_branch * a, of_branch * b]
        bias = bias + of_branch @ k
    columns.append(weight[:, 2 * quarter :])
    return conv_of(nn.Conv2d, torch.cat(columns, dim=1)[..., None, None], bias)
