"""Weights between a fine-tuned network and the one that it began from.

On data unlike what a network was tuned on, weights on the way from its start to its end often do better than either end
(Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022). Trains nothing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import torch
from torch import Tensor

from edge.checkpoint import load_checkpoint, save_checkpoint
from edge.errors import MarEdgeError
from edge.mmn import MMN
from training.transfer import open_start


def blend(tuned: Path, start: Path, share: float, out: Path) -> None:
    """Write ``share`` of the weights of ``tuned`` and the rest of ``start``, which may encode less.

    Raises:
        MarEdgeError: ``share`` is not between 0 and 1; one of them cannot be read, or they are not of one shape, of the
            same labels and stream; ``out`` cannot be written.
    """
    if not 0 < share < 1:
        raise MarEdgeError(f"--share is between 0 and 1, the two checkpoints themselves; not {share:g}")
    new, old = load_checkpoint(tuned), open_start(start)
    info, network = new.info, new.network
    if info is None:
        raise MarEdgeError(f"{tuned} does not say what it is; blend best.pt of a training run with what it began from")
    if (info.labels, info.stream, *_shape(network)) != (old.labels, old.stream, *_shape(old.network)):
        raise MarEdgeError(f"{tuned} and {start} differ in shape, labels or stream; blend a network with its beginning")
    before = old.network.state_dict()
    if network.config.channels < old.network.config.channels:
        raise MarEdgeError(f"{start} encodes more than {tuned}; the two are the wrong way round")
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                _mix(tensor, before[name], share)
    said = f"{info.training_data}; {share:g} of its weights, the rest those that it began from"
    try:
        save_checkpoint(out, network, msgspec.structs.replace(info, training_data=said, accuracy={}))
    except (OSError, RuntimeError) as error:
        raise MarEdgeError(f"cannot write {out}: {error}") from None


def _shape(network: MMN) -> tuple[object, ...]:
    return network.config.num_joints, network.config.width, network.config.depths


def _mix(tensor: Tensor, before: Tensor, share: float) -> None:
    """In place. Of a layer that was narrower before: it saw nothing of the new inputs, and had not the new outputs."""
    tensor[: len(before)] *= share
    tensor[tuple(slice(size) for size in before.shape)] += (1 - share) * before
