"""Networks with known weights, and checkpoint and model files made from them."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mar_edge.edge.choices import Stream
from mar_edge.edge.labels import background_label, ma52_labels
from mar_edge.edge.layout import Layout
from mar_edge.edge.network.checkpoint import CheckpointInfo
from mar_edge.edge.network.manet import MANet, MANetConfig
from mar_edge.edge.network.mmn import MMN, MMNConfig

TINY = {"width": 16, "depths": (1, 1, 1, 1)}
MA52 = MMNConfig(44, 12, "motion", **TINY)
IMIGUE = MMNConfig(22, 32, "raw", width=16, depths=(1, 2, 1, 1))  # a second block, as in full size
MANET = MANetConfig(num_classes=12, embedding=6, depths=(1, 2, 1, 1), width=8)
LABELS = (*ma52_labels()[:11], background_label())
BACKGROUND = 11


N = TypeVar("N", MMN, MANet)


def golden_weights(network: N, first_ordinal: int = 0) -> N:
    """Return a network in eval mode whose weights follow from their place in the state_dict (specification, mmn.md).

    Counting from another ordinal gives another network.
    """
    state = network.state_dict()
    for ordinal, name in enumerate(published_keys(state), first_ordinal):
        if name.endswith(("num_batches_tracked", "landmarks")) or name not in state:
            continue
        state[name] = golden_tensor(name, ordinal, tuple(state[name].shape))
    network.load_state_dict(state)
    return network.eval()


def golden_tensor(name: str, ordinal: int, shape: tuple[int, ...]) -> Tensor:
    k = np.arange(math.prod(shape), dtype=np.float64)
    h = np.sin(12.9898 * k + 78.233 * ordinal + 0.5) * 43758.5453
    w = 2 * (h - np.floor(h)) - 1
    if name.endswith("running_mean"):
        w = 0.1 * w
    elif name.endswith("running_var"):
        w = 1 + 0.5 * w
    elif len(shape) >= 2:
        w = 2 * w / np.sqrt(math.prod(shape[1:]))
    elif name.endswith("weight"):
        w = 1 + 0.1 * w
    else:
        w = 0.1 * w
    return torch.from_numpy(w.reshape(shape)).float()


def published_keys(names: Iterable[str]) -> list[str]:
    """Return the keys of the authors' file, in order: theirs of MANet has unused ones after each gated convolution."""
    keys = []
    for name in names:
        keys.append(name)
        if name.endswith(".conv.net.weight"):
            keys += [name.replace(".net.", f".action_p2_{unused}.") for unused in ("squeeze", "conv1", "expand")]
    return keys


def golden(config: MMNConfig, first_ordinal: int = 0) -> MMN:
    return golden_weights(MMN(config), first_ordinal)


def golden_manet(config: MANetConfig, first_ordinal: int = 0) -> MANet:
    return golden_weights(MANet(config), first_ordinal)


def manet_file(network: MANet) -> dict[str, object]:
    """Return the content of an authors' file of MANet: that of mmcv, with the unused tensors."""
    state = network.state_dict()
    return {
        "meta": {"epoch": 40, "mmcv_version": "1.7.1"},
        "state_dict": {name: state.get(name, torch.zeros(2, 2, 1)) for name in published_keys(state)},
        "optimizer": {"state": {0: {"momentum_buffer": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]},
    }


@dataclass(frozen=True)
class Exported:
    """A model file, its networks, and the output of the command that wrote it."""

    path: Path
    sources: tuple[Path, ...]
    networks: tuple[tuple[Stream, MMN], ...]
    layout: Layout


@dataclass(frozen=True)
class ExportedManet:
    """A model file of the family manet, its checkpoint and its network."""

    path: Path
    source: Path
    network: MANet


def info(stream: Stream) -> CheckpointInfo:
    """Return the description in our own checkpoint of the tiny ma52 network."""
    return CheckpointInfo(
        layout="ma52",
        stream=stream,
        labels=LABELS,
        background=BACKGROUND,
        window_s=1.5,
        name=f"tiny {stream}",
        training_data="nothing at all",
        accuracy={"top1": 0.5, "f1 nodding": 0.25},
        licence="Apache-2.0",
    )


MANET_INFO = msgspec.structs.replace(info("joint"), family="manet", stream="", name="tiny pictures")


def save_state_dict(path: Path, network: MMN, prefix: str = "") -> Path:
    """Write a flat state_dict, as the authors publish theirs."""
    torch.save({prefix + name: tensor for name, tensor in network.state_dict().items()}, path)
    return path


def windows(count: int, num_joints: int, seed: str = "windows") -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return ``count`` normalized windows of moving joints (count, 64, V, 2), and their index_t (count, 64)."""
    rng = np.random.default_rng(zlib.crc32(seed.encode()))
    start = rng.uniform(-0.8, 0.8, (count, 1, num_joints, 2))
    wander = np.cumsum(rng.normal(0, 0.01, (count, 64, num_joints, 2)), axis=1)
    index_t = np.tile(np.arange(64) / 32 - 1, (count, 1))
    return np.clip(start + wander, -1, 1).astype(np.float32), index_t.astype(np.float32)
