"""The input of one stream's network: joints or bones, in network order. PyTorch; knows no files."""

from __future__ import annotations

import torch
from torch import Tensor

from mar_edge.edge.choices import Stream
from mar_edge.edge.layout import Layout


def stream_input(skeleton: Tensor, layout: Layout, stream: Stream) -> Tensor:
    """Convert normalized skeletons (B, 64, V, 2) in layout order to (B, 2, 64, V, 1) in network order, for ``MMN``."""
    if stream == "bone":
        skeleton = skeleton - skeleton[:, :, torch.from_numpy(layout.bone_parents)]
    return skeleton[:, :, list(layout.network_order)].permute(0, 3, 1, 2).unsqueeze(-1)
