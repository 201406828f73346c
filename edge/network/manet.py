"""MANet, the Micro-Action Network (Guo et al., "Benchmarking Micro-action Recognition", TCSVT 2024), in PyTorch.

A ResNet-50 over the frames of a clip. Before the first convolution of every block, a gate scales each frame's channels.
Then a shift exchanges a quarter of the channels with the frames before and after. A second head points at the word
vector of the label; it has no part in the prediction.

The definition for training and for published checkpoints: parameter names and shapes are the authors'. Their files hold
unused parameters too, which ``manet_weights`` leaves out. Knows nothing of files, labels or videos.

Shapes: B clips, T frames each, F = B T frames with those of a clip together, C channels, H x W px. K classes, E numbers
of a word vector, D features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STAGES = 4
_EXPANSION = 4  # a block's output channels, over those inside it
_REDUCTION = 4  # channels over those inside a gate
_SHIFTED = 8  # one part in 8 of the channels moves a frame back, another one a frame on


@dataclass(frozen=True)
class MANetConfig:
    """The network's shape. The defaults are the published one.

    embedding: E, the length of the labels' word vectors. depths: blocks in each of the four stages.
    width: channels of the stem, a multiple of 8; the features are 32 times as many.
    """

    num_classes: int = 52
    embedding: int = 300
    depths: tuple[int, int, int, int] = (3, 4, 6, 3)
    width: int = 64

    def __post_init__(self) -> None:
        if self.width % _SHIFTED or self.width < _SHIFTED:
            raise ValueError(f"width must be a multiple of {_SHIFTED}, got {self.width}")
        if len(self.depths) != STAGES or min(self.depths) < 1:
            raise ValueError(f"depths must be {STAGES} numbers of at least 1, got {self.depths}")

    @property
    def features(self) -> int:
        """D, the channels of the last stage."""
        return self.width * _EXPANSION << STAGES - 1


class MANet(nn.Module):
    """The whole network, in training form, its weights random. ``edge.network.inputs`` makes its input.

    dropout: the share of features that training drops before the heads.
    """

    def __init__(self, config: MANetConfig, dropout: float = 0.5) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config)
        self.cls_head = Head(config, dropout)

    def forward(self, imgs: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (B, K) and embedding (B, E) for normalized frames (B, T, 3, H, W)."""
        logits, embedding = self.cls_head(self.pooled(imgs))
        return logits, embedding

    def pooled(self, imgs: Tensor) -> Tensor:
        """Return the features (B, T, D) of each frame: the means of the last stage's maps."""
        B, T, _, _, _ = imgs.shape
        maps: Tensor = self.backbone(imgs.flatten(0, 1), T)  # (F, D, H/32, W/32)
        return maps.mean(dim=(2, 3)).reshape(B, T, -1)


def joint_embedding_loss(logits: Tensor, embedding: Tensor, labels: Tensor, word_vectors: Tensor) -> Tensor:
    """Return the authors' loss: cross-entropy, plus 50 times the mean squared distance to the label's word vector.

    Args:
        logits: (B, K).
        embedding: (B, E).
        labels: (B,) indices of classes.
        word_vectors: (K, E), one for each class.
    """
    return F.cross_entropy(logits, labels) + 50 * F.mse_loss(embedding, word_vectors[labels])


class Backbone(nn.Module):
    """The stem and the four stages: frames (F, 3, H, W) of clips of T -> maps (F, D, H/32, W/32)."""

    def __init__(self, config: MANetConfig) -> None:
        super().__init__()
        self.conv1 = ConvNorm(nn.Conv2d(3, config.width, 7, stride=2, padding=3, bias=False))
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        C = config.width
        for i, depth in enumerate(config.depths):
            P = config.width << i
            blocks = nn.ModuleList()
            for block in range(depth):
                blocks.append(Block(C, P, stride=2 if i and not block else 1, first=not block))
                C = P * _EXPANSION
            self.add_module(f"layer{i + 1}", blocks)

    def forward(self, x: Tensor, T: int) -> Tensor:
        """See the class."""
        x = self.maxpool(F.relu(self.conv1(x)))
        for block in self.blocks():
            x = block(x, T)
        return x

    def blocks(self) -> list[Block]:
        """Return the blocks of all stages, in order."""
        return [block for block in self.modules() if isinstance(block, Block)]


class Block(nn.Module):
    """A bottleneck of ResNet whose first convolution is gated and shifted: (F, C, H, W) -> (F, 4 P, H', W').

    The skip sees the input without gate and shift.
    """

    def __init__(self, C: int, P: int, stride: int, first: bool) -> None:
        super().__init__()
        out = P * _EXPANSION
        self.conv1 = ConvNorm(ShiftedConv(C, P))
        self.conv2 = ConvNorm(nn.Conv2d(P, P, 3, stride=stride, padding=1, bias=False))
        self.conv3 = ConvNorm(nn.Conv2d(P, out, 1, bias=False))
        self.downsample = ConvNorm(nn.Conv2d(C, out, 1, stride=stride, bias=False)) if first else None

    def forward(self, x: Tensor, T: int) -> Tensor:
        """See the class."""
        z = F.relu(self.conv1(x, T))
        z = F.relu(self.conv2(z))
        skip = x if self.downsample is None else self.downsample(x)
        return F.relu(self.conv3(z) + skip)


class ConvNorm(nn.Module):
    """A convolution and its BatchNorm. Further arguments are the convolution's."""

    def __init__(self, conv: nn.Conv2d | ShiftedConv) -> None:
        super().__init__()
        self.conv = conv
        self.bn = nn.BatchNorm2d(conv.out_channels)

    def forward(self, x: Tensor, *arguments: int) -> Tensor:
        """See the class."""
        out: Tensor = self.bn(self.conv(x, *arguments))
        return out


class ShiftedConv(nn.Module):
    """Gate, temporal shift, 1x1 convolution: (F, C, H, W) of clips of T frames -> (F, P, H, W)."""

    def __init__(self, C: int, P: int) -> None:
        super().__init__()
        self.out_channels = P
        self.net = nn.Conv2d(C, P, 1, bias=False)
        self.fcce = nn.Sequential(
            nn.Linear(C, C // _REDUCTION, bias=False),
            nn.ReLU(),
            nn.Linear(C // _REDUCTION, C, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor, T: int) -> Tensor:
        """See the class."""
        gate = self.fcce(x.mean(dim=(2, 3)))  # (F, C): each frame by itself
        out: Tensor = self.net(shifted(x * gate[:, :, None, None], T))
        return out


def shifted(x: Tensor, T: int) -> Tensor:
    """Exchange channels between the frames of each clip: (F, C, H, W) -> the same shape.

    The first eighth comes from the next frame, the second from the one before, zeros at the ends; the rest stay.
    """
    q = x.shape[1] // _SHIFTED
    clips = x.unflatten(0, (-1, T))  # (B, T, C, H, W)
    no_frame = (0, 0, 0, 0, 0, 0)  # padding of W, H and C
    from_next = F.pad(clips[:, 1:, :q], (*no_frame, 0, 1))
    from_last = F.pad(clips[:, :-1, q : 2 * q], (*no_frame, 1, 0))
    return torch.cat([from_next, from_last, clips[:, :, 2 * q :]], dim=2).flatten(0, 1)


class Head(nn.Module):
    """Classifier and embedding: features (B, T, D) -> logits (B, K) and embedding (B, E), means over the frames."""

    def __init__(self, config: MANetConfig, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fc_cls = nn.Linear(config.features, config.num_classes)
        self.fc_emb = nn.Linear(config.features, config.embedding)
        self.fc_emb_t = nn.Linear(config.embedding, config.embedding)
        for layer in (self.fc_cls, self.fc_emb, self.fc_emb_t):  # the authors' start
            nn.init.normal_(layer.weight, std=0.001)
            nn.init.zeros_(layer.bias)

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        v = self.dropout(pooled)  # one mask for both heads
        return self.fc_cls(v).mean(dim=1), self.fc_emb_t(torch.tanh(self.fc_emb(v))).mean(dim=1)
