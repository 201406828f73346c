"""MMN, the Motion-guided Modulation Network (Gu et al., "Motion Matters", ACM MM 2025), in PyTorch.

The definition for training and for published checkpoints: parameter names and shapes are the authors'. It knows
nothing of files, labels or joint names. ``export.mmn_graph`` is the same function rewritten for inference.

Shapes: B batch, C channels, T frames, V joints, K classes, H heads. Feature maps are (B, C, T, V).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mar_edge.edge.choices import Encoding
from mar_edge.edge.network.encoding import encode

HEADS = 4
SCALES = 4


@dataclass(frozen=True)
class MMNConfig:
    """The network's shape.

    encoding: channels that the first layer takes (see ``encoding``). width: C, a multiple of 16.
    depths: blocks at each of the four temporal scales.
    landmarks: the joints, in network order, that ``contact`` measures from; empty for the other encodings.
    """

    num_joints: int
    num_classes: int
    encoding: Encoding = "raw"
    width: int = 96
    depths: tuple[int, int, int, int] = (3, 3, 3, 3)
    landmarks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.width % (4 * HEADS) or self.width < 4 * HEADS:
            raise ValueError(f"width must be a multiple of {4 * HEADS}, got {self.width}")
        if len(self.depths) != SCALES or min(self.depths) < 1:
            raise ValueError(f"depths must be {SCALES} numbers of at least 1, got {self.depths}")
        if (self.encoding == "contact") != bool(self.landmarks):
            raise ValueError(f"only contact encoding has landmarks, got {self.encoding}, {self.landmarks}")
        if any(not 0 <= joint < self.num_joints for joint in self.landmarks):
            raise ValueError(f"landmarks must be joints, 0 to {self.num_joints - 1}, got {self.landmarks}")

    @property
    def channels(self) -> int:
        """The number of channels after encoding x and y."""
        return 2 if self.encoding == "raw" else 6 + 2 * len(self.landmarks)


def temporal_frequencies(width: int) -> Tensor:
    """Return the (C/2,) frequencies of the temporal embedding: exp(-2j ln(10000) / C)."""
    return torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10000.0) / width))


class MMN(nn.Module):
    """The whole network, in training form. ``forward`` returns logits, ``features`` the maps inside."""

    _frequencies: Tensor
    landmarks: Tensor

    def __init__(self, config: MMNConfig, drop_path: float = 0.0, dropout: float = 0.1) -> None:
        super().__init__()
        self.config = config
        C, V = config.width, config.num_joints
        channels = config.channels
        self.STPE = nn.Parameter(torch.empty(C, V).normal_(std=0.02))
        self.projection = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 1),
            nn.GELU(),
            nn.Conv2d(2 * channels, 3 * channels, 1),
            nn.GELU(),
            nn.Conv2d(3 * channels, C, 1),
        )
        # On the CPU: numbers are needed even where the default device holds shapes alone.
        rates = torch.linspace(0, drop_path, sum(config.depths), device="cpu").tolist()
        self.MFM = nn.ModuleList(Scale(C, V, [rates.pop(0) for _ in range(depth)]) for depth in config.depths)
        self.DSs = nn.ModuleList(DownSample(C) for _ in range(SCALES - 1))
        self.head = nn.Linear(C, config.num_classes)
        self.fusion = Fusion(C)
        self.head_drop = nn.Dropout(dropout)
        self.register_buffer("_frequencies", temporal_frequencies(C), persistent=False)
        # Saved with the weights, which depend on them.
        landmarks = torch.tensor(config.landmarks, dtype=torch.int64)
        self.register_buffer("landmarks", landmarks, persistent=bool(config.landmarks))

    def forward(self, x: Tensor, index_t: Tensor) -> Tensor:
        """Return logits (B, K) for x (B, 2, T, V, 1), joints in network order, and index_t (B, T)."""
        fused = self.features(x, index_t)["fusion_out"]
        logits: Tensor = self.head(self.head_drop(fused.mean(dim=(2, 3))))
        return logits

    def features(self, x: Tensor, index_t: Tensor) -> dict[str, Tensor]:
        """Return the feature maps (B, C, T, V) by name.

        They are ``embedding``, ``scale{i}_in``, ``scale{i}_block0_out``, ``scale{i}_out`` and ``fusion_out``.
        """
        x = x.squeeze(-1)
        embedding = self.projection(encode(x, self.config.encoding, self.landmarks)) + self._positional(index_t)
        features = {"embedding": embedding}
        raw = embedding
        outputs = []
        for i, scale in enumerate(self.MFM):
            if i:
                raw = self.DSs[i - 1](raw)  # from the previous scale's input, not its output
            block_outputs = scale(raw)
            features[f"scale{i}_in"] = raw
            features[f"scale{i}_block0_out"] = block_outputs[0]
            features[f"scale{i}_out"] = block_outputs[-1]
            outputs.append(block_outputs[-1])
        features["fusion_out"] = self.fusion(outputs)
        return features

    def _positional(self, index_t: Tensor) -> Tensor:
        angles = index_t[..., None] * self._frequencies  # (B, T, C/2)
        embedded = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)  # (B, T, C)
        return embedded.transpose(1, 2)[..., None] * self.STPE[:, None]  # (B, C, T, V)


class Scale(nn.Module):
    """The blocks of one temporal scale: (B, C, T, V) -> each block's output, in order."""

    def __init__(self, C: int, V: int, drop_paths: list[float]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(C, V, rate) for rate in drop_paths)

    def forward(self, x: Tensor) -> list[Tensor]:
        """See the class."""
        outputs = []
        for block in self.blocks:
            x = block(x)
            outputs.append(x)
        return outputs


class DownSample(nn.Module):
    """Downsampling in time: (B, C, T, V) -> (B, C, T/2, V)."""

    def __init__(self, C: int) -> None:
        super().__init__()
        self.reduction = nn.Conv2d(C, C, (3, 1), stride=(2, 1))
        self.bn = nn.BatchNorm2d(C)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.bn(self.reduction(torch.cat([x[:, :, :1], x, x[:, :, -1:]], dim=2)))
        return out


class Block(nn.Module):
    """One motion-guided skeletal-temporal former: (B, C, T, V) -> the same shape."""

    def __init__(self, C: int, V: int, drop_path: float = 0.0) -> None:
        super().__init__()
        quarter, half = C // 4, C // 2
        self.drop_path = drop_path
        self.gconv = nn.Parameter(torch.empty(HEADS, V, V).normal_(std=0.02) + torch.eye(V) / HEADS)
        self.mapping = nn.Linear(C, C)
        self.norm_1 = nn.LayerNorm(C)
        self.tconv = nn.Conv2d(quarter, quarter, (3, 1), padding=(1, 0), groups=HEADS)
        self.Motion = nn.Sequential(
            nn.Conv2d(half, half, (3, 1), padding=(1, 0), groups=half, bias=False),
            nn.BatchNorm2d(half),
            nn.GELU(),
        )
        self.proj = nn.Linear(C, C)
        self.norm_2 = nn.LayerNorm(C)
        self.mlp = MLP(C, 2 * C)
        self.MTM = nn.Sequential(nn.Conv2d(half, half, (3, 1), padding=(1, 0)), nn.Tanh(), nn.BatchNorm2d(half))
        self.MSM = SkeletalModulation(half, V)
        self.aggregation_gate = nn.Sequential(
            nn.Conv2d(C, quarter, 1, bias=False),
            nn.BatchNorm2d(quarter),
            nn.ReLU(),
            nn.Conv2d(quarter, 3, 1, bias=False),
        )
        self.aggregation = nn.Sequential(nn.Conv2d(C, C, 1, bias=False), nn.BatchNorm2d(C), nn.GELU())

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = x + self._drop(self._mix(x))
        tokens = x.permute(0, 2, 3, 1)  # (B, T, V, C)
        return x + self._drop(self.mlp(self.norm_2(tokens)).permute(0, 3, 1, 2))

    def _mix(self, x: Tensor) -> Tensor:
        C = x.shape[1]
        y = self.mapping(self.norm_1(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        s, u, m = y.split([C // 4, C // 4, C // 2], dim=1)
        B, _, T, V = s.shape
        heads = s.reshape(B, HEADS, C // (4 * HEADS), T, V)
        G = torch.einsum("hvw,bhctw->bhctv", self.gconv, heads).reshape(B, C // 4, T, V)
        U = self.tconv(u)
        difference = m[:, :, 1:] - m[:, :, :-1]
        M = self.Motion(torch.cat([difference, difference[:, :, -1:]], dim=2))

        G_mod = modulate(G, self.MSM(M))
        U_mod = modulate(U, self.MTM(M))
        gate = torch.sigmoid(self.aggregation_gate(torch.cat([U_mod, G_mod, M], dim=1)))  # (B, 3, T, V)
        # The gate multiplies the unmodulated branches: the published weights were trained that way.
        gated = torch.cat([U * gate[:, 0:1], G * gate[:, 1:2], M * gate[:, 2:3]], dim=1)
        mixed: Tensor = self.proj(self.aggregation(gated).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return mixed

    def _drop(self, branch: Tensor) -> Tensor:
        """Apply stochastic depth: drop the branch of a whole sample, in training only."""
        if not self.training or self.drop_path == 0.0:
            return branch
        keep = 1.0 - self.drop_path
        mask = branch.new_empty(branch.shape[0], 1, 1, 1).bernoulli_(keep)
        return branch * (mask / keep)


class MLP(nn.Module):
    """Two linear layers over tokens: (..., C) -> (..., C)."""

    def __init__(self, C: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(C, hidden)
        self.fc2 = nn.Linear(hidden, C)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class SkeletalModulation(nn.Module):
    """MSM: motion (B, C/2, T, V) -> gamma and beta stacked (B, C/2, T, V)."""

    def __init__(self, half: int, V: int) -> None:
        super().__init__()
        self.adj = nn.Parameter(torch.eye(V))
        self.fc = nn.Linear(half, half)
        self.bn = nn.BatchNorm2d(half)

    def forward(self, motion: Tensor) -> Tensor:
        """See the class."""
        # Summed over its first index, adj only scales each joint: the published weights were trained that way.
        scaled = (motion * self.adj.sum(dim=0)).permute(0, 2, 3, 1)
        out: Tensor = self.bn(torch.tanh(self.fc(scaled)).permute(0, 3, 1, 2))
        return out


def modulate(x: Tensor, gamma_beta: Tensor) -> Tensor:
    """Normalize x (B, C/4, T, V) over (T, V) and apply gamma, beta (B, C/2, T, V): N(x) (1 + gamma) + beta."""
    gamma, beta = gamma_beta.chunk(2, dim=1)
    mean = x.mean(dim=(2, 3), keepdim=True)
    std = x.std(dim=(2, 3), keepdim=True)  # the unbiased one
    return (x - mean) / (std + 1e-6) * (1 + gamma) + beta


class Fusion(nn.Module):
    """Motion consistency learning: the four scales, (B, C, T / 2^i, V) each, -> one map (B, C, T/8, V)."""

    def __init__(self, C: int) -> None:
        super().__init__()
        self.down1, self.down2, self.down3 = (
            nn.Sequential(nn.Conv2d(C, C, (k, 1), stride=(k, 1)), nn.BatchNorm2d(C), nn.ReLU()) for k in (8, 4, 2)
        )
        self.f4_proc = nn.Sequential(nn.BatchNorm2d(C), nn.ReLU())
        self.gate_conv = nn.Sequential(
            nn.Conv2d(4 * C, C, 1), nn.BatchNorm2d(C), nn.ReLU(), nn.Conv2d(C, SCALES, 1), nn.Softmax(dim=1)
        )
        self.res_conv = nn.Conv2d(C, C, 1)
        self.dropout = nn.Dropout(0.1)

    def forward(self, scales: list[Tensor]) -> Tensor:
        """See the class."""
        f1, f2, f3, f4 = scales
        maps = [self.down1(f1), self.down2(f2), self.down3(f3), self.f4_proc(f4)]
        gate = self.gate_conv(torch.cat(maps, dim=1))  # (B, 4, T/8, V)
        fused = sum((gate[:, i : i + 1] * m for i, m in enumerate(maps)), torch.zeros_like(f4))
        out: Tensor = self.dropout(fused) + self.res_conv(maps[3])
        return out
