"""Average the weights of several networks (Wortsman et al., "Model soups", ICML 2022).

Networks fine-tuned from the same start on the same task lie in one basin of the loss. Their mean is more robust to
unfamiliar data than each of them, and runs as fast as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import torch

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs
from mar_edge.edge.network.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint

# Fields that all networks must share; the others describe one network each.
_SHARED = ("layout", "stream", "labels", "background", "window_s", "activation")


def average(checkpoints: Sequence[Path], out: Path) -> None:
    """Write the mean of the weights of ``checkpoints``.

    ``accuracy`` is empty, since the mean network was not measured. The rates are averaged.

    Raises:
        MarEdgeError: there are fewer than two checkpoints, or the file cannot be written. Or a file is not from
            'mar-edge train', or the networks differ in more than their weights.
    """
    check_outputs([out], list(checkpoints))
    if len(checkpoints) < 2:
        raise MarEdgeError("averaging takes two checkpoints or more")
    loaded = [load_checkpoint(path) for path in checkpoints]
    infos = []
    for path, checkpoint in zip(checkpoints, loaded, strict=True):
        if checkpoint.info is None:
            raise MarEdgeError(f"{path} has no description; only checkpoints of 'mar-edge train' can be averaged")
        infos.append(checkpoint.info)
        _check_alike(checkpoints[0], infos[0], path, checkpoint.info)
        if checkpoint.network.config != loaded[0].network.config:
            raise MarEdgeError(f"{path} and {checkpoints[0]} have different shapes, so they cannot be averaged")
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
    # Several checkpoints may name the same start; keep it once.
    training_data = "; ".join(dict.fromkeys(clause for info in infos for clause in info.training_data.split("; ")))
    trained_on = tuple(sorted({one for info in infos for one in info.trained_on}))
    info = msgspec.structs.replace(
        infos[0], accuracy={}, rates=rates, training_data=training_data, trained_on=trained_on
    )
    save_checkpoint(out, network, info)


def _check_alike(first: Path, one: CheckpointInfo, path: Path, other: CheckpointInfo) -> None:
    for field in _SHARED:
        if getattr(one, field) != getattr(other, field):
            raise MarEdgeError(f"{path} and {first} differ in their {field}; average networks of the same task")
    if bool(one.rates) != bool(other.rates):
        raise MarEdgeError(
            f"only one of {path} and {first} states its training rates; average networks of the same task"
        )
