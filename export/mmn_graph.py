"""The deploy graph: MMN rewritten for inference, exactly the same function. PyTorch; knows no files.

Differences from ``edge.network.mmn``, all of them exact:

- The skeleton comes in its layout's joint order. Weights that are indexed by joint are permuted once, here.
- BatchNorm is folded into the convolution before it.
- The blocks work on tokens (``export.mmn_block``).

The fusion of the scales tolerates FP16 (``export.regions``), and so do most parts of a block. The stem, the embedding,
the downsamplers and the head stay FP32, because block 0 of each scale takes frame differences of their output.
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
from mar_edge.edge.network.encoding import encode
from mar_edge.edge.network.mmn import MMN, Block, DownSample, Fusion, Scale, temporal_frequencies
from mar_edge.edge.preprocess import WINDOW_FRAMES
from mar_edge.export.folding import folded, part, scale_shift
from mar_edge.export.mmn_block import DeployBlock, maps_of, tokens_of
from mar_edge.export.regions import HalfRegion


class DeployGraph(nn.Module):
    """One network per stream, their logits averaged; probs = activation(logits / temperature).

    Forward: skeleton (B, 64, V, 2), normalized, in layout order, and index_t (B, 64) -> logits, probs (B, K), features
    (B, D). The features of a pair are those of each stream (``DeployStream``), one after another.
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

    def forward(self, skeleton: Tensor, index_t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See the class."""
        each = [stream(skeleton, index_t) for stream in self.streams.values()]
        logits = torch.stack([logits for logits, _ in each]).mean(dim=0)
        tempered = logits / self.temperature
        probs = torch.sigmoid(tempered) if self.activation == "sigmoid" else torch.softmax(tempered, dim=-1)
        return logits, probs, torch.cat([features for _, features in each], dim=1)


class DeployStream(nn.Module):
    """One MMN: skeleton (B, 64, V, 2), index_t (B, 64) -> logits (B, K), features (B, C R).

    The classifier sees the mean of the fused map over time and joints. The features are such means for each of the R
    regions of the layout. New labels are learned from them (``mar_edge.teaching``).
    """

    bone_parents: Tensor
    frequencies: Tensor
    phases: Tensor
    joint_embedding: Tensor
    landmarks: Tensor
    region_means: Tensor

    def __init__(self, network: MMN, stream: Stream, layout: Layout) -> None:
        super().__init__()
        config = network.config
        # place[v] is the network's index of the layout's joint v.
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
        self.register_buffer("region_means", torch.from_numpy(layout.region_means))

    def forward(self, skeleton: Tensor, index_t: Tensor) -> tuple[Tensor, Tensor]:
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
        fused = self.fusion(outputs)  # (B, C, T / 8, V)
        return self.head(fused.mean(dim=(2, 3))), (fused.mean(dim=2) @ self.region_means).flatten(1)


class DeployScale(nn.Module):
    """``edge.network.mmn.Scale``, its last block only: (B, C, T, V) -> the same shape."""

    def __init__(self, scale: Scale, place: Tensor, frames: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DeployBlock(cast(Block, block), place, frames) for block in scale.blocks))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        _, _, T, _ = x.shape
        out: Tensor = maps_of(self.blocks(tokens_of(x)), T)
        return out


class DeployDownSample(nn.Module):
    """``edge.network.mmn.DownSample``: (B, C, T, V) -> (B, C, T/2, V)."""

    def __init__(self, down: DownSample) -> None:
        super().__init__()
        self.conv = folded(down.reduction, down.bn)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        # T is even and the stride is 2: the repeated last frame of the definition is never read, and left out here.
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
