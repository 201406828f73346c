"""The deploy graph: MMN rewritten for inference, exactly the same function. PyTorch; knows no files.

What differs from ``edge.mmn``, all of it exact:

- Tokens last: feature maps are (B, T, V, C), so that every channel mixing is one matrix product and LayerNorm needs no
  transposition. Convolutions over time are products over the frames side by side.
- The skeleton comes in its layout's joint order: whatever is indexed by joint is permuted once, here.
- The frame difference is taken before the linear map, diff(W x + b) = W diff(x): after it, the differences of block 0
  are of the size of half-precision rounding.
- BatchNorm is folded into what stands before it, or after a tanh into one scale and shift.
- The heads are one batched product; ``adj`` is its column sum; the 1 of (1 + gamma) is in gamma's shift.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edge.layout import Layout
from edge.mmn import HEADS, MMN, Block, DownSample, Fusion, Scale, motion_encoding, temporal_frequencies
from edge.model_file import Stream

Layer = TypeVar("Layer", bound=nn.Module)


class DeployGraph(nn.Module):
    """One network a stream, their logits averaged.

    Forward: skeleton (B, 64, V, 2) normalised, in layout order, and index_t (B, 64) -> logits, probs (B, K).
    """

    def __init__(self, networks: Sequence[tuple[Stream, MMN]], layout: Layout) -> None:
        super().__init__()
        self.streams = nn.ModuleList(DeployStream(network, stream, layout) for stream, network in networks)

    def forward(self, skeleton: Tensor, index_t: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        logits = torch.stack([stream(skeleton, index_t) for stream in self.streams]).mean(dim=0)
        return logits, torch.softmax(logits, dim=-1)


class DeployStream(nn.Module):
    """One MMN: skeleton (B, 64, V, 2), index_t (B, 64) -> logits (B, K)."""

    bone_parents: Tensor
    frequencies: Tensor
    phases: Tensor
    joint_embedding: Tensor

    def __init__(self, network: MMN, stream: Stream, layout: Layout) -> None:
        super().__init__()
        config = network.config
        # place[v] is where the network sees the layout's joint v.
        place = torch.tensor(layout.network_order).argsort()
        self.is_bone = stream == "bone"
        self.is_motion = config.encoding == "motion"
        self.register_buffer("bone_parents", torch.from_numpy(layout.bone_parents))
        self.stem = nn.Sequential(
            *(_linear_of_conv(layer) if isinstance(layer, nn.Conv2d) else layer for layer in network.projection)
        )
        # cos(x) = sin(x + pi / 2): one sine gives the interleaved embedding.
        self.register_buffer("frequencies", temporal_frequencies(config.width).repeat_interleave(2))
        self.register_buffer("phases", torch.tensor([0.0, math.pi / 2]).repeat(config.width // 2))
        self.register_buffer("joint_embedding", network.STPE.detach()[:, place].T.contiguous())  # (V, C)
        self.scales = nn.ModuleList(
            nn.Sequential(*(DeployBlock(cast(Block, block), place) for block in cast(Scale, scale).blocks))
            for scale in network.MFM
        )
        self.down_samplers = nn.ModuleList(DeployDownSample(cast(DownSample, down)) for down in network.DSs)
        self.fusion = DeployFusion(network.fusion)
        self.head = network.head

    def forward(self, skeleton: Tensor, index_t: Tensor) -> Tensor:
        """See the class."""
        x = skeleton
        if self.is_bone:
            x = x - x.index_select(2, self.bone_parents)
        if self.is_motion:
            x = motion_encoding(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        time_embedding = torch.sin(index_t[..., None] * self.frequencies + self.phases)  # (B, T, C)
        raw = self.stem(x) + time_embedding[:, :, None] * self.joint_embedding
        outputs = []
        for i, scale in enumerate(self.scales):
            if i:
                raw = self.down_samplers[i - 1](raw)
            outputs.append(scale(raw))
        logits: Tensor = self.head(self.fusion(outputs).mean(dim=(1, 2)))
        return logits


class DeployBlock(nn.Module):
    """``edge.mmn.Block`` on (B, T, V, C)."""

    adjacency: Tensor
    motion_taps: Tensor
    motion_bias: Tensor
    joint_scale: Tensor

    def __init__(self, block: Block, place: Tensor) -> None:
        super().__init__()
        C = block.mapping.in_features
        self.quarter = quarter = C // 4
        self.norm_1, self.norm_2 = block.norm_1, block.norm_2
        weight, bias = block.mapping.weight.detach(), block.mapping.bias.detach()
        self.map_su = _linear(weight[: 2 * quarter], bias[: 2 * quarter])
        self.map_motion = _linear(weight[2 * quarter :], None)
        # (H, V, V), transposed: it stands on the right of (.., V).
        self.register_buffer("adjacency", block.gconv.detach()[:, place][:, :, place].transpose(1, 2).contiguous())
        self.temporal = _temporal_linear(block.tconv)
        depthwise = _part(block.Motion, 0, nn.Conv2d)
        scale, shift = _scale_shift(_part(block.Motion, 1, nn.BatchNorm2d))
        self.register_buffer("motion_taps", (depthwise.weight.detach()[:, 0, :, 0] * scale[:, None]).T.contiguous())
        self.register_buffer("motion_bias", shift)
        self.register_buffer("joint_scale", block.MSM.adj.detach().sum(dim=0)[place][:, None].contiguous())
        self.skeletal_modulation = _Modulation(block.MSM.fc, block.MSM.bn)
        self.temporal_modulation = _Modulation(
            _temporal_linear(_part(block.MTM, 0, nn.Conv2d)), _part(block.MTM, 2, nn.BatchNorm2d)
        )
        self.gate_in = _fold(block.aggregation_gate)
        self.gate_out = _linear_of_conv(_part(block.aggregation_gate, 3, nn.Conv2d))
        self.aggregation = _fold(block.aggregation)
        self.proj = block.proj
        self.fc1, self.fc2 = block.mlp.fc1, block.mlp.fc2

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = x + self._mix(self.norm_1(x))
        out: Tensor = x + self.fc2(F.gelu(self.fc1(self.norm_2(x))))
        return out

    def _mix(self, x: Tensor) -> Tensor:
        s, u = self.map_su(x).split(self.quarter, dim=-1)
        G = self._skeletal(s)
        U = self.temporal(_frames_side_by_side(u))
        difference = x[:, 1:] - x[:, :-1]
        d = self.map_motion(torch.cat([difference, difference[:, -1:]], dim=1))
        padded = F.pad(d, (0, 0, 0, 0, 1, 1))
        taps = self.motion_taps
        M = F.gelu(padded[:, :-2] * taps[0] + padded[:, 1:-1] * taps[1] + padded[:, 2:] * taps[2] + self.motion_bias)

        G_mod = self.skeletal_modulation(G, M * self.joint_scale)
        U_mod = self.temporal_modulation(U, _frames_side_by_side(M))
        hidden = F.relu(self.gate_in(torch.cat([U_mod, G_mod, M], dim=-1)))
        gate = torch.sigmoid(self.gate_out(hidden))  # (B, T, V, 3)
        gated = torch.cat([U * gate[..., 0:1], G * gate[..., 1:2], M * gate[..., 2:3]], dim=-1)
        mixed: Tensor = self.proj(F.gelu(self.aggregation(gated)))
        return mixed

    def _skeletal(self, s: Tensor) -> Tensor:
        """G_h = A_h s_h for all heads at once: (B, T, V, C/4) -> the same shape."""
        B, T, V, quarter = s.shape
        per_head = quarter // HEADS
        rows = s.reshape(B, T, V, HEADS, per_head).permute(0, 3, 1, 4, 2)  # (B, H, T, C/4H, V)
        mixed = rows.reshape(B, HEADS, T * per_head, V) @ self.adjacency
        out: Tensor = mixed.reshape(B, HEADS, T, per_head, V).permute(0, 2, 4, 1, 3).reshape(B, T, V, quarter)
        return out


class _Modulation(nn.Module):
    """(G, motion) -> normalised G (1 + gamma) + beta, where gamma, beta = BatchNorm(tanh(linear(motion)))."""

    scale: Tensor
    shift: Tensor

    def __init__(self, linear: nn.Linear, bn: nn.BatchNorm2d) -> None:
        super().__init__()
        self.linear = linear
        scale, shift = _scale_shift(bn)
        shift[: len(shift) // 2] += 1
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)

    def forward(self, x: Tensor, motion: Tensor) -> Tensor:
        """See the class."""
        one_plus_gamma, beta = (torch.tanh(self.linear(motion)) * self.scale + self.shift).chunk(2, dim=-1)
        centred = x - x.mean(dim=(1, 2), keepdim=True)
        N = x.shape[1] * x.shape[2]
        # The unbiased correction is a scalar, applied last: a sum over N values overflows half precision.
        std = (centred * centred).mean(dim=(1, 2), keepdim=True).sqrt() * math.sqrt(N / (N - 1))
        return centred / (std + 1e-6) * one_plus_gamma + beta


class DeployDownSample(nn.Module):
    """``edge.mmn.DownSample`` on (B, T, V, C)."""

    def __init__(self, down: DownSample) -> None:
        super().__init__()
        self.linear = _temporal_linear(down.reduction, down.bn)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        before = torch.cat([x[:, :1], x[:, 1:-1:2]], dim=1)
        # The last window ends at the last frame: T is even, stride 2, so the frame repeated there is not reached.
        out: Tensor = self.linear(torch.cat([before, x[:, ::2], x[:, 1::2]], dim=-1))
        return out


class DeployFusion(nn.Module):
    """``edge.mmn.Fusion`` on (B, T, V, C)."""

    last_scale: Tensor
    last_shift: Tensor

    def __init__(self, fusion: Fusion) -> None:
        super().__init__()
        self.downs = nn.ModuleList(
            _temporal_linear(_part(d, 0, nn.Conv2d), _part(d, 1, nn.BatchNorm2d))
            for d in (fusion.down1, fusion.down2, fusion.down3)
        )
        scale, shift = _scale_shift(_part(fusion.f4_proc, 0, nn.BatchNorm2d))
        self.register_buffer("last_scale", scale)
        self.register_buffer("last_shift", shift)
        self.gate_in = _fold(fusion.gate_conv)
        self.gate_out = _linear_of_conv(_part(fusion.gate_conv, 3, nn.Conv2d))
        self.residual = _linear_of_conv(fusion.res_conv)

    def forward(self, scales: list[Tensor]) -> Tensor:
        """See the class."""
        maps = [
            F.relu(down(_side_by_side(x, 8 >> i)))
            for i, (down, x) in enumerate(zip(self.downs, scales[:3], strict=True))
        ]
        maps.append(F.relu(scales[3] * self.last_scale + self.last_shift))
        gate = torch.softmax(self.gate_out(F.relu(self.gate_in(torch.cat(maps, dim=-1)))), dim=-1)
        out: Tensor = self.residual(maps[3])
        for i, scale_map in enumerate(maps):
            out = out + gate[..., i : i + 1] * scale_map
        return out


def _frames_side_by_side(x: Tensor) -> Tensor:
    """(B, T, V, C) -> (B, T, V, 3 C): each frame beside its neighbours, zero beyond the ends."""
    padded = F.pad(x, (0, 0, 0, 0, 1, 1))
    return torch.cat([padded[:, :-2], x, padded[:, 2:]], dim=-1)


def _side_by_side(x: Tensor, k: int) -> Tensor:
    """(B, T, V, C) -> (B, T / k, V, k C): k frames side by side."""
    B, T, V, C = x.shape
    return x.reshape(B, T // k, k, V, C).transpose(2, 3).reshape(B, T // k, V, k * C)


def _part(layers: nn.Sequential, index: int, kind: type[Layer]) -> Layer:
    """The layer at that place, which is of that kind."""
    layer = layers[index]
    if not isinstance(layer, kind):
        raise TypeError(f"layer {index} is a {type(layer).__name__}, expected {kind.__name__}")
    return layer


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    linear.weight.data.copy_(weight)
    if bias is not None:
        linear.bias.data.copy_(bias)
    return linear


def _linear_of_conv(conv: nn.Conv2d) -> nn.Linear:
    """A 1x1 convolution as a product over the last axis."""
    return _linear(conv.weight.detach()[:, :, 0, 0], None if conv.bias is None else conv.bias.detach())


def _scale_shift(bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """BatchNorm in eval mode as x scale + shift, each (C,)."""
    buffers = dict(bn.named_buffers())
    scale = bn.weight.detach() / torch.sqrt(buffers["running_var"] + bn.eps)
    return scale, bn.bias.detach() - buffers["running_mean"] * scale


def _fold(layers: nn.Sequential) -> nn.Linear:
    """The 1x1 convolution that opens ``layers`` and the BatchNorm behind it as one product."""
    conv = _part(layers, 0, nn.Conv2d)
    scale, shift = _scale_shift(_part(layers, 1, nn.BatchNorm2d))
    bias = shift if conv.bias is None else conv.bias.detach() * scale + shift
    return _linear(conv.weight.detach()[:, :, 0, 0] * scale[:, None], bias)


def _temporal_linear(conv: nn.Conv2d, bn: nn.BatchNorm2d | None = None) -> nn.Linear:
    """A convolution over time (k, 1), grouped or not, as one product over k frames side by side (k C -> C')."""
    weight = conv.weight.detach()[..., 0]  # (C', C / groups, k)
    out_channels, per_group, k = weight.shape
    group_out = out_channels // conv.groups
    dense = weight.new_zeros(out_channels, k, conv.in_channels)
    for g in range(conv.groups):
        rows = slice(g * group_out, (g + 1) * group_out)
        dense[rows, :, g * per_group : (g + 1) * per_group] = weight[rows].transpose(1, 2)
    bias = weight.new_zeros(out_channels) if conv.bias is None else conv.bias.detach()
    dense = dense.reshape(out_channels, k * conv.in_channels)
    if bn is not None:
        scale, shift = _scale_shift(bn)
        dense, bias = dense * scale[:, None], bias * scale + shift
    return _linear(dense, bias)
