"""One network of several: the mean of their weights (Wortsman et al., "Model soups", ICML 2022).

Networks that began from the same one and learned the same task lie in one valley of the loss. Their mean is more robust
than any of them to data unlike what they learned from, at the cost of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import torch

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs
from mar_edge.edge.network.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint

# What the networks must have in common; the rest describes each by itself.
_SHARED = ("layout", "stream", "labels", "background", "window_s", "activation")


def average(checkpoints: Sequence[Path], out: Path) -> None:
    """Write the mean of the weights of ``checkpoints``.

    What it was measured with does not hold for the mean, so ``accuracy`` is empty; the rates are the mean ones.

    Raises:
        MarEdgeError: fewer than two, a file that is no checkpoint of ours, networks that differ in more than their
            weights, or the file cannot be written.
    """
    check_outputs([out], list(checkpoints))
    if len(checkpoints) < 2:
        raise MarEdgeError("an average is of two checkpoints or more")
    loaded = [load_checkpoint(path) for path in checkpoints]
    infos = []
    for path, checkpoint in zip(checkpoints, loaded, strict=True):
        if checkpoint.info is None:
            raise MarEdgeError(f"{path} does not say what it is; checkpoints of 'mar-edge train' are averaged")
        infos.append(checkpoint.info)
        _check_alike(checkpoints[0], infos[0], path, checkpoint.info)
        if checkpoint.network.config != loaded[0].network.config:
            raise MarEdgeError(f"{path} and {checkpoints[0]} are networks of different shapes; only equal ones average")
    states = [checkpoint.network.state_dict() for checkpoint in loaded]
    mean = {
        name: torch.stack([state[name].double() for state in states]).mean(dim=0).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }
    network = loaded[0].network
    network.load_state_dict(mean)
    rates = tuple(sum(values) / len(infos) for values in zip(*(info.rates for info in infos), strict=True))
    # What several say, such as where all began, is said once.
    training_data = "; ".join(dict.fromkeys(clause for info in infos for clause in info.training_data.split("; ")))
    info = msgspec.structs.replace(infos[0], accuracy={}, rates=rates, training_data=training_data)
    save_checkpoint(out, network, info)


def _check_alike(first: Path, one: CheckpointInfo, path: Path, other: CheckpointInfo) -> None:
    for field in _SHARED:
        if getattr(one, field) != getattr(other, field):
            raise MarEdgeError(f"{path} and {first} differ in their {field}; only networks of one task average")
    if bool(one.rates) != bool(other.rates):
        raise MarEdgeError(f"of {path} and {first} only one states its training rates; average networks of one task")
