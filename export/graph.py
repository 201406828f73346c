"""The deploy graph: MMN rewritten for inference, exactly the same function. PyTorch; knows no files.

What differs from ``edge.network.mmn``, all of it exact:

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

And where it bears less than FP32 (``export.regions``): a block's branches and their mixing, the MLPs, the fusion of the
scales. FP32 stay the stem, the embedding and what the down-samplers make of it (block 0 of each scale takes differences
of it), the residual stream, LayerNorm, the frame difference, the normalisation of a branch (a division by what may be
almost nothing) and the head.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mar_edge.edge.choices import Stream
from mar_edge.edge.layout import Layout
from mar_edge.edge.model_file import Activation
from mar_edge.edge.network.mmn import HEADS, MMN, Block, DownSample, Fusion, Scale, encode, temporal_frequencies
from mar_edge.edge.preprocess import WINDOW_FRAMES
from mar_edge.export.folding import bias_of, conv_of, dense, folded, linear_of, part, scale_shift
from mar_edge.export.regions import FullRegion, HalfRegion, QuantizableConv, QuantizableLinear


class DeployGraph(nn.Module):
    """One network a stream, their logits averaged; probs = activation(logits / temperature).

    Forward: skeleton (B, 64, V, 2) normalised, in layout order, and index_t (B, 64) -> logits, probs (B, K).
    """

    def __init__(
        self,
        networks: Sequence[tuple[Stream, MMN]],
        layout: Layout,
        temperature: float = 1.0,
        activation: Activation = "softmax",
    ) -> None:
        super().__init__()
        self.activation = activation
        self.temperature = temperature
        self.streams = nn.ModuleDict({stream: DeployStream(network, stream, layout) for stream, network in networks})

    def forward(self, skeleton: Tensor, index_t: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        logits = torch.stack([stream(skeleton, index_t) for stream in self.streams.values()]).mean(dim=0)
        tempered = logits / self.temperature
        return logits, torch.sigmoid(tempered) if self.activation == "sigmoid" else torch.softmax(tempered, dim=-1)


class DeployStream(nn.Module):
    """One MMN: skeleton (B, 64, V, 2), index_t (B, 64) -> logits (B, K)."""

    bone_parents: Tensor
    frequencies: Tensor
    phases: Tensor
    joint_embedding: Tensor
    landmarks: Tensor

    def __init__(self, network: MMN, stream: Stream, layout: Layout) -> None:
        super().__init__()
        config = network.config
        # place[v] is where the network sees the layout's joint v.
        place = torch.tensor(layout.network_order).argsort()
        self.is_bone = stream == "bone"
        self.encoding = config.encoding
        self.register_buffer("bone_parents", torch.from_numpy(layout.bone_parents))
        self.register_buffer("landmarks", torch.tensor(layout.network_order)[network.landmarks])
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
        x = encode(x, self.encoding, self.landmarks)
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
    """``edge.network.mmn.Scale``, its last block's output: (B, C, T, V) -> the same shape."""

    def __init__(self, scale: Scale, place: Tensor, frames: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DeployBlock(cast(Block, block), place, frames) for block in scale.blocks))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        _, _, T, _ = x.shape
        out: Tensor = _maps(self.blocks(_tokens(x)), T)
        return out


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
        # (H, V, V), transposed: it stands on the right of (.., V).
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
        su = _maps(self.map_su(x), T)
        s, u = su[:, :quarter], su[:, quarter:]
        # All heads at once: G_h = A_h s_h.
        G = (s.reshape(-1, HEADS, quarter // HEADS * T, V) @ self.adjacency).reshape(-1, quarter, T, V)
        U = self.temporal(u)
        d = _maps(self.map_motion(step), T - 1)
        M = F.gelu(self.motion(torch.cat([d, d[:, :, -1:]], dim=2)))

        modulated = [*self.temporal_modulation(U, M), *self.skeletal_modulation(G, M * self.joint_scale)]
        gate = torch.sigmoid(self.gate_out(F.relu(self.gate_in(torch.cat([*modulated, M], dim=1)))))  # (B, 3, T, V)
        gated = torch.cat([U * gate[:, 0:1], G * gate[:, 1:2], M * gate[:, 2:3]], dim=1)
        out: Tensor = self.proj(_tokens(F.gelu(self.aggregation(gated))))
        return out


class _Modulation(nn.Module):
    """The parts of a modulated branch N(x) (1 + gamma) + beta, for a layer that weighs and adds them.

    With tanh's BatchNorm as scale and shift, gamma = a g + h and beta = b t + k where g, t are what tanh gave: the
    branch is (1 + h) N(x) + a N(x) g + b t + k, and ``_gate`` takes 1 + h, a, b and k into its weights.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        half = len(bias) // 2
        padding = (weight.shape[2] // 2, 0)
        self.gamma = conv_of(QuantizableConv, weight[:half], bias[:half], padding=padding)
        self.beta = conv_of(QuantizableConv, weight[half:], bias[half:], padding=padding)
        self.normal = _Normal()

    def forward(self, x: Tensor, motion: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x (B, C/4, T, V), motion (B, C/2, T, V) -> N(x), N(x) g and t, (B, C/4, T, V) each."""
        normal = self.normal(x)
        return normal, normal * torch.tanh(self.gamma(motion)), torch.tanh(self.beta(motion))


class _Normal(FullRegion):
    """N(x): (B, C, T, V) about its mean over (T, V) and over its unbiased standard deviation."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        N = x.shape[2] * x.shape[3]
        centred = x - x.mean(dim=(2, 3), keepdim=True)
        std = (centred * centred).mean(dim=(2, 3), keepdim=True).sqrt() * math.sqrt(N / (N - 1))
        return centred * (1 / (std + 1e-6))


class DeployDownSample(nn.Module):
    """``edge.network.mmn.DownSample``: (B, C, T, V) -> (B, C, T/2, V)."""

    def __init__(self, down: DownSample) -> None:
        super().__init__()
        self.conv = folded(down.reduction, down.bn)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        # The last window ends at the last frame: T is even, stride 2, so the frame repeated there is not reached.
        out: Tensor = self.conv(torch.cat([x[:, :, :1], x], dim=2))
        return out


class DeployFusion(HalfRegion):
    """``edge.network.mmn.Fusion``."""

    last_scale: Tensor
    last_shift: Tensor

    def __init__(self, fusion: Fusion) -> None:
        super().__init__()
        self.downs = nn.ModuleList(
            folded(part(d, 0, nn.Conv2d), part(d, 1, nn.BatchNorm2d))
            for d in (fusion.down1, fusion.down2, fusion.down3)
        )
        scale, shift = scale_shift(part(fusion.f4_proc, 0, nn.BatchNorm2d))
        self.register_buffer("last_scale", scale[:, None, None])
        self.register_buffer("last_shift", shift[:, None, None])
        self.gate_in = folded(part(fusion.gate_conv, 0, nn.Conv2d), part(fusion.gate_conv, 1, nn.BatchNorm2d))
        self.gate_out = part(fusion.gate_conv, 3, nn.Conv2d)
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


def _gate(block: Block) -> nn.Conv2d:
    """The gate's first convolution and its BatchNorm, over the parts that ``_Modulation`` gives of U, of G, and over M.

    The published order is [U modulated, G modulated, M]; see ``_Modulation`` for what is taken in here.
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
