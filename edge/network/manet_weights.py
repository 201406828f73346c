"""The shape of a MANet, from the weights in its checkpoint. PyTorch; reads no files."""

from __future__ import annotations

import re

from torch import Tensor

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.network.manet import STAGES, MANetConfig
from mar_edge.edge.network.weights import depths_of, shape_of

_STEM, _CLASSIFIER, _EMBEDDING = "backbone.conv1.conv.weight", "cls_head.fc_cls.weight", "cls_head.fc_emb.weight"
ANCHORS = (_STEM, _CLASSIFIER)
"""Keys of every MANet, whose prefix is that of all others."""
_UNUSED = ".action_p2_"  # the authors' files hold convolutions that nothing calls
_BLOCK = re.compile(r"backbone\.layer(\d+)\.(\d+)\.")


def without_unused(state: dict[str, Tensor], notes: list[str]) -> dict[str, Tensor]:
    """Return the weights that the network has, and add to ``notes`` how many others the authors' file holds."""
    used = {name: tensor for name, tensor in state.items() if _UNUSED not in name}
    if len(used) < len(state):
        notes.append(f"{len(state) - len(used)} unused tensors left out ({_UNUSED.strip('.')}*)")
    return used


def manet_config(state: dict[str, Tensor], source: str) -> MANetConfig:
    """Return the shape of the network, from the tensors that determine it.

    Raises:
        MarEdgeError: one of them is missing, or no MANet has such a shape.
    """
    places = [(int(match[1]) - 1, int(match[2])) for match in map(_BLOCK.match, state) if match]
    depths = depths_of(places, STAGES)
    if min(depths) == 0:
        raise MarEdgeError(f"{source}: key 'backbone.layer{depths.index(0) + 1}.0.conv1.conv.net.weight' is missing")
    try:
        return MANetConfig(
            num_classes=shape_of(state, _CLASSIFIER, 2, source)[0],
            embedding=shape_of(state, _EMBEDDING, 2, source)[0],
            depths=(depths[0], depths[1], depths[2], depths[3]),
            width=shape_of(state, _STEM, 4, source)[0],
        )
    except ValueError as error:
        raise MarEdgeError(f"{source}: not a MANet checkpoint: {error}") from None
