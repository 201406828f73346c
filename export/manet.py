"""MANet's deploy graph with what it must compute: its definition's outputs for clips of pictures. PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor

from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.network.inputs import picture_input
from mar_edge.edge.network.manet import MANet
from mar_edge.edge.pictures import SEGMENTS, SIDE
from mar_edge.export.manet_graph import DeployManet
from mar_edge.export.onnx_file import Deployed, outputs_of

_CHECK_CLIPS = 3
_COARSE = 8  # px of a square of one color


def deployed_manet(network: MANet, metadata: ModelMetadata) -> Deployed:
    """Return the graph of one network."""
    frames = _check_clips()
    with torch.no_grad():
        features = network.pooled(picture_input(frames)).mean(dim=1)
        logits = network.cls_head.fc_cls(features)  # linear, so the mean over the frames may come first
    return Deployed(
        graph=DeployManet(network, metadata.temperature, metadata.activation),
        inputs={"frames": frames},
        outputs=outputs_of(logits, features, metadata),
    )


def _check_clips() -> Tensor:
    """Return clips of colored squares (3, 8, 224, 224, 3): one at rest, one that moves, one of unrelated frames."""
    generator = torch.Generator().manual_seed(0)
    cells = SIDE // _COARSE
    colors = torch.randint(0, 256, (_CHECK_CLIPS, SEGMENTS, cells, cells, 3), generator=generator, dtype=torch.uint8)
    colors[0] = colors[0, :1]
    colors[1] = torch.stack([colors[1, 0].roll(t, dims=1) for t in range(SEGMENTS)])
    return colors.repeat_interleave(_COARSE, dim=2).repeat_interleave(_COARSE, dim=3)
