"""From options to the job of a network on skeletons. Trains nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import msgspec

from mar_edge.edge.choices import Encoding
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, read_labels
from mar_edge.edge.movements import read_movements
from mar_edge.training.choices import Preset
from mar_edge.training.datasets.base import Dataset
from mar_edge.training.datasets.opening import SYNTHETIC, DataSpec, open_training, parse_spec
from mar_edge.training.datasets.rehearsal import with_synthetic
from mar_edge.training.datasets.stored import StoredDataset
from mar_edge.training.job import MmnJob
from mar_edge.training.options import TrainOptions, changed, check_shape
from mar_edge.training.recipe import PRESETS, Recipe
from mar_edge.training.run_folder import RunConfig
from mar_edge.training.transfer import Start, open_start

_FROM_TRAINED = ("fine-tune", "corrections")


def open_job(config: RunConfig | None, options: TrainOptions) -> MmnJob:
    """Open the start and the data of a run, and return its job.

    Args:
        config: that of the run in the folder, changed by the options; None for a new run.

    Raises:
        MarEdgeError: options contradict each other, or a file is missing or invalid.
    """
    path = options.start if config is None else Path(config.start) if config.start else None
    start = open_start(path) if path else None
    if config is None or options.preset is not None:
        config = configure(options, start)
    training, validation = _open_data(config, start)
    config = msgspec.structs.replace(
        config, data_digest=_digest(training, validation), start_sha256=start.sha256 if start else ""
    )
    if isinstance(training, StoredDataset) and isinstance(config.recipe, Recipe):
        # After the digest: the last bits of synthetic clips depend on the machine.
        training = with_synthetic(training, config.recipe.synthetic_share, config.seed)
    movements = read_movements(Path(config.labels_file)) if config.labels_file else {}
    return MmnJob(config, training, validation, start, movements)


def configure(options: TrainOptions, start: Start | None) -> RunConfig:
    """Return the configuration of a new run: the recipe, changed by the user's choices."""
    data = options.data or SYNTHETIC
    spec = parse_spec(data)
    synthetic = spec.kind == "synth"
    preset = options.preset or _usual_preset(spec, start)
    if preset in _FROM_TRAINED and start is None:
        raise MarEdgeError(
            f"the recipe '{preset}' starts from a trained network; name it with --from CHECKPOINT, or --from package"
        )
    recipe = PRESETS[preset]
    if start is not None:
        if start.activation == "sigmoid" and not recipe.several_labels:
            recipe = msgspec.structs.replace(recipe, loss="bce")
        shape = _shape_of(start, options)
        recipe = msgspec.structs.replace(recipe, **({"stream": start.stream or recipe.stream} | shape))
    config = changed(RunConfig(recipe=recipe, data=data), options)
    assert isinstance(config.recipe, Recipe)
    if spec.kind == "corrections" and not config.recipe.several_labels:
        raise MarEdgeError(
            "corrections show several labels at once; leave out --loss cross-entropy, or name another loss"
        )
    if config.participants and spec.kind != "corrections":
        raise MarEdgeError(f"--participants is for corrections:FOLDER, not for {data}")
    if synthetic and config.recipe.steps is None:
        raise MarEdgeError("synthetic motion has no epochs; give a number of steps with --steps")
    return config


def _usual_preset(spec: DataSpec, start: Start | None) -> Preset:
    if spec.concurrent:
        return "concurrent"
    if spec.kind == "corrections":
        return "corrections"
    return "fine-tune" if start else "synthetic" if spec.kind == "synth" else "paper"


def _shape_of(start: Start, options: TrainOptions) -> dict[str, Any]:
    """Return the shape of a fine-tuned network: that of its start, though its encoding may be richer."""
    shape = start.network.config
    fixed = {"encoding": shape.encoding, "width": shape.width, "depths": shape.depths}
    encodings = get_args(Encoding)
    if options.encoding is not None and encodings.index(options.encoding) > encodings.index(shape.encoding):
        fixed["encoding"] = options.encoding
    check_shape(options, fixed, start.name)
    return fixed


def _open_data(config: RunConfig, start: Start | None) -> tuple[Dataset, Dataset]:
    recipe = config.recipe
    assert isinstance(recipe, Recipe)
    labels = read_labels(Path(config.labels_file)) if config.labels_file else None
    if start is not None and parse_spec(config.data).kind == "corrections":
        labels = _extended(start.labels, labels or ())
    return open_training(
        config.data,
        config.validation,
        seed=config.seed,
        augmentation=recipe.augmentation,
        synthetic_clips=(recipe.steps or 0) * recipe.batch,
        validation_clips=recipe.validation_clips,
        validation_share=recipe.validation_share,
        labels=labels,
        participants=config.participants,
    )


def _extended(labels: tuple[Label, ...], own: tuple[Label, ...]) -> tuple[Label, ...]:
    """Return the labels of the start, and those of a label file that it does not have.

    Raises:
        MarEdgeError: a new label has the id of another one.
    """
    new = tuple(label for label in own if label.name not in {known.name for known in labels})
    taken = {label.id: label.name for label in labels}
    for label in new:
        if label.id in taken:
            raise MarEdgeError(f"--labels: '{label.name}' has the id {label.id} of '{taken[label.id]}'; choose another")
    return (*labels, *new)


def _digest(*datasets: Dataset) -> str:
    """Return the digest of data in files; synthetic motion is determined by its seed."""
    return "-".join(dataset.digest() for dataset in datasets if isinstance(dataset, StoredDataset))
