"""The published pose models and detectors that are known by name (``models.json``). Data; downloads nothing.

``accuracy`` is what their authors publish, on COCO-WholeBody's validation set. ``sha256`` is of the archive, as others
who downloaded it published it; None where nobody did.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.names import did_you_mean


@dataclass(frozen=True)
class KnownModel:
    """One published model.

    size: width and height of its input, px. points: keypoints of a pose model. full_score: see ``edge.pose.simcc``.
    detector: name of the one a pose model goes with. family: of a detector. licence: of the weights.
    url: a zip of OpenMMLab's SDK with one ONNX file in it. sha256: of the zip, or None.
    """

    name: str
    kind: Literal["pose", "detector"]
    size: tuple[int, int]
    trained_on: str
    licence: str
    url: str
    sha256: str | None
    points: int = 0
    full_score: float = 1.0
    detector: str = ""
    accuracy: str = ""
    family: Literal["rtmdet", "yolox", ""] = ""


@cache
def known_models() -> dict[str, KnownModel]:
    """All of them, by name."""
    text = resources.files("mar_edge.edge").joinpath("zoo", "models.json").read_bytes()
    return {model.name: model for model in msgspec.json.decode(text, type=list[KnownModel])}


def known_model(name: str, kind: Literal["pose", "detector"] | None = None) -> KnownModel:
    """The model of that name.

    Raises:
        MarEdgeError: there is none, or it is of another kind.
    """
    models = {model.name: model for model in known_models().values() if kind in (None, model.kind)}
    if name not in models:
        what = {"pose": "pose model", "detector": "detector", None: "model"}[kind]
        close = did_you_mean(name, models)
        raise MarEdgeError(f"no {what} '{name}' and no such file; by name there are: {', '.join(models)}{close}")
    return models[name]
