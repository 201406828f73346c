"""The deploy graph of MANet: the network rewritten for inference, exactly the same function. PyTorch; knows no files.

Differences from ``edge.network.manet``, all of them exact:

- Frames come as uint8, as they were decoded. The mean color is taken from them; its division by the standard deviation
  is in the weights of the first convolution. The mean stays a step of its own: the border of zeros that the convolution
  adds has the mean color.
- BatchNorm is folded into the convolution before it.
- The features are averaged over the clip before the classifier, which is linear. The embedding is left out.

All tolerates FP16 (``export.regions``) but the features and the classifier. The convolutions of the blocks tolerate
INT8. The first does not: errors there reach everything.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mar_edge.edge.model_file import Activation
from mar_edge.edge.network.manet import Block, ConvNorm, MANet, ShiftedConv, shifted
from mar_edge.edge.pictures import SEGMENTS
from mar_edge.edge.pose.crops import IMAGENET_RGB
from mar_edge.export.folding import folded
from mar_edge.export.regions import HalfRegion, QuantizableConv


class DeployManet(nn.Module):
    """Forward: frames (B, 8, H, W, 3) uint8, RGB -> logits, probs (B, K), features (B, D).

    probs = activation(logits / temperature). The features are what the classifier sees.
    """

    mean: Tensor

    def __init__(self, network: MANet, temperature: float = 1.0, activation: Activation = "softmax") -> None:
        super().__init__()
        self.temperature, self.activation = temperature, activation
        self.register_buffer("mean", torch.tensor(IMAGENET_RGB.mean))
        self.stem = DeployStem(network.backbone.conv1)
        self.blocks = nn.Sequential(*(DeployBlock(block) for block in network.backbone.blocks()))
        self.classifier = network.cls_head.fc_cls

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See the class."""
        x = (frames.float() - self.mean).permute(0, 1, 4, 2, 3).flatten(0, 1)  # (F, 3, H, W)
        maps = self.blocks(self.stem(x))  # (F, D, H/32, W/32)
        features = maps.mean(dim=(2, 3)).unflatten(0, (-1, SEGMENTS)).mean(dim=1)
        logits = self.classifier(features)
        tempered = logits / self.temperature
        probs = torch.sigmoid(tempered) if self.activation == "sigmoid" else torch.softmax(tempered, dim=-1)
        return logits, probs, features


class DeployStem(HalfRegion):
    """Frames without their mean color (F, 3, H, W) -> (F, C, H/4, W/4)."""

    def __init__(self, conv1: ConvNorm) -> None:
        super().__init__()
        self.conv = _folded(conv1, nn.Conv2d)
        self.conv.weight.data /= torch.tensor(IMAGENET_RGB.std)[:, None, None]
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.pool(F.relu(self.conv(x)))
        return out


class DeployBlock(HalfRegion):
    """``edge.network.manet.Block`` on the frames of clips of 8."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.gate = cast(ShiftedConv, block.conv1.conv).fcce
        self.conv1, self.conv2, self.conv3 = (_folded(layer) for layer in (block.conv1, block.conv2, block.conv3))
        self.downsample = None if block.downsample is None else _folded(block.downsample)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        gate = self.gate(x.mean(dim=(2, 3)))[..., None, None]
        z = F.relu(self.conv1(shifted(x * gate, SEGMENTS)))
        z = F.relu(self.conv2(z))
        skip = x if self.downsample is None else self.downsample(x)
        return F.relu(self.conv3(z) + skip)


def _folded(layer: ConvNorm, kind: type[nn.Conv2d] = QuantizableConv) -> nn.Conv2d:
    conv = layer.conv.net if isinstance(layer.conv, ShiftedConv) else layer.conv
    return folded(conv, layer.bn, kind)
