"""Which labels exclude each other: those that need the same part of the body. Two pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from mar_edge.edge.body_groups import body_group
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.movements import Movement


def channels_of(metadata: ModelMetadata) -> list[str]:
    """Return (K,) the channel of each label of a model: labels of one channel are events one at a time.

    A softmax network learned one label per window: its second best label is doubt, not a second event. So it has one
    channel.
    """
    if metadata.activation == "softmax":
        return [""] * len(metadata.labels)
    return [body_group(label.body).channel for label in metadata.labels]


def opposites_of(labels: Sequence[Label], movements: Sequence[Movement]) -> dict[int, int]:
    """Return label index -> index of the label that its way back looks like, where the model has one."""
    places = {label.name: index for index, label in enumerate(labels)}
    return {index: places[movement.opposite] for index, movement in enumerate(movements) if movement.opposite in places}
