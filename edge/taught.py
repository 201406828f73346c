"""Taught labels of a model file: linear heads on the network's features. Data and checks; applies nothing.

A head gives the logit t of "this action, not something else" by itself. So sigmoid(t) is the label's score, for
networks of every activation. ``mar_edge.teaching`` makes heads, ``edge.runtime.taught`` applies them.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError

FEATURES = "features"
"""Output (B, D) of a model that heads are taught on."""
MOST_HEADS = 200
_LARGEST = 1e6
_FLOAT = np.dtype("<f4")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The head of one label, and what it was taught from. No pictures, no skeletons.

    label: its name, one of the model's labels.
    weights: (D,) float32, little-endian. bias: the logit is features @ weights + bias.
    examples, views: how many of the label were shown, and how many windows of them were used.
    idle_s: seconds of "nothing special" that were used. found: share of examples found by a head taught on the others.
    false_per_minute: events of the label that such heads report a minute in the idle part.
    taught_on: date, as 2026-11-25.
    """

    label: str
    weights: bytes
    bias: float
    examples: int
    views: int
    idle_s: float
    found: float
    false_per_minute: float
    taught_on: str

    def array(self) -> NDArray[np.float32]:
        """Return the weights (D,)."""
        return np.frombuffer(self.weights, _FLOAT).astype(np.float32)


class Taught(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was taught to a model file.

    base_sha256: hash of the model file before. new: how many of its last labels were added by teaching.
    heads: of the added labels, and of labels adapted to a person.
    """

    base_sha256: str
    new: int
    heads: tuple[Head, ...]

    @property
    def names(self) -> frozenset[str]:
        """The labels that have a head."""
        return frozenset(head.label for head in self.heads)


def weights_of(array: NDArray[np.floating]) -> bytes:
    """Return weights (D,) as ``Head`` holds them."""
    return np.ascontiguousarray(array, _FLOAT).tobytes()


def check_taught(taught: Taught, labels: tuple[str, ...], background: int | None, source: str) -> None:
    """Raise MarEdgeError unless the heads are possible for a model of these labels.

    Args:
        labels: names of all labels, the added ones last. source: the model file, for the message.
    """
    named = [head.label for head in taught.heads]
    added = labels[len(labels) - taught.new :] if taught.new else ()
    sizes = {len(head.weights) for head in taught.heads}
    sound = (
        0 <= taught.new < len(labels)
        and 0 < len(named) <= MOST_HEADS
        and len(set(named)) == len(named)
        and set(added) <= set(named) <= set(labels)
        and (background is None or (labels[background] not in named))
        and len(sizes) == 1
        and sizes.pop() % _FLOAT.itemsize == 0
    )
    if not sound:
        raise MarEdgeError(f"{source}: inconsistent metadata: {len(named)} taught labels, {taught.new} of them new")
    for head in taught.heads:
        values = head.array()
        if not (len(values) and np.isfinite(values).all() and np.abs(values).max() <= _LARGEST):
            raise MarEdgeError(f"{source}: the weights of the taught label '{head.label}' are not usable numbers")
        if not (math.isfinite(head.bias) and abs(head.bias) <= _LARGEST):
            raise MarEdgeError(f"{source}: the bias of the taught label '{head.label}' is not a usable number")
