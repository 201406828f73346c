"""MMN's deploy graph with what it must compute: its definition's outputs for windows of skeletons. PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mar_edge.edge.choices import Stream
from mar_edge.edge.layout import Layout
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.network.inputs import stream_input
from mar_edge.edge.network.mmn import MMN
from mar_edge.edge.preprocess import WINDOW_FRAMES
from mar_edge.export.mmn_graph import DeployGraph
from mar_edge.export.onnx_file import Deployed, outputs_of

_CHECK_WINDOWS = 5


def deployed_mmn(networks: Sequence[tuple[Stream, MMN]], layout: Layout, metadata: ModelMetadata) -> Deployed:
    """Return the graph of one network, or of a joint and a bone network whose logits are averaged."""
    generator = torch.Generator().manual_seed(0)
    skeleton = torch.rand(_CHECK_WINDOWS, WINDOW_FRAMES, layout.num_joints, 2, generator=generator) * 2 - 1
    # From a person at rest to full noise: noise alone would not test small frame differences.
    weight = torch.linspace(0, 1, _CHECK_WINDOWS)[:, None, None, None] ** 3
    skeleton = skeleton[:, :1] * (1 - weight) + skeleton * weight
    index_t = torch.linspace(-1, 1, WINDOW_FRAMES + 1)[:-1].expand(_CHECK_WINDOWS, -1).contiguous()
    logits = reference_logits(networks, layout, skeleton, index_t)
    features = reference_features(networks, layout, skeleton, index_t)
    return Deployed(
        graph=DeployGraph(networks, layout, metadata.temperature, metadata.activation),
        inputs={"skeleton": skeleton, "index_t": index_t},
        outputs=outputs_of(logits, features, metadata),
    )


@torch.no_grad()
def reference_logits(
    networks: Sequence[tuple[Stream, MMN]], layout: Layout, skeleton: Tensor, index_t: Tensor
) -> Tensor:
    """Return the PyTorch networks' mean logits (B, K) for skeleton (B, 64, V, 2) and index_t (B, 64)."""
    logits = [network(stream_input(skeleton, layout, stream), index_t) for stream, network in networks]
    return torch.stack(logits).mean(dim=0)


@torch.no_grad()
def reference_features(
    networks: Sequence[tuple[Stream, MMN]], layout: Layout, skeleton: Tensor, index_t: Tensor
) -> Tensor:
    """Return the PyTorch networks' features (B, D) for skeleton (B, 64, V, 2) and index_t (B, 64)."""
    means = torch.from_numpy(layout.region_means)[list(layout.network_order)]  # in the network's order of joints
    fused = [network.features(stream_input(skeleton, layout, s), index_t)["fusion_out"] for s, network in networks]
    return torch.cat([(each.mean(dim=2) @ means).flatten(1) for each in fused], dim=1)
