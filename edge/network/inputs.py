"""Inputs of the networks, from what a model file's graph is given. PyTorch; knows no files."""

from __future__ import annotations

import torch
from torch import Tensor

from mar_edge.edge.choices import Stream
from mar_edge.edge.layout import Layout
from mar_edge.edge.pose.crops import IMAGENET_RGB


def stream_input(skeleton: Tensor, layout: Layout, stream: Stream) -> Tensor:
    """Convert normalized skeletons (B, 64, V, 2) in layout order to (B, 2, 64, V, 1) in network order, for ``MMN``.

    They are joints, or bones for that stream.
    """
    if stream == "bone":
        skeleton = skeleton - skeleton[:, :, torch.from_numpy(layout.bone_parents)]
    return skeleton[:, :, list(layout.network_order)].permute(0, 3, 1, 2).unsqueeze(-1)


def picture_input(frames: Tensor) -> Tensor:
    """Convert RGB frames (..., H, W, 3) uint8 to (..., 3, H, W) float32, normalized, for ``MANet``."""
    mean, std = (frames.new_tensor(values, dtype=torch.float32) for values in (IMAGENET_RGB.mean, IMAGENET_RGB.std))
    return ((frames.float() - mean) / std).movedim(-1, -3)
