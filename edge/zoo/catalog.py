"""The published pose models and detectors that are known by name (``models.json``). Data; downloads nothing.

``accuracy`` is the authors' figure on COCO-WholeBody's validation set. ``sha256`` is the archive's, as published by
people who downloaded it; None where no source publishes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from mar_edge.edge.errors import MarEdgeError, did_you_mean


@dataclass(frozen=True)
class KnownModel:
    """One published model.

    size: width and height of its input, px. ``licence``: the weights' license.
    url: a zip of OpenMMLab's SDK with one ONNX file in it. sha256: of the zip, or None.
    points: number of keypoints of a pose model. full_score: see ``edge.pose.simcc``.
    detector: name of the detector to use with a pose model. family: of a detector.
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
    """Return all models by name."""
    text = resources.files("mar_edge.edge").joinpath("zoo", "models.json").read_bytes()
    return {model.name: model for model in msgspec.json.decode(text, type=list[KnownModel])}


def known_model(name: str, kind: Literal["pose", "detector"] | None = None) -> KnownModel:
    """Return the model of that name.

    Raises:
        MarEdgeError: no model of that kind has the name.
    """
    models = {model.name: model for model in known_models().values() if kind in (None, model.kind)}
    if name not in models:
        what = {"pose": "pose model", "detector": "detector", None: "model"}[kind]
        close = did_you_mean(name, models)
        raise MarEdgeError(f"no {what} '{name}' and no such file; by name there are: {', '.join(models)}{close}")
    return models[name]
