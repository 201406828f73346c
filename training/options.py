"""The user's choices for a run, and how they change its configuration. Opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mar_edge.edge.choices import Encoding, Stream
from mar_edge.edge.errors import MarEdgeError
from mar_edge.training.choices import Balance, Loss, Preset
from mar_edge.training.recipe import Recipe
from mar_edge.training.run_folder import RunConfig

# Share of clips to mirror or reverse, where that is on.
_HALF = 0.5
# Options that are fields of a recipe, if it has them.
_OF_RECIPE = (
    "stream",
    "encoding",
    "width",
    "depths",
    "batch",
    "lr",
    "weight_decay",
    "drop_path",
    "balance",
    "loss",
    "synthetic_share",
)
_FOR_SKELETONS = (
    "participants",
    "stream",
    "encoding",
    "drop_path",
    "balance",
    "loss",
    "synthetic_share",
    "reverse",
)
_FOR_PICTURES = ("words",)


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """The user's choices. None takes the value of the run in the folder; in a new run, that of the preset.

    An existing run resumes. Only its paths to data and its number of steps may change.

    start: checkpoint to start from. words: file of the labels' word vectors.

    participants: whose corrections to train on; everybody's if none is named.

    preset: by default ``manet`` on videos, ``concurrent`` on ``synth-concurrent``, ``corrections`` on corrections,
    ``fine-tune`` with a start, ``synthetic`` on synthetic motion, ``paper`` otherwise.

    loss: by default that of the preset; ``bce`` if the start has a sigmoid output. The other fields are those of
    ``RunConfig``, ``Recipe`` and ``Augmentation``.
    """

    data: str | None = None
    validation: str | None = None
    participants: tuple[str, ...] | None = None
    labels: Path | None = None
    start: Path | None = None
    words: Path | None = None
    preset: Preset | None = None
    stream: Stream | None = None
    encoding: Encoding | None = None
    width: int | None = None
    depths: tuple[int, int, int, int] | None = None
    epochs: int | None = None
    steps: int | None = None
    batch: int | None = None
    lr: float | None = None
    weight_decay: float | None = None
    drop_path: float | None = None
    balance: Balance | None = None
    loss: Loss | None = None
    synthetic_share: float | None = None
    mirror: bool | None = None
    reverse: bool | None = None
    seed: int | None = None


def changed(config: RunConfig, options: TrainOptions) -> RunConfig:
    """Return the configuration of a run, changed by the user's choices."""
    changes: dict[str, Any] = {name: value for name in _OF_RECIPE if (value := getattr(options, name)) is not None}
    if options.epochs is not None or options.steps is not None:
        changes |= {"epochs": options.epochs, "steps": options.steps, "least_steps": 0}
    wanted = {"mirror": options.mirror, "reverse": options.reverse}
    shares = {name: _HALF if is_on else 0.0 for name, is_on in wanted.items() if is_on is not None}
    if isinstance(config.recipe, Recipe):
        changes["augmentation"] = msgspec.structs.replace(config.recipe.augmentation, **shares)
    else:
        changes |= shares
    return msgspec.structs.replace(
        config,
        recipe=msgspec.structs.replace(config.recipe, **changes),
        seed=config.seed if options.seed is None else options.seed,
        data=options.data or config.data,
        validation=options.validation or config.validation,
        participants=config.participants if options.participants is None else options.participants,
        labels_file=str(options.labels) if options.labels else config.labels_file,
        start=str(options.start) if options.start else config.start,
        words=str(options.words) if options.words else config.words,
    )


def check_suitable(options: TrainOptions, *, pictures: bool) -> None:
    """Raise MarEdgeError if an option is for networks of another kind: on ``pictures``, or on skeletons."""
    for name in _FOR_SKELETONS if pictures else _FOR_PICTURES:
        if getattr(options, name) is not None:
            suits, trains = ("skeletons", "videos") if pictures else ("videos", "skeletons")
            raise MarEdgeError(
                f"--{name.replace('_', '-')} is for networks on {suits}, and this one is on {trains}; leave it out"
            )
    if options.preset is not None and (options.preset == "manet") != pictures:
        wanted = "--data videos:LIST or videos:FOLDER" if options.preset == "manet" else "networks on skeletons"
        raise MarEdgeError(f"the recipe '{options.preset}' is for {wanted}; leave out --recipe")


def check_shape(options: TrainOptions, fixed: dict[str, Any], start: str) -> None:
    """Raise MarEdgeError if an option contradicts the shape that a network has from its ``start``."""
    for name, value in fixed.items():
        wanted = getattr(options, name)
        if wanted is not None and wanted != value:
            raise MarEdgeError(f"--{name} {wanted}: a network that starts from {start} keeps its {name}, {value}")
