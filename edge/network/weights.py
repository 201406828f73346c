"""The tensors of a checkpoint, held against those that a network has. PyTorch; knows no family and reads no files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from mar_edge.edge.errors import MarEdgeError

N = TypeVar("N", bound=nn.Module)
_BATCHES = "num_batches_tracked"


def shape_of(state: dict[str, Tensor], name: str, dims: int, source: str) -> tuple[int, ...]:
    """Return the shape of a tensor that decides the network's.

    Raises:
        MarEdgeError: it is missing, or has another number of axes.
    """
    if name not in state:
        raise MarEdgeError(f"{source}: key '{name}' is missing")
    shape = tuple(state[name].shape)
    if len(shape) != dims:
        raise MarEdgeError(f"{source}: key '{name}' has the shape {shape}, expected {dims} axes")
    return shape


def depths_of(places: Iterable[tuple[int, int]], scales: int) -> tuple[int, ...]:
    """Return how many blocks each scale has, from the (scale, block) of each key.

    Blocks are counted, not taken from the highest number: a wrong one is then an unexpected key.
    """
    blocks = set(places)
    return tuple(sum(scale == each for scale, _ in blocks) for each in range(scales))


def with_weights(make: Callable[[], N], state: dict[str, Tensor], source: str) -> N:
    """Return a network in eval mode with these weights.

    Raises:
        MarEdgeError: a key, which the message names, is missing, unexpected, of another shape, or not finite.
    """
    with torch.device("meta"):  # shapes alone: a wrong file must not cost the memory that it asks for
        expected = make().state_dict()
    for name, tensor in expected.items():
        if name.endswith(_BATCHES):  # missing in files of old versions of torch, and not used here
            state.setdefault(name, torch.zeros_like(tensor, device="cpu"))
    check_keys(state, expected, source)
    network = make()
    network.load_state_dict(state)
    return network.eval()


def check_keys(state: Mapping[str, Tensor], expected: Mapping[str, Tensor], source: str) -> None:
    """Compare the tensors of a file with those that a network has.

    Raises:
        MarEdgeError: a key, which the message names, is missing, unexpected, of another shape, or not finite.
    """
    problems = [f"key '{name}' is missing" for name in expected if name not in state]
    problems += [f"key '{name}' is unexpected" for name in state if name not in expected]
    problems += [
        f"key '{name}' has the shape {tuple(state[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in state and state[name].shape != tensor.shape
    ]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise MarEdgeError(f"{source}: {problems[0]}{more}")
    for name, tensor in state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise MarEdgeError(f"{source}: key '{name}' holds NaN or infinite weights")
