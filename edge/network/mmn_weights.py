"""The shape of an MMN, from the weights in its checkpoint. PyTorch; reads no files."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from mar_edge.edge.choices import Encoding
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.network.mmn import SCALES, MMNConfig
from mar_edge.edge.network.weights import depths_of, shape_of

ANCHORS = ("STPE",)
"""Keys of every MMN, whose prefix is that of all others."""
_BLOCK = re.compile(r"MFM\.(\d+)\.blocks\.(\d+)\.")


def mmn_config(state: dict[str, Tensor], source: str) -> MMNConfig:
    """Return the shape of the network, from the tensors that determine it.

    Raises:
        MarEdgeError: one of them is missing, or no MMN has such a shape.
    """
    C, V = shape_of(state, "STPE", 2, source)
    channels = shape_of(state, "projection.0.weight", 4, source)[1]
    landmarks: tuple[int, ...] = ()
    if "landmarks" in state and shape_of(state, "landmarks", 1, source):
        landmarks = tuple(state["landmarks"].tolist())
        if state["landmarks"].dtype != torch.int64:
            raise MarEdgeError(f"{source}: key 'landmarks' is {state['landmarks'].dtype}, expected indices of joints")
    encoding: Encoding = "contact" if landmarks else "raw" if channels == 2 else "motion"
    places = [(int(match[1]), int(match[2])) for match in map(_BLOCK.match, state) if match]
    depths = depths_of(places, SCALES)
    if min(depths) == 0:
        raise MarEdgeError(f"{source}: key 'MFM.{depths.index(0)}.blocks.0.gconv' is missing")
    try:
        config = MMNConfig(
            num_joints=V,
            num_classes=shape_of(state, "head.weight", 2, source)[0],
            encoding=encoding,
            width=C,
            depths=(depths[0], depths[1], depths[2], depths[3]),
            landmarks=landmarks,
        )
    except ValueError as error:
        raise MarEdgeError(f"{source}: not an MMN checkpoint: {error}") from None
    if channels != config.channels:
        raise MarEdgeError(
            f"{source}: key 'projection.0.weight' takes {channels} channels; expected 2 (raw), 6 (motion) or, with "
            "'landmarks', 6 and two for each landmark (contact)"
        )
    return config
