from __future__ import annotations

import msgspec

from mar_edge.edge.labels import ma52_labels
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.movements import movements_of
from mar_edge.streaming.recognition.channels import channels_of, opposites_of

METADATA = ModelMetadata(
    name="x", layout="ma52", streams=("joint",), encoding="raw", labels=ma52_labels(), activation="sigmoid"
)


def test_all_labels_of_hands_share_a_channel() -> None:
    channels = dict(zip((label.name for label in METADATA.labels), channels_of(METADATA), strict=True))
    assert channels["waving"] == channels["touching nose"] == channels["crossing arms"] == channels["patting legs"]
    assert len({channels[name] for name in ("waving", "nodding", "shrugging", "shaking legs")}) == 4


def test_a_softmax_network_has_one_channel() -> None:
    assert set(channels_of(msgspec.structs.replace(METADATA, activation="softmax"))) == {""}


def test_opposites_of_ma52_go_both_ways() -> None:
    movements = movements_of(METADATA.labels, ())
    opposites = opposites_of(METADATA.labels, movements)
    assert len(opposites) == 8
    assert all(opposites[other] == one for one, other in opposites.items())
    assert METADATA.labels[opposites[5]].name == "head up"
    assert opposites_of(METADATA.labels[:6], movements[:6]) == {}
