"""From options to the job of a network on pictures. Trains nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from mar_edge.edge.labels import read_labels
from mar_edge.edge.movements import read_movements
from mar_edge.training.options import TrainOptions, changed, check_shape
from mar_edge.training.pictures.job import ManetJob
from mar_edge.training.pictures.opening import open_video_training
from mar_edge.training.pictures.recipe import MANET, ManetRecipe
from mar_edge.training.pictures.start import PictureStart, open_picture_start
from mar_edge.training.pictures.words import read_words
from mar_edge.training.run_folder import RunConfig


def open_job(config: RunConfig | None, options: TrainOptions) -> ManetJob:
    """Open the start, the videos and the word vectors of a run, and return its job.

    Args:
        config: that of the run in the folder, changed by the options; None for a new run.

    Raises:
        MarEdgeError: options contradict each other, or a file is missing or invalid.
    """
    path = options.start if config is None else Path(config.start) if config.start else None
    start = open_picture_start(path) if path else None
    if config is None:
        config = configure(options, start)
    recipe = config.recipe
    assert isinstance(recipe, ManetRecipe)
    training, validation = open_video_training(
        config.data,
        config.validation,
        seed=config.seed,
        mirror=recipe.mirror,
        validation_share=recipe.validation_share,
        labels=read_labels(Path(config.labels_file)) if config.labels_file else None,
    )
    words = read_words(Path(config.words), training.labels) if config.words else None
    config = msgspec.structs.replace(
        config,
        data_digest=f"{training.digest()}-{validation.digest()}",
        start_sha256=start.sha256 if start else "",
        words_digest="" if words is None else hashlib.sha256(words.vectors.tobytes()).hexdigest(),
    )
    movements = read_movements(Path(config.labels_file)) if config.labels_file else {}
    return ManetJob(config, training, validation, start, words, movements)


def configure(options: TrainOptions, start: PictureStart | None) -> RunConfig:
    """Return the configuration of a new run: the recipe, changed by the user's choices."""
    assert options.data is not None  # videos are never the default
    recipe = MANET
    if start is not None and start.network is not None:
        shape = {"width": start.network.config.width, "depths": start.network.config.depths}
        check_shape(options, shape, start.name)
        recipe = msgspec.structs.replace(recipe, **shape)
    return changed(RunConfig(recipe=recipe, data=options.data), options)
