"""The deploy graph: MMN rewritten for inference, exactly the same function. PyTorch; knows no files.

What differs from ``edge.mmn``, all of it exact:

- The residual stream of a block is tokens, (B, T V, C): what mixes channels alone (LayerNorm, the linear maps, the
  MLP) is one matrix product a layer. What looks along time or joints is (B, C, T, V), where convolutions and the
  product with the adjacency read memory in order; a block changes over once each way.
- The skeleton comes in its layout's joint order: whatever is indexed by joint is permuted once, here.
- The frame difference is taken before the linear map, diff(W x + b) = W diff(x): after it, the differences of block 0
  are of the size of half-precision rounding.
- BatchNorm is folded into the convolution before it; behind a tanh, where there is none, into the gate's convolution
  that follows, and the modulation with it (``_Modulation``).
- The heads are one batched product; ``adj`` is its column sum; grouped convolutions over time are dense ones (their
  groups are too narrow for vector instructions).
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
from edge.preprocess import WINDOW_FRAMES

Layer = TypeVar("Layer", bound=nn.Module)


class DeployGraph(nn.Module):
    """One network a stream, their logits averaged; probs = softmax(logits / temperature).

    Forward: skeleton (B, 64, V, 2) normalised, in layout order, and index_t (B, 64) -> logits, probs (B, K).
    """

    def __init__(self, networks: Sequence[tuple[Stream, MMN]], layout: Layout, temperature: float = 1.0) -> None:
        super().__init__()
        self.temperature = temperature
        self.streams = nn.ModuleList(DeployStream(network, stream, layout) for stream, network in networks)

    def forward(self, skeleton: Tensor, index_t: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        logits = torch.stack([stream(skeleton, index_t) for stream in self.streams]).mean(dim=0)
        return logits, torch.softmax(logits / self.temperature, dim=-1)


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
        self.stem = network.projection
        # cos(x) = sin(x + pi / 2): one sine gives the interleaved embedding.
        self.register_buffer("frequencies", temporal_frequencies(config.width).repeat_interleave(2))
        self.register_buffer("phases", torch.tensor([0.0, math.pi / 2]).repeat(config.width // 2))
        self.register_buffer("joint_embedding", network.STPE.detach()[:, None, place].contiguous())  # (C, 1, V)
        self.scales = nn.ModuleList(
            DeployScale(cast(Scale, scale), place, WINDOW_FRAMES >> i) for i, scale in enumerate(network.MFM)
        )
        self.down_samplers = nn.ModuleList(DeployDownSample(cast(DownSample, down)) for down in network.DSs)
        self.fusion = DeployFusion(network.fusion)
        self.head = network.head

    def forward(self, skeleton: Tensor, index_t: Tensor) -> Tensor:
        """See the class."""
        x = skeleton
        if self.is_bone:
            x = x - x.index_select(2, self.bone_parents)
        x = x.permute(0, 3, 1, 2)
        if self.is_motion:
            x = motion_encoding(x)
        time_embedding = torch.sin(index_t[..., None] * self.frequencies + self.phases)  # (B, T, C)
        raw = self.stem(x) + time_embedding.transpose(1, 2)[..., None] * self.joint_embedding
        outputs = []
        for i, scale in enumerate(self.scales):
            if i:
                raw = self.down_samplers[i - 1](raw)
            outputs.append(scale(raw))
        logits: Tensor = self.head(self.fusion(outputs).mean(dim=(2, 3)))
        return logits


class DeployScale(nn.Module):
    """``edge.mmn.Scale``, its last block's output: (B, C, T, V) -> the same shape."""

    def __init__(self, scale: Scale, place: Tensor, frames: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DeployBlock(cast(Block, block), place, frames) for block in scale.blocks))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        _, _, T, _ = x.shape
        out: Tensor = _maps(self.blocks(_tokens(x)), T)
        return out


class DeployBlock(nn.Module):
    """``edge.mmn.Block`` on tokens (B, T V, C) of T ``frames``."""

    adjacency: Tensor
    joint_scale: Tensor

    def __init__(self, block: Block, place: Tensor, frames: int) -> None:
        super().__init__()
        self.frames, self.joints = frames, len(place)
        self.quarter = quarter = block.mapping.in_features // 4
        self.norm_1, self.norm_2 = block.norm_1, block.norm_2
        weight, bias = block.mapping.weight.detach(), block.mapping.bias.detach()
        self.map_su = _linear(weight[: 2 * quarter], bias[: 2 * quarter])
        self.map_motion = _linear(weight[2 * quarter :], None)
        # (H, V, V), transposed: it stands on the right of (.., V).
        self.register_buffer("adjacency", block.gconv.detach()[:, place][:, :, place].transpose(1, 2).contiguous())
        self.temporal = _conv(_dense(block.tconv), _bias(block.tconv), padding=(1, 0))
        self.motion = _folded(_part(block.Motion, 0, nn.Conv2d), _part(block.Motion, 1, nn.BatchNorm2d))
        self.register_buffer("joint_scale", block.MSM.adj.detach().sum(dim=0)[place].contiguous())
        temporal, skeletal = _part(block.MTM, 0, nn.Conv2d), block.MSM.fc
        self.temporal_modulation = _Modulation(temporal.weight.detach(), _bias(temporal))
        self.skeletal_modulation = _Modulation(skeletal.weight.detach()[..., None, None], skeletal.bias.detach())
        self.gate_in = _gate(block)
        self.gate_out = _part(block.aggregation_gate, 3, nn.Conv2d)
        self.aggregation = _folded(_part(block.aggregation, 0, nn.Conv2d), _part(block.aggregation, 1, nn.BatchNorm2d))
        self.proj = block.proj
        self.fc1, self.fc2 = block.mlp.fc1, block.mlp.fc2

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = x + self.proj(_tokens(self._mix(self.norm_1(x))))
        out: Tensor = x + self.fc2(F.gelu(self.fc1(self.norm_2(x))))
        return out

    def _mix(self, x: Tensor) -> Tensor:
        """Tokens (B, T V, C) -> (B, C, T, V)."""
        T, V, quarter = self.frames, self.joints, self.quarter
        s, u = _maps(self.map_su(x), T).split(quarter, dim=1)
        # All heads at once: G_h = A_h s_h.
        G = (s.reshape(-1, HEADS, quarter // HEADS * T, V) @ self.adjacency).reshape(-1, quarter, T, V)
        U = self.temporal(u)
        d = _maps(self.map_motion(x[:, V:] - x[:, :-V]), T - 1)
        M = F.gelu(self.motion(torch.cat([d, d[:, :, -1:]], dim=2)))

        modulated = [*self.temporal_modulation(U, M), *self.skeletal_modulation(G, M * self.joint_scale)]
        gate = torch.sigmoid(self.gate_out(F.relu(self.gate_in(torch.cat([*modulated, M], dim=1)))))  # (B, 3, T, V)
        gated = torch.cat([U * gate[:, 0:1], G * gate[:, 1:2], M * gate[:, 2:3]], dim=1)
        return F.gelu(self.aggregation(gated))


class _Modulation(nn.Module):
    """The parts of a modulated branch N(x) (1 + gamma) + beta, for a layer that weighs and adds them.

    With tanh's BatchNorm as scale and shift, gamma = a g + h and beta = b t + k where g, t are what tanh gave: the
    branch is (1 + h) N(x) + a N(x) g + b t + k, and ``_gate`` takes 1 + h, a, b and k into its weights.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        half = len(bias) // 2
        padding = (weight.shape[2] // 2, 0)
        self.gamma = _conv(weight[:half], bias[:half], padding=padding)
        self.beta = _conv(weight[half:], bias[half:], padding=padding)

    def forward(self, x: Tensor, motion: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x (B, C/4, T, V), motion (B, C/2, T, V) -> N(x), N(x) g and t, (B, C/4, T, V) each."""
        N = x.shape[2] * x.shape[3]
        centred = x - x.mean(dim=(2, 3), keepdim=True)
        # The unbiased correction is a scalar, applied last: a sum over N values overflows half precision.
        std = (centred * centred).mean(dim=(2, 3), keepdim=True).sqrt() * math.sqrt(N / (N - 1))
        normal = centred * (1 / (std + 1e-6))
        return normal, normal * torch.tanh(self.gamma(motion)), torch.tanh(self.beta(motion))


class DeployDownSample(nn.Module):
    """``edge.mmn.DownSample``: (B, C, T, V) -> (B, C, T/2, V)."""

    def __init__(self, down: DownSample) -> None:
        super().__init__()
        self.conv = _folded(down.reduction, down.bn)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        # The last window ends at the last frame: T is even, stride 2, so the frame repeated there is not reached.
        out: Tensor = self.conv(torch.cat([x[:, :, :1], x], dim=2))
        return out


class DeployFusion(nn.Module):
    """``edge.mmn.Fusion``."""

    last_scale: Tensor
    last_shift: Tensor

    def __init__(self, fusion: Fusion) -> None:
        super().__init__()
        self.downs = nn.ModuleList(
            _folded(_part(d, 0, nn.Conv2d), _part(d, 1, nn.BatchNorm2d))
            for d in (fusion.down1, fusion.down2, fusion.down3)
        )
        scale, shift = _scale_shift(_part(fusion.f4_proc, 0, nn.BatchNorm2d))
        self.register_buffer("last_scale", scale[:, None, None])
        self.register_buffer("last_shift", shift[:, None, None])
        self.gate_in = _folded(_part(fusion.gate_conv, 0, nn.Conv2d), _part(fusion.gate_conv, 1, nn.BatchNorm2d))
        self.gate_out = _part(fusion.gate_conv, 3, nn.Conv2d)
        self.residual = fusion.res_conv

    def forward(self, scales: list[Tensor]) -> Tensor:
        """See the class."""
        maps = [F.relu(down(x)) for down, x in zip(self.downs, scales[:3], strict=True)]
        maps.append(F.relu(scales[3] * self.last_scale + self.last_shift))
        gate = torch.softmax(self.gate_out(F.relu(self.gate_in(torch.cat(maps, dim=1)))), dim=1)
        out: Tensor = self.residual(maps[3])
        for i, scale_map in enumerate(maps):
            out = out + gate[:, i : i + 1] * scale_map
        return out


def _tokens(x: Tensor) -> Tensor:
    """(B, C, T, V) -> (B, T V, C)."""
    B, C, T, V = x.shape
    return x.reshape(B, C, T * V).transpose(1, 2)


def _maps(x: Tensor, T: int) -> Tensor:
    """(B, T V, C) -> (B, C, T, V)."""
    B, N, C = x.shape
    return x.transpose(1, 2).reshape(B, C, T, N // T)


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


def _conv(
    weight: Tensor,
    bias: Tensor,
    *,
    stride: tuple[int, ...] = (1, 1),
    padding: tuple[int, ...] = (0, 0),
    groups: int = 1,
) -> nn.Conv2d:
    """A convolution with that weight (C', C / groups, k, 1) and bias (C',)."""
    out_channels, per_group, k, _ = weight.shape
    conv = nn.Conv2d(
        per_group * groups,
        out_channels,
        (k, 1),
        stride=(stride[0], stride[1]),
        padding=(padding[0], padding[1]),
        groups=groups,
    )
    conv.weight.data.copy_(weight)
    cast(Tensor, conv.bias).data.copy_(bias)
    return conv


def _bias(conv: nn.Conv2d) -> Tensor:
    return conv.weight.new_zeros(conv.out_channels) if conv.bias is None else conv.bias.detach()


def _scale_shift(bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """BatchNorm in eval mode as x scale + shift, each (C,)."""
    buffers = dict(bn.named_buffers())
    scale = bn.weight.detach() / torch.sqrt(buffers["running_var"] + bn.eps)
    return scale, bn.bias.detach() - buffers["running_mean"] * scale


def _folded(conv: nn.Conv2d, bn: nn.BatchNorm2d) -> nn.Conv2d:
    """A convolution and the BatchNorm behind it as one convolution."""
    scale, shift = _scale_shift(bn)
    if isinstance(conv.padding, str):
        raise TypeError(f"padding is numbers here, got '{conv.padding}'")
    return _conv(
        conv.weight.detach() * scale[:, None, None, None],
        _bias(conv) * scale + shift,
        stride=conv.stride,
        padding=conv.padding,
        groups=conv.groups,
    )


def _dense(conv: nn.Conv2d) -> Tensor:
    """The weight (C', C, k, 1) of a grouped convolution without groups."""
    weight = conv.weight.detach()
    taps = [torch.block_diag(*weight[:, :, k, 0].chunk(conv.groups)) for k in range(weight.shape[2])]
    return torch.stack(taps, dim=-1)[..., None]


def _gate(block: Block) -> nn.Conv2d:
    """The gate's first convolution and its BatchNorm, over the parts that ``_Modulation`` gives of U, of G, and over M.

    The published order is [U modulated, G modulated, M]; see ``_Modulation`` for what is taken in here.
    """
    layers = block.aggregation_gate
    scale, bias = _scale_shift(_part(layers, 1, nn.BatchNorm2d))
    weight = _part(layers, 0, nn.Conv2d).weight.detach()[:, :, 0, 0] * scale[:, None]  # (C/4, C)
    quarter = len(bias)
    columns = []
    for part, bn in (
        (weight[:, :quarter], _part(block.MTM, 2, nn.BatchNorm2d)),
        (weight[:, quarter : 2 * quarter], block.MSM.bn),
    ):
        tanh_scale, tanh_shift = _scale_shift(bn)
        (a, b), (h, k) = tanh_scale.chunk(2), tanh_shift.chunk(2)
        columns += [part * (1 + h), part * a, part * b]
        bias = bias + part @ k
    columns.append(weight[:, 2 * quarter :])
    return _conv(torch.cat(columns, dim=1)[..., None, None], bias)
