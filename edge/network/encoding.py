"""From coordinates to the channels of the network's first layer. Computed inside the graph. PyTorch; knows no files.

``raw`` is x and y themselves (the authors' networks), ``motion`` the six channels of ``motion_encoding``, ``contact``
those and the channels of ``contact_encoding``.

Shapes: B batch, T frames, V joints, L landmarks.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mar_edge.edge.choices import Encoding


def encode(x: Tensor, encoding: Encoding, landmarks: Tensor) -> Tensor:
    """Encode x (B, 2, T, V) as (B, ``MMNConfig.channels``, T, V), the input of the network's first layer."""
    if encoding == "raw":
        return x
    if encoding == "motion":
        return motion_encoding(x)
    return torch.cat([motion_encoding(x), contact_encoding(x, landmarks)], dim=1)


def motion_encoding(x: Tensor) -> Tensor:
    """Return six channels per joint that bring micro-motion to the scale of the pose.

    Args:
        x: (B, 2, T, V) normalized coordinates.

    Returns:
        (B, 6, T, V): x; the offset from the joint's mean over time, logarithmic; its frame-to-frame difference
        (0 in the first frame), logarithmic. A nod of 6 px in a figure of 880 px is 0.01 in x, 0.3 here.
    """
    # Relative to the first frame before the mean is taken: the logarithms would magnify the rounding of the mean.
    # A joint at rest must be exactly 0.
    relative = x - x[:, :, :1]
    centered = relative - relative.mean(dim=2, keepdim=True)
    step = F.pad(x[:, :, 1:] - x[:, :, :-1], (0, 0, 1, 0))
    return torch.cat([x, _signed_log(centered, 0.5, 50.0), _signed_log(step, 0.4, 300.0)], dim=1)


def contact_encoding(x: Tensor, landmarks: Tensor) -> Tensor:
    """Return two channels per joint and landmark that bring a touch to the scale of the pose.

    Which part of a face a finger touches is a matter of a hundredth of a figure's height: as small in x as motion is.

    Args:
        x: (B, 2, T, V) normalized coordinates.
        landmarks: (L,) indices of joints.

    Returns:
        (B, 2 L, T, V): the offset from each landmark in the same frame, logarithmic.
    """
    B, _, T, V = x.shape
    places = x.index_select(3, landmarks).permute(0, 3, 1, 2)[..., None]  # (B, L, 2, T, 1)
    return _signed_log(x[:, None] - places, 0.25, 50.0).reshape(B, 2 * len(landmarks), T, V)


def _signed_log(x: Tensor, scale: float, gain: float) -> Tensor:
    return scale * torch.sign(x) * torch.log1p(gain * x.abs())
