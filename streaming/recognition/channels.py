"""Which labels exclude each other: those that need the same part of the body. Data and two pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.movements import Movement

# Body groups -> channels of the body. In 17 hours of interviews at most 15 % of the instances of a group overlap one of
# another group of its channel, or another of its own; of different channels up to 58 % do (MMA-52's annotations). What
# is in no row is a channel of its own.
CHANNEL_OF_BODY = {
    "body": "trunk",
    "head": "head",
    "upper limb": "hands",
    "body-hand": "hands",
    "head-hand": "hands",
    "leg-hand": "hands",
    "lower limb": "legs",
}


def channels_of(metadata: ModelMetadata) -> list[str]:
    """Return (K,) the channel of each label of a model: labels of one channel are events one at a time.

    A softmax network learned one label a window: its second best is doubt, not a second event. So it has one channel.
    """
    if metadata.activation == "softmax":
        return [""] * len(metadata.labels)
    return [CHANNEL_OF_BODY.get(label.body, label.body) for label in metadata.labels]


def opposites_of(labels: Sequence[Label], movements: Sequence[Movement]) -> dict[int, int]:
    """Return label index -> index of the label that its way back looks like, where the model has one."""
    places = {label.name: index for index, label in enumerate(labels)}
    return {index: places[movement.opposite] for index, movement in enumerate(movements) if movement.opposite in places}
